// Call frame information: .eh_frame and .debug_frame, as entries and as rows of rules.
// Not rule text: extract/symbols_from_frames.h writes that, since register names are the target's.
// Entries keep views into the section. Immutable after parse(); any thread may read.
// Nothing fails as a whole: a damaged entry is left out and stands in problems(); an entry whose
// program goes wrong gives the rows up to there.
// Format: DWARF 5, section 6.4; Linux Standard Base, "Exception Frames"
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/bytes.h"
#include "formats/dwarf/sections.h"

namespace dwarf {

constexpr std::uint32_t kMaxRegister = 34;  // rules of higher registers (vectors) are not kept

struct FrameSection {
  base::Bytes bytes;
  std::uint64_t address = 0;  // of the section: pc-relative pointers need it
  base::Endian endian = base::Endian::little;
  std::uint8_t address_size = 8;
  bool is_eh_frame = true;
};

// What is common to many entries.
struct FrameCommon {
  std::uint64_t code_align = 1;
  std::int64_t data_align = 1;
  std::uint32_t return_register = 0;
  std::uint8_t pointer_encoding = 0;  // DW_EH_PE_…
  std::uint8_t address_size = 8;
  bool has_augmentation = false;
  bool signal = false;
  base::Bytes program;
};

struct FrameEntry {
  std::uint64_t start = 0;
  std::uint64_t size = 0;
  std::uint32_t common = 0;  // index into FrameTable::commons()
  base::Bytes program;
};

struct FrameRule {
  enum class Kind : std::uint8_t {
    unspecified,  // nothing was said: callee-saved registers keep their value
    undefined,
    same_value,
    offset,           // saved at CFA + offset
    value_offset,     // is CFA + offset
    register_offset,  // is register + offset: how the CFA is said
    register_,        // is in another register
    expression,       // saved at what the expression gives
    value_expression,
  };
  Kind kind = Kind::unspecified;
  std::uint32_t reg = 0;
  std::int64_t offset = 0;
  base::Bytes expression;
  bool operator==(const FrameRule& other) const;
};

struct FrameRow {
  std::uint64_t address = 0;
  FrameRule cfa;  // register_offset or value_expression
  std::array<FrameRule, kMaxRegister> registers;
};

class FrameTable {
 public:
  static FrameTable parse(const FrameSection& section);

  const std::vector<FrameEntry>& entries() const { return entries_; }  // sorted by start
  const std::vector<FrameCommon>& commons() const { return commons_; }
  const std::vector<Problem>& problems() const { return problems_; }
  base::Endian endian() const { return section_.endian; }

  // Calls `row` for each place in the entry where rules change, in order. `scratch` is the row's
  // memory, given by the caller since it is large.
  void run(const FrameEntry& entry, FrameRow& scratch,
           const std::function<void(const FrameRow&)>& row) const;

 private:
  friend class FrameReader;
  FrameSection section_;
  std::vector<FrameEntry> entries_;
  std::vector<FrameCommon> commons_;
  std::vector<Problem> problems_;
};

}  // namespace dwarf
