// The layout, all numbers big-endian:
//
//   lead           96 bytes, begins ed ab ee db
//   signatures     a header, then padding to a multiple of 8
//   the package    a header
//   the members    a compressed cpio archive
//
//   header:  8e ad e8 01, u32 0, u32 entries, u32 data size,
//            entries × {u32 tag, u32 type, u32 offset, u32 count}, data
#include "formats/archive/rpm.h"

#include <algorithm>

namespace archive {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::uint64_t kLeadSize = 96;
constexpr std::uint32_t kLeadMagic = 0xedabeedb;
constexpr std::uint32_t kHeaderMagic = 0x8eade801;
constexpr std::uint64_t kHeaderHead = 16;
constexpr std::uint64_t kEntrySize = 16;
constexpr std::uint32_t kEntriesMax = 64 * 1024;
constexpr std::uint32_t kFilesMax = 4'000'000;

enum Tag : std::uint32_t {
  kFileSignatures = 274,
  kDirIndexes = 1116,
  kBaseNames = 1117,
  kDirNames = 1118
};
constexpr std::uint32_t kTypeInt32 = 4;
constexpr std::uint32_t kTypeStrings = 8;

struct Header {
  Bytes entries;
  Bytes data;
  std::uint64_t end = 0;  // in the package

  // The data of a tag, from its beginning on; nothing when it is not there.
  std::optional<Bytes> find(std::uint32_t tag, std::uint32_t type, std::uint32_t& count) const {
    base::Reader in(entries, base::Endian::big);
    while (!in.at_end()) {
      const std::uint32_t its_tag = in.u32();
      const std::uint32_t its_type = in.u32();
      const std::uint32_t offset = in.u32();
      count = in.u32();
      if (its_tag != tag) continue;
      if (its_type != type || offset > data.size() || count > kFilesMax) return std::nullopt;
      return data.subspan(offset);
    }
    return std::nullopt;
  }
};

Error damaged(std::string_view what) { return {Fault::malformed, "rpm: " + std::string(what)}; }

Result<Header> read_header(Bytes rpm, std::uint64_t at) {
  const auto head = base::find_slice(rpm, at, kHeaderHead);
  if (!head) return damaged("it ends before its header");
  base::Reader in(*head, base::Endian::big);
  const std::uint32_t magic = in.u32();
  in.skip(4);
  const std::uint32_t entries = in.u32();
  const std::uint32_t size = in.u32();
  if (magic != kHeaderMagic || entries > kEntriesMax) return damaged("no header where one belongs");
  const auto table = base::find_slice(rpm, at + kHeaderHead, entries * kEntrySize);
  const auto data = base::find_slice(rpm, at + kHeaderHead + entries * kEntrySize, size);
  if (!table || !data) return damaged("it ends within its header");
  return Header{*table, *data, at + kHeaderHead + entries * kEntrySize + size};
}

// The n-th of an array of strings.
std::optional<std::string_view> find_string(Bytes strings, std::uint32_t n) {
  base::Reader in(strings);
  for (std::uint32_t i = 0; i < n && in.ok(); ++i) in.c_string();
  const std::string_view found = in.c_string();
  if (in.failed()) return std::nullopt;
  return found;
}

// The place of the file among the package's files.
std::optional<std::uint32_t> find_file(const Header& package, std::string_view member) {
  const auto slash = member.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view directory = member.substr(0, slash + 1);
  std::uint32_t names = 0;
  std::uint32_t indexes = 0;
  std::uint32_t directories = 0;
  const auto base_names = package.find(kBaseNames, kTypeStrings, names);
  const auto dir_indexes = package.find(kDirIndexes, kTypeInt32, indexes);
  const auto dir_names = package.find(kDirNames, kTypeStrings, directories);
  if (!base_names || !dir_indexes || !dir_names) return std::nullopt;
  base::Reader name(*base_names);
  base::Reader index(*dir_indexes, base::Endian::big);
  for (std::uint32_t i = 0; i < std::min(names, indexes); ++i) {
    const std::string_view its_name = name.c_string();
    const std::uint32_t its_directory = index.u32();
    if (name.failed() || index.failed()) return std::nullopt;
    if (its_name != member.substr(slash + 1) || its_directory >= directories) continue;
    if (find_string(*dir_names, its_directory) == directory) return i;
  }
  return std::nullopt;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  });
}

}  // namespace

Result<std::optional<std::string>> find_ima_signature(Bytes rpm, std::string_view member) {
  base::Reader lead(rpm, base::Endian::big);
  if (lead.u32() != kLeadMagic) return damaged("it does not begin like one");
  const Header signatures = TRY(read_header(rpm, kLeadSize));
  std::uint32_t count = 0;
  const auto of_files = signatures.find(kFileSignatures, kTypeStrings, count);
  if (!of_files) return std::optional<std::string>();
  const Header package = TRY(read_header(rpm, (signatures.end + 7) / 8 * 8));
  const auto at = find_file(package, member);
  if (!at || *at >= count) return std::optional<std::string>();
  const auto signature = find_string(*of_files, *at);
  if (!signature || signature->empty() || !is_hex(*signature)) return std::optional<std::string>();
  return std::optional<std::string>(*signature);
}

}  // namespace archive
