// The neutral symbols of one module: what every debug format becomes, and what every writer
// (.sym text, symbol index) is made from.
// Not for lookup: symbols/map.h searches the index made from this.
// A Model owns its vectors; its strings are views kept alive by StringTable. Places are relative
// to the image base (RVA). One Function per contiguous range; the ranges of a split function
// share a `group`. Filled by one thread at a time, then immutable.
// Order is the writer's business: a Model need not be sorted, and functions may overlap. The
// index writer applies the overlap rules (docs/formats/symbol-index.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ident/debug_id.h"

namespace symbols {

using StringId = std::uint32_t;  // index into Model::strings; 0 is the empty text
using FileId = std::uint32_t;    // index into Model::files, or kNoFile
constexpr FileId kNoFile = 0xffffffff;
constexpr StringId kNoName = 0xffffffff;  // an inlined call of an unknown function: no frame

class StringTable {
 public:
  StringTable();
  StringId intern(std::string_view text);    // copies a text the first time it is seen
  StringId add_view(std::string_view text);  // no copy, no search; see keep_alive()
  void keep_alive(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }
  std::string_view operator[](StringId id) const { return views_[id]; }
  std::size_t size() const { return views_.size(); }
  void reserve(std::size_t count) { views_.reserve(count); }

 private:
  std::vector<std::string_view> views_;
  std::unordered_map<std::string_view, StringId> ids_;  // of interned texts only
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_left_ = 0;
  char* block_at_ = nullptr;
  std::vector<std::shared_ptr<const void>> owners_;
};

struct Range {
  std::uint64_t rva = 0;
  std::uint32_t size = 0;
};

// A run of code that comes from one line of one file: the innermost location.
struct Line {
  std::uint64_t rva = 0;
  std::uint32_t size = 0;
  std::uint32_t line = 0;  // 0: the compiler gave none
  FileId file = kNoFile;
};

// One inlined call inside a function. Depth 0 was inlined into the function itself; sites stand
// in preorder. call_file and call_line are in the parent frame.
struct InlineSite {
  StringId name = 0;
  FileId call_file = kNoFile;
  std::uint32_t call_line = 0;
  std::uint32_t depth = 0;
  std::uint32_t first_range = 0;  // into Model::inline_ranges
  std::uint32_t range_count = 0;
};

struct Function {
  std::uint64_t rva = 0;
  std::uint32_t size = 0;
  std::uint32_t parameter_size = 0;
  StringId name = 0;     // demangled
  StringId mangled = 0;  // as the linker knows it; 0 when there is none or it is not known
  std::uint32_t group = 0;
  std::uint32_t first_line = 0;  // into Model::lines
  std::uint32_t line_count = 0;
  std::uint32_t first_inline = 0;  // into Model::inlines
  std::uint32_t inline_count = 0;
  bool multiple = false;  // other names have the same range (identical code folding): `m`
};

// A name without extent, from a symbol table.
struct Public {
  std::uint64_t rva = 0;
  std::uint32_t parameter_size = 0;
  StringId name = 0;
  StringId mangled = 0;
  bool multiple = false;
};

// Unwind rules as Breakpad writes them: ".cfa: $rsp 8 + .ra: .cfa -8 + ^".
struct CfiRow {
  std::uint64_t rva = 0;
  StringId rules = 0;  // only what changes at this place
};

struct CfiRange {
  std::uint64_t rva = 0;
  std::uint32_t size = 0;
  StringId rules = 0;           // STACK CFI INIT
  std::uint32_t first_row = 0;  // into Model::cfi_rows
  std::uint32_t row_count = 0;
};

struct StackWin {
  std::uint32_t type = 0;  // 4: frame data (has a program), 0: FPO
  std::uint64_t rva = 0;
  std::uint32_t size = 0;
  std::uint32_t prolog_size = 0;
  std::uint32_t epilog_size = 0;
  std::uint32_t parameter_size = 0;
  std::uint32_t saved_register_size = 0;
  std::uint32_t local_size = 0;
  std::uint32_t max_stack_size = 0;
  StringId program = 0;
  bool allocates_base_pointer = false;
};

struct ModuleInfo {
  std::string os;    // "Linux", "mac", "windows", as in a MODULE record
  std::string arch;  // "x86_64", "arm64", …
  ident::DebugId debug_id;
  std::string code_id;    // lower-case hex; "" when there is none
  std::string code_file;  // the image's name where the debug file has another: "xul.dll", or ""
  std::string name;       // file name for ELF, PDB name for Windows; no directory
  std::vector<std::string> extra_info;  // INFO records other than CODE_ID, without "INFO "
  std::string symbol_url;               // INFO URL
  // The strict reader refuses the text. What a lenient one finds in it is there all the same: a
  // walker must not use it, as rust-minidump does not; who only looks up names may.
  bool corrupt = false;
};

struct Model {
  ModuleInfo info;
  StringTable strings;
  std::vector<StringId> files;  // FileId → path
  std::vector<Function> functions;
  std::vector<Line> lines;
  std::vector<InlineSite> inlines;
  std::vector<Range> inline_ranges;
  std::vector<Public> publics;
  std::vector<CfiRange> cfi_ranges;
  std::vector<CfiRow> cfi_rows;
  std::vector<StackWin> stack_win;
};

}  // namespace symbols
