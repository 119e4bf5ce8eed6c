#include <cstddef>
#include <cstdint>

#include "base/assert.h"
#include "formats/breakpad/sym_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const auto reading : {breakpad::Reading::kStrict, breakpad::Reading::kLenient}) {
    const breakpad::SymFile file = breakpad::read({data, size}, reading);
    ASSERT(!file.corrupt || file.parts.empty());
    for (const breakpad::Part& part : file.parts) {
      for (const breakpad::Func& func : part.functions) {
        ASSERT(func.first_line + func.line_count <= part.lines.size());
        ASSERT(func.first_inline + func.inline_count <= part.inlines.size());
      }
      for (const breakpad::InlineRecord& record : part.inlines) {
        ASSERT(record.first_range + record.range_count <= part.inline_ranges.size());
      }
      for (const breakpad::CfiInit& init : part.cfi_inits) {
        ASSERT(init.first_row + init.row_count <= part.cfi_rows.size());
      }
    }
  }
  return 0;
}
