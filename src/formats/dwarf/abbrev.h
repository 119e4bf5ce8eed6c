// Abbreviation tables, compiled for walking: how to pass over an entry, and where the few
// attributes stand that lead to code.
// An ordinary C++ unit has 400 kinds of entry, and only a dozen of them lead to code; the others
// are passed over, most by one addition. Sizes depend on the unit's header, so a table is
// compiled for a Shape.
// Immutable after compile(); any thread may read. Fails with malformed; a table ends at its zero
// or at `end`, so that no byte of the section is compiled twice for one shape.
// Format: DWARF 5, section 7.5.3
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/dwarf/constants.h"

namespace dwarf {

// What sizes depend on.
struct Shape {
  std::uint8_t address_size = 8;
  std::uint8_t offset_size = 8;    // 4, or 8 in DWARF64
  std::uint8_t ref_addr_size = 8;  // an address in DWARF 2, an offset later
  friend bool operator==(const Shape&, const Shape&) = default;
  friend auto operator<=>(const Shape&, const Shape&) = default;
};

// The attributes that we read. The order is that of Facts.
enum class Want : std::uint8_t {
  name,
  linkage_name,
  low_pc,
  high_pc,
  ranges,
  abstract_origin,
  specification,
  call_file,
  call_line,
  declaration,
  sibling,
  stmt_list,
  comp_dir,
  str_offsets_base,
  addr_base,
  rnglists_base,
  gnu_ranges_base,
  dwo_name,
  nothing,
};
constexpr std::size_t kWantCount = static_cast<std::size_t>(Want::nothing);

// What the walk does with an entry.
enum class Role : std::uint8_t {
  pass,       // not code, but children may be
  leave_out,  // no code beneath: jump to the sibling when it says where that is
  unit,
  subprogram,
  inlined,
};

// Small, since a C++ program has a hundred thousand of the first and a million of the second.
struct Step {
  static constexpr std::uint8_t kConstant = 0xff;
  std::uint16_t form = 0;  // 0: a run of `size` bytes
  Want want = Want::nothing;
  std::uint8_t width = 0;  // of a wanted number: 1, 2, 4, 8, or kConstant; 0 when it varies
  std::uint32_t size = 0;  // of a run; of kConstant: index into the table's constants
};

struct Abbrev {
  std::uint32_t code = 0;
  std::uint32_t fixed_size = 0;
  std::int32_t sibling_offset =
      -1;  // where the sibling's 4-byte reference stands, if at a fixed place
  std::uint32_t first_step = 0, step_count = 0;
  std::uint16_t tag = 0;
  Role role : 4 = Role::pass;
  bool children : 1 = false;
  bool fixed : 1 = false;  // the whole entry has `fixed_size` bytes
};

class AbbrevTable {
 public:
  static base::Result<AbbrevTable> compile(base::Bytes section, std::uint64_t offset,
                                           std::uint64_t end, Shape shape, base::Endian endian);

  const Abbrev* find(std::uint64_t code) const {
    if (code - 1 < abbrevs_.size() && abbrevs_[code - 1].code == code) [[likely]] {
      return &abbrevs_[code - 1];
    }
    return find_slow(code);
  }
  const Step* steps(const Abbrev& abbrev) const { return steps_.data() + abbrev.first_step; }
  std::uint64_t constant_of(const Step& step) const { return constants_[step.size]; }

 private:
  const Abbrev* find_slow(std::uint64_t code) const;
  base::Result<void> compile_one(base::Reader& r, std::uint64_t code, Shape shape);

  std::vector<Abbrev> abbrevs_;  // sorted by code
  std::vector<Step> steps_;
  std::vector<std::uint64_t> constants_;  // implicit ones
};

// The size of a form whose size does not depend on the data.
std::optional<std::uint32_t> find_fixed_size(std::uint64_t form, Shape shape);
// Passes over one value; fails the reader for a form that nobody knows.
void skip_value(base::Reader& r, std::uint64_t form, Shape shape);

}  // namespace dwarf
