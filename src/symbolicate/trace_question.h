// What Symbolicator's clients ask: the stack traces of a process, as the addresses that they had
// there, and the modules that were loaded.
//   {"signal": 11, "stacktraces": [{"registers": {"rip": "0x…"}, "frames": [{"instruction_addr":
//    "0x7f51…", …}]}], "modules": [{"type": "elf", "debug_id": "…", "image_addr": "0x…"}],
//    "sources": […], "options": {…}}
// Members that only go back with the answer are kept as JSON. A question owns its text; its memory
// is bounded by the size of the body and the limits below.
// Parsing fails with malformed (no JSON), unsupported (JSON of another shape: the words say where)
// or too_large.
// Format: docs/protocols/symbolicator.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "symbolicate/rewrite_rules.h"

namespace symbolicate {

constexpr std::size_t kTraceFramesMax = 1'000'000;
constexpr std::size_t kTraceModulesMax = 100'000;
constexpr std::size_t kTraceTracesMax = 100'000;
constexpr std::size_t kTraceRegistersMax = 256;  // of one trace
constexpr std::size_t kTraceSourcesMax = 100;
// Of one source; what is matched grows with each byte.
constexpr std::size_t kTracePatternsMax = 64;
constexpr std::size_t kTracePatternSizeMax = 1024;
// Of each list of a source; a body of empty texts would take ten times its size.
constexpr std::size_t kTraceListMax = 256;
// Of each text of a source, which candidates name again and again.
constexpr std::size_t kTraceSourceTextMax = 2048;

struct TraceModule {
  std::string type;                    // "elf", "macho", "pe", …; "unknown"
  std::optional<std::string> code_id;  // lower-case hex
  std::optional<std::string> code_file;
  std::optional<std::string> debug_id;  // Breakpad's form
  std::optional<std::string> debug_file;
  std::optional<std::string> looked_for_as = {};  // instead of `debug_file`, which goes back
  std::optional<std::string> debug_checksum;
  std::uint64_t address = 0;  // 0: it has no place of its own, and addresses are relative
  std::optional<std::uint64_t> size;
};

// How somebody came upon a frame.
enum class TraceTrust : std::uint8_t { none, scan, cfi_scan, fp, cfi, prewalked, context };
std::string_view name_of(TraceTrust trust);
std::optional<TraceTrust> find_trace_trust(std::string_view name);

// Members of a frame that we only hand back, in the order in which answers have them.
enum class GivenField : std::uint8_t {
  platform,
  function_id,
  package,
  lang,
  symbol,
  sym_addr,
  function,
  filename,
  abs_path,
  lineno,
  pre_context,
  context_line,
  post_context,
  in_app,
};
constexpr std::array<std::string_view, 14> kGivenFieldNames{
    "platform", "function_id", "package", "lang",        "symbol",       "sym_addr",     "function",
    "filename", "abs_path",    "lineno",  "pre_context", "context_line", "post_context", "in_app"};

struct GivenText {
  GivenField field = GivenField::platform;
  std::uint32_t offset = 0;  // of its JSON in TraceQuestion::texts
  std::uint32_t size = 0;
};

struct TraceFrame {
  static constexpr std::uint32_t kAbsolute = 0xffffffff;
  enum class Adjust : std::uint8_t { unsaid, yes, no };

  std::uint64_t address = 0;
  std::uint32_t relative_to = kAbsolute;  // the module that the address is relative to
  std::uint32_t first_given = 0;          // in TraceQuestion::given
  std::uint8_t given_count = 0;
  Adjust adjust = Adjust::unsaid;  // whether the address is behind the call
  TraceTrust trust = TraceTrust::none;
};

struct Trace {
  std::optional<std::uint64_t> thread_id;
  std::optional<std::string> thread_name;
  std::optional<bool> is_requesting;
  std::vector<std::pair<std::string, std::uint64_t>> registers;  // by name; of the first frame
  std::size_t first_frame = 0, frame_count = 0;                  // in TraceQuestion::frames
};

// Somebody else's symbols, that the client wants to be asked for.
struct TraceSource {
  std::string id;
  std::string type;  // "http", "s3", …
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string bucket, region, endpoint, access_key, secret_key, prefix;
  std::string layout = "native", casing = "default";
  std::optional<std::vector<std::string>> filetypes;  // nothing said: all
  std::vector<std::string> path_patterns;
  bool requires_checksum = false;  // it is asked about modules that have one alone
};

struct TraceQuestion {
  std::optional<std::uint32_t> signal;
  std::vector<TraceModule> modules;
  std::vector<Trace> traces;
  std::vector<TraceFrame> frames;  // of all traces, the innermost first
  std::vector<GivenText> given;
  std::string texts;
  std::string facts;  // JSON members that go into the answer: `"crashed":true`; "" for none
  std::optional<std::vector<TraceSource>> sources;
  bool wants_candidates = false;
  bool wants_context = true;  // lines of the sources around each frame
  RewriteRules rewrites = {};
  bool is_caller_first = false;  // the frames came, and go, in the other order

  std::string_view text(const GivenText& given_text) const {
    return std::string_view(texts).substr(given_text.offset, given_text.size);
  }
  std::uint64_t memory_size() const;
};

base::Result<TraceQuestion> parse_trace_question(std::string_view body);
// The same, of ours: with a member "facts", an object.
base::Result<TraceQuestion> parse_trace_question_with_facts(std::string_view body);
// Those members of a question that come by themselves.
base::Result<void> read_trace_sources(std::string_view json, TraceQuestion& question);
base::Result<void> read_trace_options(std::string_view json, TraceQuestion& question);

base::Result<void> read_trace_rewrites(std::string_view json, TraceQuestion& question);

// The question's own rules say under which name its first module is looked for: that at the lowest
// address.
void rename_first_module(TraceQuestion& question);

// "0x1f", or decimal digits.
std::optional<std::uint64_t> find_trace_number(std::string_view text);

}  // namespace symbolicate
