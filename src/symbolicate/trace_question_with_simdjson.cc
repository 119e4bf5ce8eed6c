#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/json.h"
#include "base/text.h"
#include "ident/debug_id.h"
#include "symbolicate/document_with_simdjson.h"
#include "symbolicate/trace_members_with_simdjson.h"
#include "symbolicate/trace_question.h"

namespace symbolicate {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// A document that is too large for 32-bit offsets never comes here; what is kept of it neither.
constexpr std::size_t kTextsMax = std::numeric_limits<std::uint32_t>::max();

Error too_many(std::string_view what, std::size_t most) {
  return {Fault::too_large, fmt::format("there are more than {} {}", most, what)};
}

// An id without its hex digits is none.
void normalize(TraceModule& module) {
  if (module.debug_id) {
    const auto id = ident::DebugId::parse(*module.debug_id);
    module.debug_id = id ? std::optional(id->breakpad()) : std::nullopt;
  }
  if (module.code_id) {
    std::string id = base::lower_ascii(*module.code_id);
    std::erase_if(id, [](char c) { return !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')); });
    module.code_id = id.empty() ? std::nullopt : std::optional(std::move(id));
  }
}

std::string known_type(std::string type) {
  for (const std::string_view known : {"elf", "macho", "pe", "pe_dotnet", "wasm"}) {
    if (type == known) return type;
  }
  return "unknown";
}

// One question while it is read.
class Reader {
 public:
  explicit Reader(TraceQuestion& question) : question_(question) {}

  Result<void> read(const object& root) {
    std::optional<std::uint64_t> signal;
    TRY(read_number(root, "signal", "", signal));
    if (signal) question_.signal = static_cast<std::uint32_t>(*signal);
    if (const auto modules = find_member(root, "modules")) TRY(read_modules(*modules));
    if (const auto traces = find_member(root, "stacktraces")) TRY(read_traces(*traces));
    if (const auto sources = find_member(root, "sources")) TRY(read_sources(*sources));
    if (const auto options = find_member(root, "options")) TRY(read_options(*options));
    if (question_.is_caller_first) turn_over();
    return {};
  }

  Result<void> read_sources(element value) {
    array list;
    if (value.get(list)) return wrong("sources", "a list");
    question_.sources.emplace();
    for (const element entry : list) {
      const std::string where = fmt::format("sources[{}]", question_.sources->size());
      if (question_.sources->size() == kTraceSourcesMax) {
        return too_many("sources", kTraceSourcesMax);
      }
      TraceSource source;
      TRY(read_trace_source(entry, where, source));
      question_.sources->push_back(std::move(source));
    }
    return {};
  }

  Result<void> read_options(element value) {
    object members;
    if (value.get(members)) return wrong("options", "an object");
    std::optional<bool> candidates;
    TRY(read_flag(members, "dif_candidates", "options", candidates));
    question_.wants_candidates = candidates.value_or(false);
    std::optional<bool> context;
    TRY(read_flag(members, "apply_source_context", "options", context));
    question_.wants_context = context.value_or(true);
    std::string order;
    TRY(read_text(members, "frame_order", "options", order));
    if (order.empty() || order == "callee_first") return {};
    if (order != "caller_first") {
      return wrong("options.frame_order", "callee_first or caller_first");
    }
    question_.is_caller_first = true;
    return {};
  }

 private:
  Result<void> read_modules(element value) {
    array list;
    if (value.get(list)) return wrong("modules", "a list");
    for (const element entry : list) {
      const std::string where = fmt::format("modules[{}]", question_.modules.size());
      if (question_.modules.size() == kTraceModulesMax) {
        return too_many("modules", kTraceModulesMax);
      }
      object members;
      if (entry.get(members)) return wrong(where, "an object");
      TraceModule module;
      TRY(read_text(members, "type", where, module.type));
      module.type = known_type(std::move(module.type));
      TRY(read_text(members, "code_id", where, module.code_id));
      TRY(read_text(members, "code_file", where, module.code_file));
      TRY(read_text(members, "debug_id", where, module.debug_id));
      TRY(read_text(members, "debug_file", where, module.debug_file));
      TRY(read_text(members, "debug_checksum", where, module.debug_checksum));
      std::optional<std::uint64_t> address;
      TRY(read_number(members, "image_addr", where, address));
      module.address = address.value_or(0);
      TRY(read_number(members, "image_size", where, module.size));
      normalize(module);
      question_.modules.push_back(std::move(module));
    }
    return {};
  }

  Result<void> read_traces(element value) {
    array list;
    if (value.get(list)) return wrong("stacktraces", "a list");
    for (const element entry : list) {
      if (question_.traces.size() == kTraceTracesMax) {
        return too_many("stacktraces", kTraceTracesMax);
      }
      const std::string where = fmt::format("stacktraces[{}]", question_.traces.size());
      object members;
      if (entry.get(members)) return wrong(where, "an object");
      Trace trace;
      TRY(read_number(members, "thread_id", where, trace.thread_id));
      TRY(read_text(members, "thread_name", where, trace.thread_name));
      TRY(read_flag(members, "is_requesting", where, trace.is_requesting));
      if (const auto registers = find_member(members, "registers")) {
        TRY(read_registers(*registers, where, trace));
      }
      const auto frames = find_member(members, "frames");
      if (!frames) return wrong(where, "a member frames");
      TRY(read_frames(*frames, where, trace));
      question_.traces.push_back(std::move(trace));
    }
    return {};
  }

  static Result<void> read_registers(element value, std::string_view where, Trace& trace) {
    object members;
    if (value.get(members)) return wrong(fmt::format("{}.registers", where), "an object");
    if (members.size() > kTraceRegistersMax) {
      return too_many("registers of one stack trace", kTraceRegistersMax);
    }
    for (const auto& [name, content] : members) {
      const auto number = find_number(content);
      if (!number) return wrong(fmt::format("{}.registers.{}", where, name), "a hex string");
      trace.registers.emplace_back(name, *number);
    }
    std::sort(trace.registers.begin(), trace.registers.end());
    return {};
  }

  Result<void> read_frames(element value, std::string_view where, Trace& trace) {
    array list;
    if (value.get(list)) return wrong(fmt::format("{}.frames", where), "a list");
    trace.first_frame = question_.frames.size();
    for (const element entry : list) {
      if (question_.frames.size() == kTraceFramesMax) return too_many("frames", kTraceFramesMax);
      auto frame = read_frame(entry);
      if (!frame.ok()) {
        Error error = std::move(frame).error();
        error.what = fmt::format("{}.frames[{}]{}", where,
                                 question_.frames.size() - trace.first_frame, error.what);
        return error;
      }
      question_.frames.push_back(*frame);
    }
    trace.frame_count = question_.frames.size() - trace.first_frame;
    return {};
  }

  Result<TraceFrame> read_frame(element value) {
    object members;
    if (value.get(members)) return wrong("", "an object");
    TraceFrame frame;
    frame.first_given = static_cast<std::uint32_t>(question_.given.size());
    std::optional<std::uint64_t> address;
    TRY(read_number(members, "instruction_addr", "", address));
    if (!address) return wrong("", "a member instruction_addr");
    frame.address = *address;
    if (members.size() == 1) return frame;
    TRY(read_mode(members, frame));
    std::optional<bool> adjust;
    TRY(read_flag(members, "adjust_instruction_addr", "", adjust));
    if (adjust) frame.adjust = *adjust ? TraceFrame::Adjust::yes : TraceFrame::Adjust::no;
    std::string trust;
    TRY(read_text(members, "trust", "", trust));
    const auto known = find_trace_trust(trust.empty() ? "none" : trust);
    if (!known) return wrong(".trust", "a way to find frames");
    frame.trust = *known;
    TRY(read_given(members));
    frame.given_count = static_cast<std::uint8_t>(question_.given.size() - frame.first_given);
    return frame;
  }

  static Result<void> read_mode(const object& members, TraceFrame& frame) {
    std::string mode = "abs";
    TRY(read_text(members, "addr_mode", "", mode));
    if (mode == "abs") return {};
    const auto index =
        mode.starts_with("rel:") ? base::parse_decimal(mode.substr(4)) : std::nullopt;
    if (!index) return wrong(".addr_mode", "abs or rel:INDEX");
    // One that is none of the modules' is an unknown image.
    frame.relative_to =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(*index, TraceFrame::kAbsolute - 1));
    return {};
  }

  Result<void> read_given(const object& members) {
    for (std::size_t i = 0; i < kGivenFieldNames.size(); ++i) {
      const auto value = find_member(members, kGivenFieldNames[i]);
      if (!value) continue;
      const auto field = static_cast<GivenField>(i);
      TRY(check(field, *value));
      GivenText given{field, static_cast<std::uint32_t>(question_.texts.size()), 0};
      append_json(field, *value);
      if (question_.texts.size() > kTextsMax) return too_many("bytes of text", kTextsMax);
      given.size = static_cast<std::uint32_t>(question_.texts.size() - given.offset);
      question_.given.push_back(given);
    }
    return {};
  }

  static Result<void> check(GivenField field, element value) {
    const auto name = [&] {
      return fmt::format(".{}", kGivenFieldNames[static_cast<std::size_t>(field)]);
    };
    switch (field) {
      case GivenField::function_id:
      case GivenField::sym_addr:
        if (!find_number(value)) return wrong(name(), "a hex string");
        return {};
      case GivenField::lineno:
        if (!value.is<std::uint64_t>()) return wrong(name(), "an integer");
        return {};
      case GivenField::in_app:
        if (!value.is_bool()) return wrong(name(), "a boolean");
        return {};
      case GivenField::pre_context:
      case GivenField::post_context:
        return check_lines(name(), value);
      default:
        if (!value.is_string()) return wrong(name(), "a string");
        return {};
    }
  }

  static Result<void> check_lines(const std::string& name, element value) {
    array list;
    if (value.get(list)) return wrong(name, "a list of strings");
    for (const element line : list) {
      if (!line.is_string()) return wrong(name, "a list of strings");
    }
    return {};
  }

  // REQUIRES: checked.
  void append_json(GivenField field, element value) {
    std::string& out = question_.texts;
    if (field == GivenField::function_id || field == GivenField::sym_addr) {
      out += fmt::format("\"{:#x}\"", find_number(value).value_or(0));
      return;
    }
    array list;
    if (!value.get(list)) {
      out += '[';
      for (const element line : list) {
        if (out.back() != '[') out += ',';
        base::append_json_string(out, line.get_string().value_unsafe());
      }
      out += ']';
      return;
    }
    std::string_view text;
    if (!value.get(text)) return base::append_json_string(out, text);
    out += simdjson::minify(value);
  }

  void turn_over() {
    for (const Trace& trace : question_.traces) {
      const auto first = question_.frames.begin() + static_cast<std::ptrdiff_t>(trace.first_frame);
      std::reverse(first, first + static_cast<std::ptrdiff_t>(trace.frame_count));
    }
  }

  TraceQuestion& question_;
};

Result<TraceQuestion> parse(std::string_view body, bool with_facts) {
  Document document;
  TRY(document.read(body));
  object root;
  if (document.root().get(root)) return Error{Fault::unsupported, "expected an object"};
  TraceQuestion question;
  TRY(Reader(question).read(root));
  if (!with_facts) return question;
  const auto facts = find_member(root, "facts");
  if (!facts || !facts->is_object()) return wrong("facts", "an object");
  question.facts = simdjson::minify(*facts);
  question.facts = question.facts.substr(1, question.facts.size() - 2);
  return question;
}

}  // namespace

Result<TraceQuestion> parse_trace_question(std::string_view body) { return parse(body, false); }

Result<TraceQuestion> parse_trace_question_with_facts(std::string_view body) {
  return parse(body, true);
}

Result<void> read_trace_sources(std::string_view json, TraceQuestion& question) {
  Document document;
  TRY(document.read(json));
  if (document.root().is_null()) return {};
  return Reader(question).read_sources(document.root());
}

Result<void> read_trace_options(std::string_view json, TraceQuestion& question) {
  Document document;
  TRY(document.read(json));
  if (document.root().is_null()) return {};
  return Reader(question).read_options(document.root());
}

}  // namespace symbolicate
