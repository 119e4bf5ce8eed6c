// Reads a Breakpad symbol file (.sym text) into records: functions, lines, inlined calls, publics,
// unwind rules. Not a converter: extract/symbols_from_breakpad.h turns them into symbols.
// Views point into the text given to read(); keep it alive. Records stand in file order, cut into
// parts that were read side by side; numbers such as first_line count within their part.
// Immutable after read(); any thread may look.
// Strict reading never fails: one bad line makes the whole file corrupt, as rust-minidump decides
// it, and `problem` says which. Lenient reading skips bad lines and also takes the older INLINE, a
// byte order mark, and UTF-16 behind one.
// Format: docs/formats/breakpad-sym.md
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace breakpad {

// A longer line is passed over without a word, in both readings.
constexpr std::size_t kMaxLineSize = 160 * 1024;

enum class Reading : unsigned char { kStrict, kLenient };

struct Named {  // FILE and INLINE_ORIGIN
  std::uint32_t number = 0;
  std::string_view name;
  bool operator==(const Named&) const = default;
};

struct Func {
  std::uint64_t address = 0;
  std::uint32_t size = 0;
  std::uint32_t parameter_size = 0;
  std::string_view name;
  std::uint32_t first_line = 0;
  std::uint32_t line_count = 0;
  std::uint32_t first_inline = 0;
  std::uint32_t inline_count = 0;
  bool multiple = false;
  bool operator==(const Func&) const = default;
};

struct LineRecord {
  std::uint64_t address = 0;
  std::uint32_t size = 0;
  std::uint32_t line = 0;
  std::uint32_t file = 0;
  bool operator==(const LineRecord&) const = default;
};

struct InlineRecord {
  std::uint32_t depth = 0;
  std::uint32_t call_line = 0;
  std::uint32_t call_file = 0;  // kNoNumber in the older dialect
  std::uint32_t origin = 0;
  std::uint32_t first_range = 0;
  std::uint32_t range_count = 0;
  bool operator==(const InlineRecord&) const = default;
};
constexpr std::uint32_t kNoNumber = 0xffffffff;

struct RangeRecord {
  std::uint64_t address = 0;
  std::uint32_t size = 0;
  bool operator==(const RangeRecord&) const = default;
};

struct PublicRecord {
  std::uint64_t address = 0;
  std::uint32_t parameter_size = 0;
  std::string_view name;
  bool multiple = false;
  bool operator==(const PublicRecord&) const = default;
};

struct CfiInit {
  std::uint64_t address = 0;
  std::uint32_t size = 0;
  std::string_view rules;
  std::uint32_t first_row = 0;
  std::uint32_t row_count = 0;
  bool operator==(const CfiInit&) const = default;
};

struct CfiRow {
  std::uint64_t address = 0;
  std::string_view rules;
  bool operator==(const CfiRow&) const = default;
};

struct StackWin {  // type 4 or 0; records that contradict themselves are left out
  std::uint32_t type = 0;
  std::uint64_t address = 0;
  std::uint32_t sizes[7] = {};  // code, prologue, epilogue, parameters, saved, locals, max stack
  std::string_view program;     // of type 4
  bool allocates_base_pointer = false;
  bool operator==(const StackWin&) const = default;
};

struct Part {
  std::vector<Named> files;
  std::vector<Named> origins;
  std::vector<Func> functions;
  std::vector<LineRecord> lines;
  std::vector<InlineRecord> inlines;
  std::vector<RangeRecord> inline_ranges;
  std::vector<PublicRecord> publics;
  std::vector<CfiInit> cfi_inits;
  std::vector<CfiRow> cfi_rows;
  std::vector<StackWin> stack_win;
  std::vector<std::string_view> infos;  // without "INFO "
  std::string_view url;                 // of INFO URL
  bool has_url = false;
  bool operator==(const Part&) const = default;
};

struct Module {
  std::string_view os;
  std::string_view cpu;
  std::string_view id;
  std::string_view name;
  bool operator==(const Module&) const = default;
};

struct SymFile {
  bool has_module = false;
  Module module;  // kept when the file is corrupt
  bool corrupt = false;
  std::string problem;                           // why: the line's number and its beginning
  std::uint64_t skipped_lines = 0;               // lenient only
  bool older_inlines = false;                    // lenient only: INLINE without call files was seen
  std::vector<Part> parts;                       // empty when corrupt
  std::shared_ptr<const std::string> last_line;  // lenient: completed; some views are into it
  std::shared_ptr<const std::string> converted;  // lenient, of UTF-16: the other views are into it
};

SymFile read(base::Bytes text, Reading reading = Reading::kStrict, unsigned threads = 1);

}  // namespace breakpad
