#include "formats/minidump/list_stream.h"

#include <fmt/format.h>

namespace minidump {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

Error malformed_stream(std::uint32_t type, std::string_view what) {
  const std::string_view name = stream_name(type);
  return Error{Fault::malformed, name.empty() ? fmt::format("stream 0x{:x}: {}", type, what)
                                              : fmt::format("{}: {}", name, what)};
}

Result<Bytes> must_stream(const Minidump& dump, std::uint32_t type) {
  const DirectoryEntry* entry = dump.find_entry(type);
  if (entry == nullptr) {
    return Error{Fault::not_found, fmt::format("no {} in the dump", stream_name(type))};
  }
  const auto bytes = dump.find_bytes(entry->location);
  if (!bytes) {
    return malformed_stream(type, fmt::format("{} bytes at offset 0x{:x} are not in the file",
                                              entry->location.size, entry->location.rva));
  }
  return *bytes;
}

namespace {

Error too_many(std::uint32_t type, std::uint64_t count, std::uint32_t count_max) {
  Error error =
      malformed_stream(type, fmt::format("{} records, the limit is {}", count, count_max));
  error.fault = Fault::too_large;
  return error;
}

}  // namespace

Result<Records> plain_list(const Minidump& dump, std::uint32_t type, std::uint32_t entry_size,
                           std::uint32_t count_max) {
  const Bytes stream = TRY(must_stream(dump, type));
  base::Reader reader = dump.reader(stream);
  const std::uint64_t count = reader.u32();
  TRY(reader.check(stream_name(type)));
  const std::uint64_t need = count * entry_size;
  if (stream.size() != 4 + need && stream.size() != 8 + need) {
    return malformed_stream(type, fmt::format("{} records of {} bytes in a stream of {} bytes",
                                              count, entry_size, stream.size()));
  }
  if (count > count_max) return too_many(type, count, count_max);
  return Records{stream.subspan(stream.size() - need), static_cast<std::uint32_t>(count),
                 entry_size};
}

Result<Records> ex_list(const Minidump& dump, std::uint32_t type, CountWidth width,
                        std::uint32_t count_max) {
  const Bytes stream = TRY(must_stream(dump, type));
  base::Reader reader = dump.reader(stream);
  const std::uint64_t header_size = reader.u32();
  const std::uint64_t entry_size = reader.u32();
  const std::uint64_t count = width == CountWidth::u32 ? reader.u32() : reader.u64();
  const std::uint64_t header_read = reader.offset();
  TRY(reader.check(stream_name(type)));
  if (header_size < header_read || header_size > stream.size()) {
    return malformed_stream(type, fmt::format("header size {}", header_size));
  }
  if (entry_size == 0) return malformed_stream(type, "entry size 0");
  const std::uint64_t room = stream.size() - header_size;
  if (count > room / entry_size) {
    return malformed_stream(
        type, fmt::format("{} records of {} bytes in {} bytes", count, entry_size, room));
  }
  if (count > count_max) return too_many(type, count, count_max);
  return Records{stream.subspan(header_size, count * entry_size), static_cast<std::uint32_t>(count),
                 static_cast<std::uint32_t>(entry_size)};
}

}  // namespace minidump
