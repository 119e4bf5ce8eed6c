// Records of up to eight unsigned numbers, each in as many bits as the largest needs.
//   u64 count, u8 width[8], then `count` records of whole bytes, then 16 zero bytes.
// A record's fields follow each other from the lowest bit of its first byte. A width of 0 means
// that the field is 0 in every record.
// PackedTable views bytes that the caller keeps alive; open() finds nothing when the count or
// the widths do not fit the bytes. get() REQUIRES index < count(); it knows no page checks.
// Immutable; any thread.
// Format: docs/formats/symbol-index.md, "Packed tables"
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"

namespace symbols {

constexpr unsigned kMaxPackedFields = 8;
constexpr std::size_t kPackedHeadSize = 16;
constexpr std::size_t kPackedTailSize = 16;

class PackedTable {
 public:
  PackedTable() = default;

  static std::optional<PackedTable> open(base::Bytes bytes) {
    if (bytes.size() < kPackedHeadSize + kPackedTailSize) return std::nullopt;
    PackedTable table;
    std::memcpy(&table.count_, bytes.data(), 8);
    unsigned bits = 0;
    for (unsigned i = 0; i < kMaxPackedFields; ++i) {
      const unsigned width = bytes[8 + i];
      if (width > 64) return std::nullopt;
      table.fields_[i] = {bits, width, width == 64 ? ~0ull : (1ull << width) - 1};
      bits += width;
    }
    table.stride_ = (bits + 7) / 8;
    const std::uint64_t room = bytes.size() - kPackedHeadSize - kPackedTailSize;
    // A table of zeros only takes no room, so its count needs a bound of its own.
    if (table.stride_ == 0 ? table.count_ > 0xffffffff : table.count_ > room / table.stride_) {
      return std::nullopt;
    }
    table.records_ = bytes.data() + kPackedHeadSize;
    return table;
  }

  std::uint64_t count() const { return count_; }
  std::size_t stride() const { return stride_; }
  const std::uint8_t* record(std::uint64_t index) const { return records_ + index * stride_; }

  std::uint64_t get(std::uint64_t index, unsigned field) const {
    return field_of(record(index), field);
  }
  std::uint64_t field_of(const std::uint8_t* record, unsigned field) const {
    const Field& f = fields_[field];
    const std::uint8_t* const at = record + (f.offset >> 3);
    const unsigned shift = f.offset & 7;
    std::uint64_t value;
    std::memcpy(&value, at, 8);
    value >>= shift;
    if (f.width + shift > 64) [[unlikely]]
      value |= std::uint64_t{at[8]} << (64 - shift);
    return value & f.mask;
  }
  // The number of records, counted from the start, whose field is ≤ value.
  // REQUIRES: the field does not decrease (else the answer is some number ≤ count()).
  std::uint64_t upper_bound(std::uint64_t value, unsigned field) const {
    std::uint64_t low = 0;
    std::uint64_t left = count_;
    while (left > 0) {
      const std::uint64_t half = left / 2;
      if (get(low + half, field) <= value) {
        low += half + 1;
        left -= half + 1;
      } else {
        left = half;
      }
    }
    return low;
  }

 private:
  struct Field {
    unsigned offset = 0;
    unsigned width = 0;
    std::uint64_t mask = 0;
  };
  const std::uint8_t* records_ = nullptr;
  std::uint64_t count_ = 0;
  std::size_t stride_ = 0;
  std::array<Field, kMaxPackedFields> fields_{};
};

// Widths from the largest value of each field, then records in any order.
class PackedWriter {
 public:
  // `ored` holds, for each field, the bitwise or of all its values.
  PackedWriter(std::uint64_t count, std::span<const std::uint64_t> ored) {
    ASSERT(ored.size() <= kMaxPackedFields);
    unsigned bits = 0;
    for (unsigned i = 0; i < ored.size(); ++i) {
      widths_[i] = static_cast<std::uint8_t>(std::bit_width(ored[i]));
      offsets_[i] = bits;
      bits += widths_[i];
    }
    stride_ = (bits + 7) / 8;
    bytes_.resize(kPackedHeadSize + count * stride_ + kPackedTailSize);
    std::memcpy(bytes_.data(), &count, 8);
    std::memcpy(bytes_.data() + 8, widths_.data(), kMaxPackedFields);
  }

  // Different records may be set by different threads only if they were put in disjoint ranges
  // with put_range's rule: a record writes to its own bytes alone.
  void put(std::uint64_t index, std::span<const std::uint64_t> values) {
    std::uint8_t* const record = bytes_.data() + kPackedHeadSize + index * stride_;
    for (unsigned i = 0; i < values.size(); ++i) {
      if (widths_[i] == 0) continue;
      put_bits(record, offsets_[i], widths_[i], values[i]);
    }
  }
  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  static void put_bits(std::uint8_t* record, unsigned offset, unsigned width, std::uint64_t value) {
    std::uint8_t* at = record + (offset >> 3);
    unsigned shift = offset & 7;
    unsigned left = width;
    while (left > 0) {
      *at = static_cast<std::uint8_t>(*at | (value << shift));
      const unsigned taken = 8 - shift;
      if (left <= taken) break;
      value >>= taken;
      left -= taken;
      shift = 0;
      ++at;
    }
  }

  std::array<std::uint8_t, kMaxPackedFields> widths_{};
  std::array<unsigned, kMaxPackedFields> offsets_{};
  std::size_t stride_ = 0;
  std::vector<std::uint8_t> bytes_;
};

}  // namespace symbols
