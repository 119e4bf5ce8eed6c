// Puts bytes together by hand, with labels: for inputs that no compiler would emit.
// It knows none of our layouts, on purpose: a wrong layout cannot approve itself.
//
//   Assembler a;
//   Label data;
//   a.u32(0x12345678).u32(data).c_string("name").mark(data).u64(1);
//   std::vector<uint8_t> bytes = a.finish();
//
// A label is a number known later: the offset where it was marked, plus the assembler's base.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace testing_support {

class Label {
 public:
  Label() : value_(std::make_shared<std::optional<std::uint64_t>>()) {}
  void set(std::uint64_t value) const { *value_ = value; }
  std::uint64_t must_value() const;

 private:
  std::shared_ptr<std::optional<std::uint64_t>> value_;
};

class Assembler {
 public:
  explicit Assembler(base::Endian endian = base::Endian::little, std::uint64_t base_offset = 0)
      : endian_(endian), base_offset_(base_offset) {}

  Assembler& u8(std::uint64_t value) { return number(value, 1); }
  Assembler& u16(std::uint64_t value) { return number(value, 2); }
  Assembler& u32(std::uint64_t value) { return number(value, 4); }
  Assembler& u64(std::uint64_t value) { return number(value, 8); }
  Assembler& u8(const Label& label) { return number(label, 1); }
  Assembler& u16(const Label& label) { return number(label, 2); }
  Assembler& u32(const Label& label) { return number(label, 4); }
  Assembler& u64(const Label& label) { return number(label, 8); }
  Assembler& uleb(std::uint64_t value);
  Assembler& sleb(std::int64_t value);
  Assembler& c_string(std::string_view text);  // with its zero
  Assembler& utf16(std::string_view ascii);    // without length or zero
  Assembler& bytes(base::Bytes bytes);
  Assembler& repeat(std::uint8_t byte, std::size_t count);
  Assembler& align(std::size_t alignment, std::uint8_t fill = 0);
  Assembler& mark(const Label& label);
  Assembler& append(const std::vector<std::uint8_t>& other) { return bytes(other); }

  std::uint64_t here() const { return base_offset_ + data_.size(); }
  std::vector<std::uint8_t> finish();

 private:
  struct Patch {
    std::size_t offset;
    unsigned width;
    Label label;
  };
  Assembler& number(std::uint64_t value, unsigned width);
  Assembler& number(const Label& label, unsigned width);
  void put(std::size_t offset, std::uint64_t value, unsigned width);

  base::Endian endian_;
  std::uint64_t base_offset_;
  std::vector<std::uint8_t> data_;
  std::vector<Patch> patches_;
};

}  // namespace testing_support
