// A minidump opened for reading: header, directory, and checked access to streams and strings.
// Not the streams' contents: streams.h reads those; snapshot_from_minidump.h makes a crash of it.
// Views point into the bytes given to open(); keep those alive.
// Immutable after open(); any thread may read, except that find_string functions draw on a
// budget (kMaxStringsTotal): one thread at a time for these.
// open() fails with malformed (too_large for too many streams); the error starts with the name that
// minidump-stackwalk prints: MissingHeader, HeaderMismatch, VersionMismatch, MissingDirectory.
// Format: docs/formats/minidump.md
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/minidump/minidump_format.h"

namespace minidump {

// MINIDUMP_LOCATION_DESCRIPTOR: bytes somewhere in the file.
struct Location {
  std::uint32_t size = 0;
  std::uint32_t rva = 0;
};

struct DirectoryEntry {
  std::uint32_t type = 0;
  Location location;
};

class Minidump {
 public:
  static base::Result<Minidump> open(base::Bytes file);

  base::Endian endian() const { return endian_; }
  std::uint32_t time_stamp() const { return time_stamp_; }
  const std::vector<DirectoryEntry>& directory() const { return directory_; }

  // The last entry of this type, as the field reads it. Nothing when there is none.
  const DirectoryEntry* find_entry(std::uint32_t type) const;
  // The bytes of a stream; nothing when absent or not all in the file.
  std::optional<base::Bytes> find_stream(std::uint32_t type) const;

  std::optional<base::Bytes> find_bytes(Location location) const;
  std::optional<base::Bytes> find_bytes(std::uint64_t rva, std::uint64_t size) const;
  base::Reader reader(base::Bytes bytes) const { return base::Reader(bytes, endian_); }

  // MINIDUMP_STRING: a length in bytes, then UTF-16. Nothing for an odd length, a lone
  // surrogate, bytes outside the file or a length over the limit.
  std::optional<std::string> find_utf16(std::uint64_t rva) const;
  // Crashpad's MinidumpUTF8String: a length, then UTF-8. Nothing when it is not UTF-8.
  std::optional<std::string> find_utf8(std::uint64_t rva) const;

 private:
  Minidump() = default;
  bool draw(std::uint64_t string_bytes) const;

  base::Bytes file_;
  base::Endian endian_ = base::Endian::little;
  std::uint32_t time_stamp_ = 0;
  std::vector<DirectoryEntry> directory_;
  mutable std::uint64_t string_budget_ = kMaxStringsTotal;
};

// Names for the text report: "ThreadListStream", "" for a number nobody has named.
std::string_view stream_name(std::uint32_t type);
// How the report counts a type: read, named but not read, or a number nobody has named. The
// report's list is rust-minidump's, so that it can be compared: we do read some of the second.
enum class StreamSupport : std::uint8_t { read, unimplemented, unknown };
StreamSupport stream_support(std::uint32_t type);
// Official, Google Extension, Mozilla Extension or Unknown Extension, by the number's range.
std::string_view stream_vendor(std::uint32_t type);

}  // namespace minidump
