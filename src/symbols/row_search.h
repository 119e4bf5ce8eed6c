// The rows of an open index: which function, inline node, file and line hold an address.
// RowSearch keeps the place of its last answer, so that ascending addresses are found by walking
// on; any order is right. One thread each; the IndexFile is shared and must outlive it.
// A damaged block finds nothing.
// Format: docs/formats/symbol-index.md, "Rows"
#pragma once

#include <cstdint>

#include "symbols/index_file.h"

namespace symbols {

struct Row {
  std::uint32_t function = 0;  // for a hole: the last function before it
  std::uint32_t node = 0;      // within the function; 0 is the function itself
  std::uint32_t file = 0;      // file + 1; 0 is unknown
  std::uint32_t line = 0;
  bool has_line = false;
  bool hole = true;
  friend bool operator==(const Row&, const Row&) = default;
};

class RowSearch {
 public:
  explicit RowSearch(const IndexFile& file) : file_(file) {}

  enum class Found : std::uint8_t { kRow, kBeforeAll, kDamaged };
  // After kRow, row() is what covers the address, perhaps a hole.
  Found find(std::uint64_t rva);
  const Row& row() const { return row_; }
  std::uint64_t row_start() const { return address_; }

  // Hints for an address that will be asked for soon: each brings near what the next one reads.
  // Random addresses wait for memory at every step; three addresses on their way wait together.
  void bring_bucket(std::uint64_t rva) const;
  void bring_block(std::uint64_t rva) const;
  void bring_rows(std::uint64_t rva) const;

 private:
  bool open_block(std::uint64_t rva);
  std::uint64_t block_of(std::uint64_t rva) const;
  bool read_row();
  void read_special();
  std::uint64_t uleb() {
    if (end_ - at_ < 2) return uleb_slowly();
    const std::uint64_t first = at_[0], second = at_[1];
    if (first < 0x80) {
      ++at_;
      return first;
    }
    if (second >= 0x80) return uleb_slowly();
    at_ += 2;
    return (first & 0x7f) | second << 7;
  }
  std::uint64_t uleb_slowly();

  const IndexFile& file_;
  Row row_;
  std::uint64_t address_ = 0;       // where row_ begins
  std::uint64_t next_address_ = 0;  // where the row after it begins, if next_known_
  std::uint64_t next_control_ = 0;
  std::uint64_t block_start_ = 1;  // [block_start_, block_end_) is the block at hand
  std::uint64_t block_end_ = 0;
  bool has_next_ = false;
  bool failed_ = false;
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
};

}  // namespace symbols
