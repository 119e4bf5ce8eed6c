#include "testing/assembler.h"

namespace testing_support {

std::uint64_t Label::must_value() const {
  ASSERT(value_->has_value());
  return **value_;
}

void Assembler::put(std::size_t offset, std::uint64_t value, unsigned width) {
  for (unsigned i = 0; i < width; ++i) {
    const unsigned shift = 8 * (endian_ == base::Endian::little ? i : width - 1 - i);
    data_[offset + i] = static_cast<std::uint8_t>(value >> shift);
  }
}

Assembler& Assembler::number(std::uint64_t value, unsigned width) {
  data_.resize(data_.size() + width);
  put(data_.size() - width, value, width);
  return *this;
}

Assembler& Assembler::number(const Label& label, unsigned width) {
  patches_.push_back({data_.size(), width, label});
  return number(std::uint64_t{0}, width);
}

Assembler& Assembler::uleb(std::uint64_t value) {
  do {
    std::uint8_t byte = value & 0x7f;
    value >>= 7;
    if (value != 0) byte |= 0x80;
    data_.push_back(byte);
  } while (value != 0);
  return *this;
}

Assembler& Assembler::sleb(std::int64_t value) {
  for (bool more = true; more;) {
    std::uint8_t byte = static_cast<std::uint8_t>(value & 0x7f);
    value >>= 7;
    more = !((value == 0 && (byte & 0x40) == 0) || (value == -1 && (byte & 0x40) != 0));
    if (more) byte |= 0x80;
    data_.push_back(byte);
  }
  return *this;
}

Assembler& Assembler::c_string(std::string_view text) {
  bytes(base::bytes_of(text));
  return u8(0);
}

Assembler& Assembler::utf16(std::string_view ascii) {
  for (const char c : ascii) u16(static_cast<unsigned char>(c));
  return *this;
}

Assembler& Assembler::bytes(base::Bytes bytes) {
  data_.insert(data_.end(), bytes.begin(), bytes.end());
  return *this;
}

Assembler& Assembler::repeat(std::uint8_t byte, std::size_t count) {
  data_.insert(data_.end(), count, byte);
  return *this;
}

Assembler& Assembler::align(std::size_t alignment, std::uint8_t fill) {
  while (data_.size() % alignment != 0) data_.push_back(fill);
  return *this;
}

Assembler& Assembler::mark(const Label& label) {
  label.set(here());
  return *this;
}

std::vector<std::uint8_t> Assembler::finish() {
  for (const Patch& patch : patches_) put(patch.offset, patch.label.must_value(), patch.width);
  patches_.clear();
  return data_;
}

}  // namespace testing_support
