// The two shapes that lists of records have in a minidump, checked before anything is allocated.
//
//   plain:  u32 count, records            (or 4 bytes of padding before the records)
//   "Ex":   u32 header size, u32 entry size, count (u32 or u64), rest of header, records
//
// Only for the stream readers of this room.
#pragma once

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "formats/minidump/minidump.h"

namespace minidump {

struct Records {
  base::Bytes bytes;  // exactly count * entry_size
  std::uint32_t count = 0;
  std::uint32_t entry_size = 0;
};

// not_found when the dump has no such stream, malformed when it points outside the file.
base::Result<base::Bytes> must_stream(const Minidump& dump, std::uint32_t type);

// Breakpad and Microsoft align the records of some lists to 8 bytes, hence the padding; any other
// size of the stream means that somebody counted wrongly, and nothing in it can be trusted.
base::Result<Records> plain_list(const Minidump& dump, std::uint32_t type, std::uint32_t entry_size,
                                 std::uint32_t count_max);

enum class CountWidth : std::uint8_t { u32 = 4, u64 = 8 };
base::Result<Records> ex_list(const Minidump& dump, std::uint32_t type, CountWidth width,
                              std::uint32_t count_max);

base::Error malformed_stream(std::uint32_t type, std::string_view what);

}  // namespace minidump
