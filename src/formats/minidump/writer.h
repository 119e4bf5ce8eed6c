// Puts a minidump together: header and directory, streams one after the other, strings and blocks
// that streams point to, and memory that follows at the very end of the file.
// Not a converter: minidump_from_snapshot.h decides what goes in.
// Grows one buffer; memory blocks are not copied. A Writer belongs to one thread.
// Nothing fails until finish(), which fails with too_large past 4 GiB.
// Format: docs/formats/minidump.md
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/minidump/minidump.h"

namespace minidump {

class Writer {
 public:
  Writer(std::size_t streams_max, std::uint32_t time_stamp);

  // A stream: begin, numbers, end. Strings and blocks are not written while one is open: write
  // them before and keep their place.
  void begin_stream(std::uint32_t type);
  void end_stream();
  void add_stream(std::uint32_t type, base::Bytes bytes);

  Writer& u8(std::uint8_t value) { return number(value, 1); }
  Writer& u16(std::uint16_t value) { return number(value, 2); }
  Writer& u32(std::uint32_t value) { return number(value, 4); }
  Writer& u64(std::uint64_t value) { return number(value, 8); }
  Writer& zeros(std::size_t count);
  Writer& bytes(base::Bytes bytes);
  Writer& location(Location location) { return u32(location.size).u32(location.rva); }
  // The location of a memory block, known only at the end.
  Writer& memory_location(std::size_t block);

  // Each gives the place of what it wrote. REQUIRES: no stream is open.
  std::uint32_t utf16(std::string_view utf8);        // MINIDUMP_STRING
  std::uint32_t utf8_string(std::string_view utf8);  // Crashpad's
  Location block(base::Bytes bytes, std::size_t alignment = 4);

  // Memory to follow at the end: its number. Only the size counts until the file is written.
  std::size_t add_memory(base::Bytes bytes);

  std::uint32_t here() const { return static_cast<std::uint32_t>(out_.size()); }

  // Settles directory and memory places. Afterwards the writer is spent.
  base::Result<std::vector<std::uint8_t>> finish();
  const std::vector<base::Bytes>& memory() const { return memory_; }

 private:
  struct Patch {
    std::size_t offset;
    std::size_t block;
  };
  Writer& number(std::uint64_t value, unsigned width);
  void put(std::size_t offset, std::uint64_t value, unsigned width);
  void align(std::size_t alignment);

  std::vector<std::uint8_t> out_;
  std::size_t streams_max_;
  std::vector<DirectoryEntry> directory_;
  std::vector<base::Bytes> memory_;
  std::vector<Patch> patches_;
  bool open_ = false;
};

}  // namespace minidump
