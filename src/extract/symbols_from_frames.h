// Call frame information → Breakpad's STACK CFI: one INIT for each entry and one row for each
// place where a rule changes.
// .eh_frame and .debug_frame may both be there and overlap; the first given wins.
// Expressions become postfix where Breakpad's operators can say the same (those of the PLT
// can). A row that cannot be said ends its INIT range, and the next one that can begins another.
// Entries are converted in parallel; output does not depend on the number of threads.
// Two steps, so that the first can run beside the work on functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extract/extract.h"
#include "formats/dwarf/frames.h"
#include "formats/dwarf/ranges.h"

namespace extract {

// Registers by DWARF number, as Breakpad writes them: "$rsp", "x29"; "" for those it lacks.
struct RegisterNames {
  std::span<const std::string_view> names;
  std::string_view name_of(std::uint32_t reg) const { return reg < names.size() ? names[reg] : ""; }
};
// By MODULE's word for the architecture; empty for those whose unwinding we do not know.
RegisterNames register_names(std::string_view arch);

struct FramesInput {
  const dwarf::FrameTable& table;
  RegisterNames registers;
  std::span<const dwarf::AddressRange> code;  // sorted
  std::uint64_t image_base = 0;
};

// Rules as text, before they have a place in a model.
struct FrameRules {
  struct Piece {
    std::vector<symbols::CfiRange> ranges;  // rules: into texts
    std::vector<symbols::CfiRow> rows;
    std::vector<std::string> texts;
  };
  std::vector<Piece> pieces;
};
FrameRules convert_frames(const FramesInput& input, unsigned threads);
void add_frames(const FrameRules& rules, symbols::Model& model);

// One rule as text, without its "target: "; "" when Breakpad cannot say it.
std::string rule_text(const dwarf::FrameRule& rule, const RegisterNames& registers,
                      base::Endian endian, std::uint8_t address_size);
// A DWARF expression as Breakpad postfix, "" when it cannot be said. `with_cfa`: the CFA is on
// the stack at the start.
std::string postfix_of(base::Bytes expression, const RegisterNames& registers, bool with_cfa,
                       base::Endian endian, std::uint8_t address_size);

}  // namespace extract
