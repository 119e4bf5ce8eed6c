// The line table of one unit: rows in sequences, and the paths of its files.
// Rows at one address are made one: the last wins, as for every debugger. (GCC writes several
// for half of all addresses, one for each of its location views.)
// Names are views into Sections. Immutable after parse(); any thread may read.
// parse() fails with malformed or unsupported when the header cannot be read; a program that
// goes wrong later gives the rows up to there.
// Format: DWARF 5, section 6.2; DWARF 2–4, section 6.2
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/dwarf/debug_info.h"
#include "formats/dwarf/ranges.h"

namespace dwarf {

struct LineRow {
  std::uint64_t address = 0;
  std::uint32_t file = 0;  // as the unit counts: from 1 up to DWARF 4, from 0 in DWARF 5
  std::uint32_t line = 0;
};

// Rows [first, first + count) cover [start, end): each up to the next one's address.
struct LineSequence {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

class LineTable {
 public:
  // Sequences that do not begin inside `code` are dropped: linkers leave those of discarded
  // functions at 0, -1 or -2. `code` is sorted.
  static base::Result<LineTable> parse(const Sections& sections, const DebugInfo& info,
                                       const Unit& unit, std::span<const AddressRange> code);
  // The files alone, without running the program: rows() and sequences() stay empty.
  static base::Result<LineTable> parse_files(const Sections& sections, const DebugInfo& info,
                                             const Unit& unit);

  const std::vector<LineRow>& rows() const { return rows_; }
  const std::vector<LineSequence>& sequences() const { return sequences_; }  // sorted by start
  std::size_t file_count() const { return files_.size(); }
  // Directory and name joined, under the compilation directory when both are relative;
  // "" for an index that the table does not have.
  std::string path_of(std::uint64_t file) const;
  // Of the file's content when it was compiled (DWARF 5, clang); empty when the table has none.
  base::Bytes md5_of(std::uint64_t file) const;
  std::uint64_t program_size() const { return program_size_; }

 private:
  friend class LineReader;
  struct File {
    std::string_view name;
    std::uint64_t directory = 0;
    base::Bytes md5;
  };

  std::vector<LineRow> rows_;
  std::vector<LineSequence> sequences_;
  std::vector<std::string_view> directories_;
  std::vector<File> files_;
  std::string_view comp_dir_;
  bool from_zero_ = false;  // DWARF 5
  std::uint64_t program_size_ = 0;
};

// The number of bytes of the table at `offset`: what decoding it may cost. 0 when unreadable.
std::uint64_t line_table_size(const Sections& sections, std::uint64_t offset);

bool is_in(std::span<const AddressRange> sorted, std::uint64_t address);

}  // namespace dwarf
