#include "formats/minidump/writer.h"

#include "base/assert.h"
#include "base/text.h"

namespace minidump {

using base::Bytes;

namespace {

constexpr std::size_t kStreamAlignment = 8;
constexpr std::size_t kMemoryAlignment = 16;

std::uint32_t code_point_at(std::string_view text, std::size_t at, std::size_t length) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + i]));
  };
  switch (length) {
    case 2:
      return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
    case 3:
      return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
    case 4:
      return (byte(0) & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 |
             (byte(3) & 0x3f);
    default:
      return byte(0);
  }
}

std::vector<std::uint16_t> utf16_of(std::string_view utf8) {
  std::vector<std::uint16_t> units;
  for (std::size_t i = 0; i < utf8.size();) {
    const std::size_t length = base::utf8_length_at(utf8, i);
    std::uint32_t point = length == 0 ? 0xfffd : code_point_at(utf8, i, length);
    i += length == 0 ? 1 : length;
    if (point >= 0x10000) {
      point -= 0x10000;
      units.push_back(static_cast<std::uint16_t>(0xd800 + (point >> 10)));
      point = 0xdc00 + (point & 0x3ff);
    }
    units.push_back(static_cast<std::uint16_t>(point));
  }
  return units;
}

}  // namespace

Writer::Writer(std::size_t streams_max, std::uint32_t time_stamp) : streams_max_(streams_max) {
  u32(kSignature).u32(kVersion).u32(0).u32(kHeaderSize);
  u32(0).u32(time_stamp).u64(0);
  zeros(streams_max * kDirectoryEntrySize);
}

Writer& Writer::number(std::uint64_t value, unsigned width) {
  for (unsigned i = 0; i < width; ++i) out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  return *this;
}

void Writer::put(std::size_t offset, std::uint64_t value, unsigned width) {
  for (unsigned i = 0; i < width; ++i) {
    out_[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

Writer& Writer::zeros(std::size_t count) {
  out_.resize(out_.size() + count);
  return *this;
}

Writer& Writer::bytes(Bytes bytes) {
  out_.insert(out_.end(), bytes.begin(), bytes.end());
  return *this;
}

void Writer::align(std::size_t alignment) {
  while (out_.size() % alignment != 0) out_.push_back(0);
}

void Writer::begin_stream(std::uint32_t type) {
  ASSERT(!open_ && directory_.size() < streams_max_);
  align(kStreamAlignment);
  directory_.push_back({type, {0, here()}});
  open_ = true;
}

void Writer::end_stream() {
  ASSERT(open_);
  Location& location = directory_.back().location;
  location.size = here() - location.rva;
  open_ = false;
}

void Writer::add_stream(std::uint32_t type, Bytes content) {
  begin_stream(type);
  bytes(content);
  end_stream();
}

Writer& Writer::memory_location(std::size_t block) {
  u32(static_cast<std::uint32_t>(memory_[block].size()));
  patches_.push_back({out_.size(), block});
  return u32(0);
}

std::uint32_t Writer::utf16(std::string_view utf8) {
  ASSERT(!open_);
  align(4);
  const std::uint32_t place = here();
  const std::vector<std::uint16_t> units = utf16_of(utf8);
  u32(static_cast<std::uint32_t>(2 * units.size()));
  for (const std::uint16_t unit : units) u16(unit);
  u16(0);
  return place;
}

std::uint32_t Writer::utf8_string(std::string_view utf8) {
  ASSERT(!open_);
  align(4);
  const std::uint32_t place = here();
  const std::string text = base::to_valid_utf8(utf8);
  u32(static_cast<std::uint32_t>(text.size())).bytes(base::bytes_of(text)).u8(0);
  return place;
}

Location Writer::block(Bytes content, std::size_t alignment) {
  ASSERT(!open_);
  align(alignment);
  const Location location{static_cast<std::uint32_t>(content.size()), here()};
  bytes(content);
  return location;
}

std::size_t Writer::add_memory(Bytes content) {
  memory_.push_back(content);
  return memory_.size() - 1;
}

base::Result<std::vector<std::uint8_t>> Writer::finish() {
  ASSERT(!open_);
  align(kMemoryAlignment);
  std::vector<std::uint64_t> places;
  std::uint64_t end = out_.size();
  for (const Bytes content : memory_) {
    places.push_back(end);
    end += content.size();
  }
  if (end > 0xffffffff) {
    return base::Error{base::Fault::too_large,
                       "a minidump of " + std::to_string(end) +
                           " bytes: its parts are found by 32-bit offsets; keep less memory"};
  }
  for (const Patch& patch : patches_) put(patch.offset, places[patch.block], 4);
  put(8, directory_.size(), 4);
  for (std::size_t i = 0; i < directory_.size(); ++i) {
    const std::size_t at = kHeaderSize + i * kDirectoryEntrySize;
    put(at, directory_[i].type, 4);
    put(at + 4, directory_[i].location.size, 4);
    put(at + 8, directory_[i].location.rva, 4);
  }
  return std::move(out_);
}

}  // namespace minidump
