// .debug_info opened for reading: the list of units, each with its compiled abbreviations and
// the facts of its first entry; and access to any entry by its offset, for references.
// Not a tree of entries: code_tree.h walks a unit once for what leads to code.
// Views point into Sections. Immutable after open(); any thread may read.
// open() never fails: what cannot be read is left out and stands in problems(). A unit whose
// header or first entry is damaged is marked unusable.
// Format: docs/formats/elf-dwarf.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/dwarf/abbrev.h"
#include "formats/dwarf/sections.h"

namespace dwarf {

constexpr int kMaxOriginDepth = 16;  // abstract origin → specification → …

// An attribute as it stands in the file. Strings and blocks: the offset of their bytes in
// .debug_info (inline) or in their section, by form.
struct Value {
  std::uint64_t number = 0;
  std::uint16_t form = 0;
};

// The attributes of one entry. value(w) is only meaningful when has(w).
class Facts {
 public:
  bool has(Want want) const { return (present_ >> static_cast<unsigned>(want) & 1u) != 0; }
  const Value& value(Want want) const { return values_[static_cast<std::size_t>(want)]; }
  void set(Want want, Value value) {
    present_ |= 1u << static_cast<unsigned>(want);
    values_[static_cast<std::size_t>(want)] = value;
  }
  void clear() { present_ = 0; }

 private:
  std::uint32_t present_ = 0;
  Value values_[kWantCount];  // uninitialised where not present
};

struct Unit {
  std::uint64_t offset = 0;  // of its header, in .debug_info
  std::uint64_t first_die = 0;
  std::uint64_t end = 0;
  std::uint64_t abbrev_offset = 0;
  Shape shape;
  std::uint16_t version = 0;
  std::uint8_t type = kUnitCompile;
  bool usable = false;
  std::uint16_t tag = 0;
  const AbbrevTable* abbrevs = nullptr;
  std::uint64_t str_offsets_base = 0;
  std::uint64_t addr_base = 0;
  std::uint64_t rnglists_base = 0;
  std::uint64_t ranges_base = 0;
  std::uint64_t low_pc = 0;  // the base of range lists
  std::optional<std::uint64_t> line_offset;
  std::string_view comp_dir;
  std::string_view name;
  std::string_view dwo_name;  // not empty: its code is described elsewhere
};

// Where a name stands: a section and a place in it. Linkers merge equal strings, so equal places
// are the cheapest way to see that two names are one; and a unit has thousands of them, so it is
// small. DebugInfo::text_of() gives the text.
class NameRef {
 public:
  enum class Section : std::uint8_t { none, str, line_str, info };
  NameRef() = default;
  NameRef(Section section, std::uint64_t offset)
      : bits_(offset << 3 | static_cast<std::uint64_t>(section)) {}

  bool empty() const { return section() == Section::none; }
  Section section() const { return static_cast<Section>(bits_ & 3); }
  std::uint64_t offset() const { return bits_ >> 3; }
  bool linkage() const { return (bits_ & 4) != 0; }
  void set_linkage() { bits_ |= 4; }

 private:
  std::uint64_t bits_ = 0;
};

class DebugInfo {
 public:
  static DebugInfo open(const Sections& sections, unsigned threads);
  DebugInfo(DebugInfo&&) = default;
  DebugInfo& operator=(DebugInfo&&) = delete;

  // Gives back the memory that walking needs. Afterwards only text_of() may be asked, and units
  // are no longer usable.
  void drop_abbrevs();

  const Sections& sections() const { return sections_; }
  const std::vector<Unit>& units() const { return units_; }
  const std::vector<Problem>& problems() const { return problems_; }
  // The unit whose entries include this offset.
  const Unit* find_unit(std::uint64_t die_offset) const;

  base::Reader reader_of(const Unit& unit) const;  // at the first entry; ends with the unit
  // Reads the attributes of the entry whose abbreviation was just read.
  void read_facts(base::Reader& r, const Unit& unit, const Abbrev& abbrev, Facts& facts) const;
  void skip_entry(base::Reader& r, const Unit& unit, const Abbrev& abbrev) const;

  std::optional<std::uint64_t> find_address(const Unit& unit, Value value) const;
  std::optional<std::uint64_t> find_reference(const Unit& unit, Value value) const;
  std::optional<std::uint64_t> find_number(Value value) const;
  NameRef find_name(const Unit& unit, Value value) const;  // empty when it is not there
  std::string_view text_of(NameRef name) const;
  std::string_view string_of(const Unit& unit, Value value) const {
    return text_of(find_name(unit, value));
  }

  // The name of the subprogram at `die_offset`: its linkage name wherever on the chain of origins
  // and specifications it stands, else the nearest plain name; empty when there is none.
  NameRef find_subprogram_name(std::uint64_t die_offset) const;

  // The entry at this offset; false when there is none.
  bool read_entry_at(std::uint64_t die_offset, const Unit*& unit, Facts& facts) const;

 private:
  DebugInfo() = default;
  void read_headers();
  base::Result<Unit> read_header(base::Reader& r) const;
  void compile_abbrevs(unsigned threads);
  void read_unit_entries();
  void report(std::uint64_t offset, std::string what);
  base::Result<void> read_unit_entry(Unit& unit) const;
  std::optional<std::uint64_t> indexed(base::Bytes table, std::uint64_t base, std::uint64_t index,
                                       unsigned width) const;

  Sections sections_;
  std::vector<Unit> units_;
  std::vector<AbbrevTable> tables_;
  std::vector<Problem> problems_;
};

}  // namespace dwarf
