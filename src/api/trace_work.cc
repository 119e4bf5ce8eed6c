#include "api/trace_work.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "ident/debug_id.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;
using net::Answer;
using symbolicate::TraceCandidate;
using symbolicate::TraceStatus;
using MapState = supply::SymbolMaps::Answer::State;

namespace {

// What is answered in one piece, and the size of the pieces of longer answers.
constexpr std::size_t kFramesWhole = 4096;
constexpr std::size_t kFramesAtOnce = 1024;
// What was settled may be forgotten again before it is seen (an upload, a damaged index).
constexpr std::size_t kRoundsMax = 8;

// Under which it is looked for.
const std::optional<std::string>& debug_file_of(const symbolicate::TraceModule& module) {
  return module.looked_for_as ? module.looked_for_as : module.debug_file;
}

std::string leaf_of(std::string_view path) {
  const std::size_t at = path.find_last_of("/\\");
  return std::string(at == std::string_view::npos ? path : path.substr(at + 1));
}

std::string id_of_code(std::string_view type, const std::string& code_id) {
  if (type == "macho") return code_id + "0";
  if (type != "elf") return code_id;
  const auto bytes = base::bytes_from_hex(code_id);
  return bytes ? ident::DebugId::from_build_id(*bytes).breakpad() : code_id;
}

// A server that could not say is worse news than one that has nothing.
bool is_worse(const Error& error, const Error& than) {
  return than.fault == Fault::not_found && error.fault != Fault::not_found;
}

// '*' is any text, '?' any character; without case, and for both systems' separators.
bool matches(std::string_view pattern, std::string_view text, std::uint64_t& steps_left) {
  const auto same = [](char a, char b) {
    const auto plain = [](char c) {
      return c == '\\' ? '/' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return plain(a) == plain(b);
  };
  std::size_t at = 0;
  std::size_t star = std::string_view::npos;  // the last one, and where its text begins
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (steps_left == 0) return false;
    --steps_left;
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      from = i;
    } else if (at < pattern.size() && (pattern[at] == '?' || same(pattern[at], text[i]))) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++from;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

}  // namespace

bool TraceLookup::may_have(const symbolicate::TraceModule& module,
                           std::uint64_t& steps_left) const {
  if (requires_checksum && module.debug_checksum.value_or("").empty()) return false;
  if (patterns.empty()) return true;
  const auto may_be_at = [&](const std::optional<std::string>& path) {
    const std::string_view text = path ? std::string_view(*path) : "";
    if (text.size() > kMatchedPathMax) return false;
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
      return matches(pattern, text, steps_left);
    });
  };
  return may_be_at(module.code_file) || may_be_at(debug_file_of(module));
}

std::vector<ident::SymbolRequest> files_to_fetch(const symbolicate::TraceModule& module,
                                                 const ident::Scope& scope) {
  using ident::KeyKind;
  using ident::SymbolKey;
  std::vector<ident::SymbolRequest> files;
  const auto name = find_trace_module_name(module);
  if (!name) return files;
  const auto debug_id = ident::DebugId::parse(name->id);
  std::vector<SymbolKey> keys;
  if (debug_id) keys.push_back(SymbolKey::from_debug_id(name->name, *debug_id));
  if (module.type == "elf" && module.code_id) {
    keys.push_back(SymbolKey::from_text(KeyKind::build_id, name->name, *module.code_id));
  }
  if (module.type == "macho" && debug_id) {
    keys.push_back(SymbolKey::from_text(KeyKind::uuid, name->name, base::hex_of(debug_id->guid)));
  }
  const auto add = [&](ident::Artifact artifact, const std::string& file, const std::string& id,
                       const std::vector<SymbolKey>& of_file) {
    if (of_file.empty()) return;
    ident::SymbolRequest request;
    request.artifact = artifact;
    request.keys = of_file;
    request.scope = scope;
    if (ident::is_allowed_name(file) && ident::is_allowed_id(id)) {
      request.asked = ident::StorePath{file, id, file};
    }
    files.push_back(std::move(request));
  };
  add(ident::Artifact::debuginfo, name->name, name->id, keys);
  const std::string code_file = leaf_of(module.code_file.value_or(""));
  if (module.type == "pe" && module.code_id && !code_file.empty()) {
    add(ident::Artifact::stored, code_file, *module.code_id,
        {SymbolKey::from_text(KeyKind::code_id, code_file, *module.code_id)});
  } else {
    add(ident::Artifact::executable, code_file.empty() ? name->name : code_file, name->id, keys);
  }
  files.push_back(supply::SymbolMaps::request_for(name->name, name->id, scope));
  return files;
}

Error worst_miss(supply::Supply& supply, const std::vector<ident::SymbolRequest>& files) {
  Error worst{Fault::not_found, "none of its files is there"};
  for (const ident::SymbolRequest& file : files) {
    const supply::Found found = supply.local(file);
    if (found.state() == supply::Found::State::missing && is_worse(found.miss(), worst)) {
      worst = found.miss();
    }
  }
  return worst;
}

std::optional<TraceModuleName> find_trace_module_name(const symbolicate::TraceModule& module) {
  TraceModuleName name;
  if (module.debug_id) {
    name.id = *module.debug_id;
  } else if (module.code_id) {
    name.id = id_of_code(module.type, *module.code_id);
  } else {
    return std::nullopt;
  }
  name.name = leaf_of(debug_file_of(module).value_or(""));
  if (name.name.empty()) name.name = leaf_of(module.code_file.value_or(""));
  if (name.name.empty()) name.name = "unknown";
  return name;
}

TraceWork::TraceWork(const Rooms& rooms, symbolicate::TraceQuestion question,
                     std::vector<TraceLookup> lookups, Clock::time_point deadline, bool is_unwound)
    : rooms_(rooms),
      question_(std::move(question)),
      lookups_(std::move(lookups)),
      deadline_(deadline),
      is_unwound_(is_unwound),
      found_by_(question_.modules.size()),
      answers_(question_.modules.size()) {
  texts_.places.reserve(lookups_.size());
  for (const TraceLookup& lookup : lookups_) {
    texts_.places.push_back({lookup.source, lookup.location});
  }
  const std::vector<bool> used = symbolicate::TraceModules(question_).used();
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (is_unwound_) answers_[i].unwind = TraceStatus::unused;
    if (!used[i]) continue;
    Pending pending;
    pending.module = i;
    if (auto name = find_trace_module_name(question_.modules[i])) {
      pending.name = *std::move(name);
      pending_.push_back(std::move(pending));
    } else {
      settle(pending, TraceStatus::missing);
    }
  }
}

void TraceWork::find(Done done) {
  done_ = std::move(done);
  rooms_.door->post([self = shared_from_this()] { self->advance(); });
}

void TraceWork::advance() {
  if (find_modules()) return finish();
  if (Clock::now() >= deadline_ || ++rounds_ > kRoundsMax + 2 * lookups_.size()) {
    give_up();
    return finish();
  }
  std::vector<ident::SymbolRequest> requests;
  requests.reserve(pending_.size() - first_of_few());
  for (std::size_t i = first_of_few(); i < pending_.size(); ++i) {
    add_requests(pending_[i], requests);
  }
  rooms_.supply.want(requests, deadline_, [self = shared_from_this()] {
    self->rooms_.door->post([self] { self->advance(); });
  });
}

std::size_t TraceWork::first_of_few() const {
  return pending_.size() - std::min(pending_.size(), kTraceModulesAtOnce);
}

// Whether all are settled; if not, some of the last few are not.
bool TraceWork::find_modules() {
  for (std::size_t first = first_of_few(); !pending_.empty(); first = first_of_few()) {
    std::size_t left = first;
    for (std::size_t i = first; i < pending_.size(); ++i) {
      if (find_module(pending_[i])) continue;
      if (left != i) pending_[left] = std::move(pending_[i]);
      ++left;
    }
    if (left != pending_.size()) rounds_ = 0;
    pending_.resize(left);
    if (left > first) return false;
  }
  return true;
}

void TraceWork::add_requests(Pending& pending, std::vector<ident::SymbolRequest>& requests) const {
  const TraceLookup& lookup = lookups_[pending.lookup];
  if (lookup.is_foreign && !pending.is_fetched) {
    pending.is_fetched = true;
    for (auto& file : files_to_fetch(question_.modules[pending.module], lookup.scope)) {
      requests.push_back(std::move(file));
    }
    return;
  }
  requests.push_back(
      supply::SymbolMaps::request_for(pending.name.name, pending.name.id, lookup.scope));
}

// Whether it is settled; else `pending.lookup` has to be asked.
bool TraceWork::find_module(Pending& pending) {
  for (; pending.lookup < lookups_.size(); ++pending.lookup, pending.is_fetched = false) {
    const TraceLookup& lookup = lookups_[pending.lookup];
    if (!lookup.may_have(question_.modules[pending.module], pattern_steps_left_)) continue;
    if (lookup.refusal && lookup.refusal->fault == Fault::not_found) continue;
    if (lookup.refusal) {
      note(pending, lookup, symbolicate::trace_download_of(lookup.refusal->fault),
           lookup.refusal->what);
      continue;
    }
    if (!find_there(pending, lookup)) return false;
    if (answers_[pending.module].map) return true;
  }
  settle(pending, symbolicate::trace_status_of(pending.miss.fault));
  return true;
}

// False: it has to be asked first.
bool TraceWork::find_there(Pending& pending, const TraceLookup& lookup) {
  auto found = rooms_.maps.open(pending.name.name, pending.name.id, lookup.scope);
  if (found.state == MapState::open) {
    answers_[pending.module].map = std::move(found.map);
    found_by_[pending.module] = pending.lookup;
    note(pending, lookup, TraceCandidate::Download::ok, "");
    settle(pending, TraceStatus::found);
    return true;
  }
  if (found.state != MapState::missing) return false;
  if (lookup.is_foreign) {
    if (!pending.is_fetched) return false;
    const auto files = files_to_fetch(question_.modules[pending.module], lookup.scope);
    const Error said = worst_miss(rooms_.supply, files);
    if (is_worse(said, found.miss)) found.miss = said;
  }
  note(pending, lookup, symbolicate::trace_download_of(found.miss.fault), found.miss.what);
  if (is_worse(found.miss, pending.miss)) pending.miss = found.miss;
  return true;
}

void TraceWork::note(const Pending& pending, const TraceLookup& lookup,
                     TraceCandidate::Download download, const std::string& details) {
  if (!question_.wants_candidates) return;
  if (candidates_ == kCandidatesMax) return;
  ++candidates_;
  symbolicate::TraceModuleAnswer& answer = answers_[pending.module];
  if (answer.file.empty()) {
    // A longer one is no module's.
    answer.file = pending.name.name.substr(0, ident::kMaxNameSize);
    answer.file.append("/").append(pending.name.id, 0, ident::kMaxNameSize);
  }
  TraceCandidate candidate;
  candidate.place = static_cast<std::uint32_t>(&lookup - lookups_.data());
  candidate.details = add_details(details);
  candidate.download = download;
  answer.candidates.push_back(candidate);
}

// Refusals and misses are much the same for all modules.
std::uint32_t TraceWork::add_details(const std::string& details) {
  const auto [at, is_new] =
      details_.try_emplace(details, static_cast<std::uint32_t>(texts_.details.size()));
  if (is_new) texts_.details.push_back(details);
  return at->second;
}

std::uint64_t TraceWork::memory_size() const {
  // Each of the details stands in two places.
  std::uint64_t size = question_.memory_size() + 2 * texts_.memory_size();
  for (const symbolicate::TraceModuleAnswer& answer : answers_) size += answer.memory_size();
  for (const auto& [place, context] : contexts_) {
    size += sizeof(place) + place.file.capacity() + context.memory_size();
  }
  return size;
}

void TraceWork::settle(const Pending& pending, TraceStatus status) {
  answers_[pending.module].debug = status;
  if (is_unwound_) answers_[pending.module].unwind = status;
}

void TraceWork::give_up() {
  for (const Pending& pending : pending_) {
    note(pending, lookups_[pending.lookup], TraceCandidate::Download::error,
         "the symbols did not come in time: ask again");
    settle(pending, TraceStatus::timeout);
  }
  pending_.clear();
}

void TraceWork::finish() {
  if (!ask_for_sources()) tell();
}

// False: there is nothing to ask for.
bool TraceWork::ask_for_sources() {
  if (!rooms_.reading.find || !question_.wants_context) return false;
  symbolicate::TraceAnswerWriter looking(question_, answers_, texts_);
  for (const auto& place : looking.source_places(kContextFramesMax, kContextPlacesMax)) {
    if (lookups_[found_by_[place.module]].is_foreign) continue;
    const bool is_new = source_files_.empty() || source_files_.back().module != place.module ||
                        source_files_.back().path != place.file;
    if (is_new && source_files_.size() == kContextFilesMax) break;
    if (is_new) source_files_.push_back({place.module, place.file, {}});
    source_files_.back().lines.push_back(place.line);
  }
  sources_until_ = std::min(deadline_, Clock::now() + kContextTimeMax);
  sources_begun_ = std::min(kContextFilesAtOnce, source_files_.size());
  const std::size_t begun = sources_begun_;
  for (std::size_t file = 0; file < begun; ++file) ask_for_source(file);
  return begun != 0;
}

void TraceWork::ask_for_source(std::size_t file) {
  const SourceFile& wanted = source_files_[file];
  const auto name = find_trace_module_name(question_.modules[wanted.module]);
  const auto id = name ? ident::DebugId::parse(name->id) : std::nullopt;
  if (!name || !id) return take_source(file, Error{Fault::not_found, "the module has no debug id"});
  const ident::Scope& scope = lookups_[found_by_[wanted.module]].scope;
  sources::Question question;
  question.symbols = {ident::module_request(ident::Artifact::debuginfo, name->name, *id, scope),
                      ident::module_request(ident::Artifact::sym, name->name, *id, scope)};
  question.path = wanted.path;
  rooms_.reading.find(std::move(question), sources_until_,
                      [self = shared_from_this(), file](const Result<sources::Source>& found) {
                        self->take_source(file, found);
                      });
}

// Whoever takes the last one tells that all is done.
void TraceWork::take_source(std::size_t file, const Result<sources::Source>& found) {
  const SourceFile& wanted = source_files_[file];
  symbolicate::TraceContexts contexts;
  if (found.ok()) {
    auto around = symbolicate::find_source_contexts(found->bytes, wanted.lines);
    for (std::size_t i = 0; i < around.size(); ++i) {
      if (!around[i]) continue;
      contexts.insert({{wanted.module, wanted.path, wanted.lines[i]}, *std::move(around[i])});
    }
  }
  std::optional<std::size_t> next;
  bool is_last = false;
  {
    const std::lock_guard lock(sources_mutex_);
    contexts_.merge(contexts);
    if (sources_begun_ < source_files_.size()) next = sources_begun_++;
    is_last = ++sources_done_ == source_files_.size();
  }
  if (next) rooms_.door->post([self = shared_from_this(), next] { self->ask_for_source(*next); });
  if (!is_last) return;
  if (rooms_.reading.note) rooms_.reading.note();
  rooms_.door->post([self = shared_from_this()] { self->tell(); });
}

void TraceWork::tell() {
  const auto done = std::exchange(done_, nullptr);
  done(*this);
}

Answer TraceWork::answer() {
  Answer answer = Answer::json(200, "");
  auto writer =
      std::make_shared<symbolicate::TraceAnswerWriter>(question_, answers_, texts_, contexts_);
  std::string first;
  writer->write_some(first, kFramesWhole);
  if (writer->is_done()) {
    answer.body = std::move(first);
    return answer;
  }
  answer.body = net::Producer([self = shared_from_this(), writer,
                               piece = std::move(first)]() mutable -> Result<std::string> {
    std::string next = std::exchange(piece, {});
    // Of many frames nothing may be left; an empty piece would end the answer.
    while (next.empty() && writer->write_some(next, kFramesAtOnce)) {
    }
    return next;
  });
  return answer;
}

}  // namespace api
