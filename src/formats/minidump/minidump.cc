#include "formats/minidump/minidump.h"

#include "base/text.h"
#include "base/utf16.h"

namespace minidump {

using base::Bytes;
using base::Endian;
using base::Error;
using base::Fault;

namespace {

Error refused(const char* text) { return Error{Fault::malformed, text}; }

}  // namespace

base::Result<Minidump> Minidump::open(Bytes file) {
  Minidump dump;
  dump.file_ = file;
  if (file.size() < kHeaderSize) {
    return refused("MissingHeader - Error reading dump: Missing minidump header (empty minidump?)");
  }
  base::Reader head(file);
  const std::uint32_t signature = head.u32();
  if (signature == __builtin_bswap32(kSignature)) {
    dump.endian_ = Endian::big;
  } else if (signature != kSignature) {
    return refused("HeaderMismatch - Error reading dump: Header mismatch");
  }
  head = base::Reader(file, dump.endian_);
  head.skip(4);
  if ((head.u32() & 0xffff) != kVersion) {
    return refused("VersionMismatch - Error reading dump: Minidump version mismatch");
  }
  const std::uint64_t count = head.u32();
  const std::uint64_t directory_rva = head.u32();
  head.skip(4);  // checksum: nobody fills it
  dump.time_stamp_ = head.u32();

  const auto entries = dump.find_bytes(directory_rva, count * kDirectoryEntrySize);
  if (!entries) {
    return refused(
        "MissingDirectory - Error reading dump: Missing stream directory "
        "(heavily truncated minidump?)");
  }
  if (count > kMaxStreams) {
    return Error{Fault::too_large, "MissingDirectory - Error reading dump: Too many streams"};
  }
  dump.directory_.reserve(count);
  base::Reader reader = dump.reader(*entries);
  for (std::uint64_t i = 0; i < count; ++i) {
    DirectoryEntry entry;
    entry.type = reader.u32();
    entry.location.size = reader.u32();
    entry.location.rva = reader.u32();
    dump.directory_.push_back(entry);
  }
  return dump;
}

const DirectoryEntry* Minidump::find_entry(std::uint32_t type) const {
  for (std::size_t i = directory_.size(); i-- > 0;) {
    if (directory_[i].type == type) return &directory_[i];
  }
  return nullptr;
}

std::optional<Bytes> Minidump::find_stream(std::uint32_t type) const {
  const DirectoryEntry* entry = find_entry(type);
  if (entry == nullptr) return std::nullopt;
  return find_bytes(entry->location);
}

std::optional<Bytes> Minidump::find_bytes(Location location) const {
  return base::find_slice(file_, location.rva, location.size);
}

std::optional<Bytes> Minidump::find_bytes(std::uint64_t rva, std::uint64_t size) const {
  return base::find_slice(file_, rva, size);
}

bool Minidump::draw(std::uint64_t string_bytes) const {
  if (string_bytes > kMaxStringBytes || string_bytes > string_budget_) return false;
  string_budget_ -= string_bytes;
  return true;
}

std::optional<std::string> Minidump::find_utf16(std::uint64_t rva) const {
  const auto head = find_bytes(rva, 4);
  if (!head) return std::nullopt;
  const std::uint64_t size = reader(*head).u32();
  const auto text = find_bytes(rva + 4, size);
  if (!text || !draw(size)) return std::nullopt;
  return base::utf8_from_utf16(*text, endian_);
}

std::optional<std::string> Minidump::find_utf8(std::uint64_t rva) const {
  const auto head = find_bytes(rva, 4);
  if (!head) return std::nullopt;
  const std::uint64_t size = reader(*head).u32();
  const auto text = find_bytes(rva + 4, size);
  if (!text || !draw(size) || !base::is_utf8(base::text_of(*text))) return std::nullopt;
  return std::string(base::text_of(*text));
}

}  // namespace minidump
