#include "symbolicate/trace_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "base/assert.h"
#include "base/text.h"
#include "ident/debug_id.h"
#include "symbolicate/batch.h"

namespace symbolicate {
namespace {

using base::Fault;
using base::JsonWriter;
using symbols::SourceFrame;

constexpr std::size_t kFramesAtOnce = 1024;
// A file made up by somebody may give a frame megabytes of names.
constexpr std::size_t kPieceSizeMax = 16u << 20;
// What is at such an address is a null pointer with an offset.
constexpr std::uint64_t kNullPage = 4096;
// A longer path is no file's.
constexpr std::size_t kSourcePathMax = 4096;

std::string hex(std::uint64_t value) { return fmt::format("{:#x}", value); }

// Behind the last directory of either system's paths.
std::string_view leaf_of(std::string_view path) {
  const std::size_t at = path.find_last_of("/\\");
  return at == std::string_view::npos ? path : path.substr(at + 1);
}

// What a mangled name says; "" where it says nothing.
std::string_view language_of(std::string_view mangled) {
  if (mangled.starts_with("_R")) return "rust";
  if (mangled.starts_with("_$s") || mangled.starts_with("$s") || mangled.starts_with("_T0")) {
    return "swift";
  }
  const bool is_itanium = mangled.starts_with("_Z") || mangled.starts_with("__Z");
  // Rust's older names end with a hash in a component of their own.
  if (is_itanium && mangled.size() > 20 && mangled.ends_with('E') &&
      mangled.substr(mangled.size() - 20).starts_with("17h")) {
    return "rust";
  }
  return is_itanium || mangled.starts_with('?') ? "cpp" : "";
}

// "ff9f9f78-41db-88f0-cded-a9e1e9bff3b5-1"
std::string dashed(std::string_view breakpad) {
  const auto id = ident::DebugId::parse(breakpad);
  if (!id) return std::string(breakpad);
  std::string text = base::hex_of(id->guid);
  for (const std::size_t at : {20u, 16u, 12u, 8u}) text.insert(at, "-");
  if (id->age != 0) text += fmt::format("-{:x}", id->age);
  return text;
}

std::string_view name_of(TraceCandidate::Download download) {
  constexpr std::array<std::string_view, 5> kNames{"ok", "malformed", "noperm", "notfound",
                                                   "error"};
  return kNames[static_cast<std::size_t>(download)];
}

// Functions at whose end unwinding should end, and where older readers of glibc's rules go on.
bool is_start(std::string_view function) {
  return function == "_start" || function == "__clone" || function == "__clone3";
}

void write_features(JsonWriter& out, const symbols::Map* map, bool has_sources = false) {
  const auto contents = map != nullptr ? map->contents() : symbols::Map::Contents{};
  out.key("features").begin_object();
  out.key("has_debug_info").boolean(contents.functions && contents.places);
  out.key("has_unwind_info").boolean(contents.unwind);
  out.key("has_symbols").boolean(contents.functions || contents.publics);
  out.key("has_sources").boolean(has_sources);
  out.end_object();
}

void write_text(JsonWriter& out, std::string_view key, const std::optional<std::string>& text) {
  if (text) out.key(key).string(*text);
}

}  // namespace

std::uint64_t TraceCandidateTexts::memory_size() const {
  std::uint64_t size = 0;
  for (const Place& place : places) {
    size += sizeof(place) + place.source.capacity() + place.location.capacity();
  }
  for (const std::string& text : details) size += sizeof(std::string) + text.capacity();
  return size;
}

std::string_view name_of(TraceStatus status) {
  constexpr std::array<std::string_view, 8> kNames{
      "unused",          "found",   "missing",     "malformed",
      "fetching_failed", "timeout", "unsupported", "other"};
  return kNames[static_cast<std::size_t>(status)];
}

TraceStatus trace_status_of(Fault fault) {
  switch (fault) {
    case Fault::not_found:
      return TraceStatus::missing;
    case Fault::malformed:
      return TraceStatus::malformed;
    case Fault::unsupported:
      return TraceStatus::unsupported;
    case Fault::denied:
    case Fault::unavailable:
      return TraceStatus::fetching_failed;
    case Fault::timed_out:
      return TraceStatus::timeout;
    case Fault::too_large:
    case Fault::internal:
      break;
  }
  return TraceStatus::other;
}

TraceCandidate::Download trace_download_of(Fault fault) {
  using Download = TraceCandidate::Download;
  switch (fault) {
    case Fault::not_found:
      return Download::notfound;
    case Fault::malformed:
    case Fault::unsupported:
      return Download::malformed;
    case Fault::denied:
      return Download::noperm;
    default:
      return Download::error;
  }
}

TraceAnswerWriter::TraceAnswerWriter(const TraceQuestion& question,
                                     const std::vector<TraceModuleAnswer>& modules,
                                     const TraceCandidateTexts& texts,
                                     const TraceContexts& contexts)
    : question_(question),
      answers_(modules),
      texts_(texts),
      contexts_(contexts),
      places_(question) {
  ASSERT(modules.size() == question.modules.size());
  maps_.reserve(modules.size());
  for (const TraceModuleAnswer& module : modules) maps_.push_back(module.map);
}

std::string TraceAnswerWriter::write_all() {
  std::string out;
  while (write_some(out, kFramesAtOnce)) {
  }
  return out;
}

bool TraceAnswerWriter::write_some(std::string& out, std::size_t frames_max) {
  if (at_ == At::end) return false;
  if (at_ == At::start) {
    out += R"({"status":"completed",)";
    if (question_.signal) out += fmt::format("\"signal\":{},", *question_.signal);
    if (!question_.facts.empty()) out.append(question_.facts).append(",");
    out += "\"stacktraces\":[";
    at_ = At::between_traces;
  }
  const std::size_t size_max = out.size() + kPieceSizeMax;
  for (std::size_t written = 0; written < frames_max && out.size() < size_max;) {
    if (at_ == At::between_traces && trace_ == question_.traces.size()) {
      out += "],\"modules\":[";
      at_ = At::in_modules;
    }
    if (at_ == At::in_modules) {
      if (module_ == question_.modules.size()) {
        out += "]}";
        at_ = At::end;
        return true;
      }
      write_module(out, module_++);
      ++written;
      continue;
    }
    if (at_ == At::between_traces) begin_trace(out);
    std::size_t count =
        std::min({frames_max - written, kFramesAtOnce, trace().frame_count - done_});
    // Whether the outermost frame is one depends on the one before.
    if (question_.is_caller_first && done_ == 0) {
      count = std::min(std::max<std::size_t>(count, 2), trace().frame_count);
    }
    write_frames(out, count);
    written += count + 1;  // so that many empty traces end, too
    if (done_ < trace().frame_count) continue;
    out += "]}";
    ++trace_;
    at_ = At::between_traces;
  }
  return true;
}

void TraceAnswerWriter::begin_trace(std::string& out) {
  if (trace_ != 0) out += ',';
  JsonWriter head;
  head.begin_object();
  if (trace().thread_id) head.key("thread_id").unsigned_integer(*trace().thread_id);
  write_text(head, "thread_name", trace().thread_name);
  if (trace().is_requesting) head.key("is_requesting").boolean(*trace().is_requesting);
  if (!trace().registers.empty()) {
    head.key("registers").begin_object();
    for (const auto& [name, value] : trace().registers) head.key(name).string(hex(value));
    head.end_object();
  }
  head.key("frames").begin_array();
  out += head.text();
  at_ = At::in_trace;
  done_ = 0;
  wrote_frame_ = was_start_ = false;
  default_adjust_ = default_adjust(question_, trace());
}

// The next `count` frames, from the outermost on where the client has them in that order.
void TraceAnswerWriter::write_frames(std::string& out, std::size_t count) {
  const bool turned = question_.is_caller_first;
  look_up(turned ? trace().frame_count - done_ - count : done_, count);
  done_ += count;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t number = turned ? count - 1 - i : i;
    const bool dropped = is_dropped(number);
    if (!dropped) append_item(out, items_[number]);
    was_start_ = !dropped && items_[number].status == FrameStatus::symbolicated &&
                 is_start(items_[number].hit.physical.function);
  }
}

void TraceAnswerWriter::look_up(std::size_t first, std::size_t count) {
  items_.assign(count, Item{});
  std::vector<Place> places;
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < count; ++i) {
    items_[i].index = first + i;
    place(items_[i]);
    if (items_[i].status != FrameStatus::missing_symbol) continue;
    places.push_back({items_[i].place.module, base::Rva{items_[i].place.offset}});
    numbers.push_back(i);
  }
  find_all(maps_, places, [&](std::size_t i, const symbols::Hit* hit) {
    if (hit == nullptr) return;
    Item& item = items_[numbers[i]];
    item.hit = *hit;
    item.status = FrameStatus::symbolicated;
  });
}

std::set<TraceSourcePlace> TraceAnswerWriter::source_places(std::size_t frames_max,
                                                            std::size_t places_max) {
  ASSERT(at_ == At::start);
  std::set<TraceSourcePlace> places;
  std::size_t left = frames_max;
  for (const bool is_requesting : {true, false}) {
    for (trace_ = 0; trace_ < question_.traces.size(); ++trace_) {
      if (trace().is_requesting.value_or(false) != is_requesting) continue;
      default_adjust_ = default_adjust(question_, trace());
      for (std::size_t first = 0; first < trace().frame_count && left > 0;) {
        const std::size_t count = std::min({trace().frame_count - first, left, kFramesAtOnce});
        look_up(first, count);
        for (const Item& item : items_) add_source_places(item, places_max, places);
        first += count;
        left -= count;
      }
    }
  }
  items_.clear();
  trace_ = 0;
  return places;
}

void TraceAnswerWriter::add_source_places(const Item& item, std::size_t places_max,
                                          std::set<TraceSourcePlace>& places) const {
  if (item.status != FrameStatus::symbolicated) return;
  const auto add = [&](const SourceFrame& frame) {
    const bool has_place = frame.has_file && frame.has_line && frame.line != 0;
    if (!has_place || frame.file.empty() || frame.file.size() > kSourcePathMax) return;
    if (places.size() == places_max) return;
    places.insert({item.place.module, std::string(frame.file), frame.line});
  };
  for (const SourceFrame& frame : item.hit.inlines) add(frame);
  add(item.hit.physical);
}

void TraceAnswerWriter::write_context(JsonWriter& out, const Item& item,
                                      const SourceFrame& source) const {
  if (contexts_.empty() || !source.has_file || !source.has_line) return;
  const auto at = contexts_.find({item.place.module, std::string(source.file), source.line});
  if (at == contexts_.end()) return;
  const auto write_lines = [&](std::string_view name, const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    out.key(name).begin_array();
    for (const std::string& line : lines) out.string(line);
    out.end_array();
  };
  write_lines("pre_context", at->second.before);
  out.key("context_line").string(at->second.line);
  write_lines("post_context", at->second.after);
}

bool TraceAnswerWriter::has_sources(std::size_t module) const {
  const auto at = contexts_.lower_bound({module, "", 0});
  return at != contexts_.end() && at->first.module == module;
}

// missing_symbol: it is to be looked up.
void TraceAnswerWriter::place(Item& item) const {
  const TraceFrame& frame = frame_of(item);
  item.place = places_.find(frame);
  if (item.place.module == TracePlace::kNone) return;
  const TraceModuleAnswer& answer = answers_[item.place.module];
  if (answer.map == nullptr) {
    item.status =
        answer.debug == TraceStatus::malformed ? FrameStatus::malformed : FrameStatus::missing;
    return;
  }
  item.status = FrameStatus::missing_symbol;
  const std::uint64_t base = question_.modules[item.place.module].address;
  if (base == 0) return;  // such modules' addresses are exact
  CallerHints hints{answer.map->info().arch, item.index == 0, frame.adjust, question_.signal,
                    &trace()};
  if (hints.adjust == TraceFrame::Adjust::unsaid) hints.adjust = default_adjust_;
  const std::uint64_t address = caller_address(base + item.place.offset, hints);
  item.place.offset = address < base ? 0 : address - base;
}

// Frames that are there by mistake: words that a scan took for return addresses, and what stands
// behind the end of a stack.
bool TraceAnswerWriter::is_dropped(std::size_t number) {
  const Item& item = items_[number];
  const TraceFrame& frame = frame_of(item);
  const bool is_unknown = item.status == FrameStatus::unknown_image;
  if (frame.trust == TraceTrust::scan &&
      (is_unknown || item.status == FrameStatus::missing_symbol)) {
    return true;
  }
  if (!is_unknown || item.index + 1 != trace().frame_count || item.index == 0) return false;
  const bool is_null = frame.relative_to == TraceFrame::kAbsolute && frame.address < kNullPage;
  return is_null || is_after_the_start(number);
}

bool TraceAnswerWriter::is_after_the_start(std::size_t number) const {
  if (number == 0) return was_start_ && !question_.is_caller_first;
  const Item& before = items_[number - 1];
  return before.status == FrameStatus::symbolicated && is_start(before.hit.physical.function);
}

void TraceAnswerWriter::append_item(std::string& out, const Item& item) {
  const auto append = [&](const std::string& frame) {
    if (wrote_frame_) out += ',';
    wrote_frame_ = true;
    out += frame;
  };
  if (item.status != FrameStatus::symbolicated) return append(unsymbolicated(item));
  const std::size_t inlined = item.hit.inlines.size();
  for (std::size_t i = 0; i <= inlined; ++i) {
    append(symbolicated(item, question_.is_caller_first ? inlined - i : i));
  }
}

void TraceAnswerWriter::write_given(JsonWriter& out, const TraceFrame& frame, GivenField from,
                                    GivenField to) const {
  for (std::size_t i = 0; i < frame.given_count; ++i) {
    const GivenText& given = question_.given[frame.first_given + i];
    if (given.field < from || given.field > to) continue;
    out.key(kGivenFieldNames[static_cast<std::size_t>(given.field)]).raw(question_.text(given));
  }
}

namespace {

void write_adjust(JsonWriter& out, TraceFrame::Adjust adjust) {
  if (adjust == TraceFrame::Adjust::unsaid) return;
  out.key("adjust_instruction_addr").boolean(adjust == TraceFrame::Adjust::yes);
}

void write_trust(JsonWriter& out, TraceTrust trust) {
  if (trust != TraceTrust::none) out.key("trust").string(name_of(trust));
}

void write_mode(JsonWriter& out, std::uint32_t relative_to) {
  if (relative_to == TraceFrame::kAbsolute) return;
  out.key("addr_mode").string(fmt::format("rel:{}", relative_to));
}

}  // namespace

std::string TraceAnswerWriter::unsymbolicated(const Item& item) const {
  constexpr std::array<std::string_view, 5> kNames{"symbolicated", "missing_symbol",
                                                   "unknown_image", "missing", "malformed"};
  const TraceFrame& frame = frame_of(item);
  JsonWriter out;
  out.begin_object();
  out.key("status").string(kNames[static_cast<std::size_t>(item.status)]);
  out.key("original_index").unsigned_integer(item.index);
  write_given(out, frame, GivenField::platform, GivenField::platform);
  write_mode(out, frame.relative_to);
  out.key("instruction_addr").string(hex(frame.address));
  write_adjust(out, frame.adjust);
  write_given(out, frame, GivenField::function_id, GivenField::function_id);
  const bool has_module = item.place.module != TracePlace::kNone;
  if (has_module) {
    write_text(out, "package", question_.modules[item.place.module].code_file);
  } else {
    write_given(out, frame, GivenField::package, GivenField::package);
  }
  write_given(out, frame, GivenField::lang, GivenField::in_app);
  write_trust(out, frame.trust);
  return out.end_object().take();
}

std::string TraceAnswerWriter::symbolicated(const Item& item, std::size_t inlined) const {
  const TraceFrame& frame = frame_of(item);
  const TraceModule& module = question_.modules[item.place.module];
  const bool is_function = inlined == item.hit.inlines.size();
  const SourceFrame& source = is_function ? item.hit.physical : item.hit.inlines[inlined];
  const std::string_view mangled = is_function ? item.hit.mangled : std::string_view();
  const std::string_view file = source.has_file ? source.file : std::string_view();
  JsonWriter out;
  out.begin_object();
  out.key("status").string("symbolicated");
  out.key("original_index").unsigned_integer(item.index);
  write_given(out, frame, GivenField::platform, GivenField::platform);
  // A module at 0 has no place among the others; its addresses stay relative.
  if (module.address == 0) write_mode(out, item.place.module);
  out.key("instruction_addr").string(hex(module.address + item.place.offset));
  write_adjust(out, frame.adjust);
  write_given(out, frame, GivenField::function_id, GivenField::function_id);
  write_text(out, "package", module.code_file);
  if (const auto language = language_of(item.hit.mangled); !language.empty()) {
    out.key("lang").string(language);
  }
  out.key("symbol").string(mangled.empty() ? source.function : mangled);
  if (is_function) out.key("sym_addr").string(hex(module.address + item.hit.start.value));
  out.key("function").string(source.function);
  if (file.empty()) {
    write_given(out, frame, GivenField::filename, GivenField::abs_path);
  } else {
    out.key("filename").string(leaf_of(file));
    out.key("abs_path").string(file);
  }
  out.key("lineno").unsigned_integer(source.has_line ? source.line : 0);
  write_context(out, item, source);
  write_trust(out, frame.trust);
  return out.end_object().take();
}

void TraceAnswerWriter::write_candidates(JsonWriter& out, const TraceModuleAnswer& answer) const {
  std::vector<const TraceCandidate*> sorted;
  sorted.reserve(answer.candidates.size());
  for (const TraceCandidate& candidate : answer.candidates) sorted.push_back(&candidate);
  std::sort(sorted.begin(), sorted.end(), [&](const TraceCandidate* a, const TraceCandidate* b) {
    const auto& [source, location] = texts_.places[a->place];
    const auto& [other_source, other_location] = texts_.places[b->place];
    return std::tie(source, location) < std::tie(other_source, other_location);
  });
  out.key("candidates").begin_array();
  for (const TraceCandidate* candidate : sorted) {
    using Download = TraceCandidate::Download;
    const bool is_good = candidate->download == Download::ok;
    const TraceCandidateTexts::Place& place = texts_.places[candidate->place];
    out.begin_object();
    out.key("source").string(place.source);
    out.key("location").string(place.location + answer.file);
    out.key("download").begin_object();
    out.key("status").string(name_of(candidate->download));
    if (is_good) write_features(out, answer.map.get());
    if (candidate->download == Download::noperm || candidate->download == Download::error) {
      out.key("details").string(texts_.details[candidate->details]);
    }
    out.end_object();
    const auto use = [&](std::string_view name, TraceStatus status) {
      out.key(name).begin_object().key("status");
      out.string(status == TraceStatus::found ? "ok" : "malformed").end_object();
    };
    if (is_good && answer.unwind && answer.map && answer.map->contents().unwind) {
      use("unwind", *answer.unwind);
    }
    if (is_good) use("debug", answer.debug);
    out.end_object();
  }
  out.end_array();
}

void TraceAnswerWriter::write_module(std::string& text, std::size_t index) const {
  const TraceModule& module = question_.modules[index];
  const TraceModuleAnswer& answer = answers_[index];
  const std::string_view arch = answer.map ? std::string_view(answer.map->info().arch) : "";
  JsonWriter out;
  out.begin_object();
  out.key("debug_status").string(name_of(answer.debug));
  if (answer.unwind) out.key("unwind_status").string(name_of(*answer.unwind));
  write_features(out, answer.map.get(), has_sources(index));
  out.key("arch").string(arch.empty() ? "unknown" : arch);
  out.key("type").string(module.type);
  write_text(out, "code_id", module.code_id);
  write_text(out, "code_file", module.code_file);
  if (module.debug_id) out.key("debug_id").string(dashed(*module.debug_id));
  write_text(out, "debug_file", module.debug_file);
  write_text(out, "debug_checksum", module.debug_checksum);
  out.key("image_addr").string(hex(module.address));
  if (module.size) out.key("image_size").unsigned_integer(*module.size);
  if (question_.wants_candidates && !answer.candidates.empty()) write_candidates(out, answer);
  if (index != 0) text += ',';
  text += out.end_object().text();
}

}  // namespace symbolicate
