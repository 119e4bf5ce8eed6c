#include "formats/pdb/source_names.h"

#include <algorithm>

#include "base/text.h"

namespace pdb {
namespace {

constexpr std::uint64_t kMaxStreamSize = 1ull << 30;
constexpr std::uint64_t kDbiHeadSize = 64;
constexpr std::uint64_t kModuleHeadSize = 64;
constexpr std::uint32_t kNamesMagic = 0xeffeeffe;
constexpr std::uint32_t kFileChecksums = 0xf4;
constexpr std::uint32_t kIgnored = 0x80000000;  // a subsection that is to be skipped
constexpr std::uint16_t kNoStream = 0xffff;

std::uint64_t aligned(std::uint64_t offset) { return (offset + 3) & ~std::uint64_t{3}; }

// The /names stream: one text behind the other, named by their offset.
class Names {
 public:
  explicit Names(const File& file) {
    auto stream = file.read_named_stream("/names", kMaxStreamSize);
    if (!stream.ok()) return;
    bytes_ = std::move(*stream);
    base::Reader r(bytes_.bytes());
    const bool known = r.u32() == kNamesMagic;
    r.u32();  // version
    const std::uint64_t size = r.u32();
    if (r.ok() && known)
      texts_ = base::find_slice(bytes_.bytes(), 12, size).value_or(base::Bytes());
  }
  std::string_view at(std::uint32_t offset) const {
    base::Reader r(texts_);
    r.seek(offset);
    return r.c_string();
  }

 private:
  StreamBytes bytes_;
  base::Bytes texts_;
};

std::string checksum_of(std::uint8_t kind, base::Bytes bytes) {
  switch (kind) {
    case 1:
      return "md5:" + base::hex_of(bytes);
    case 2:
      return "sha1:" + base::hex_of(bytes);
    case 3:
      return "sha256:" + base::hex_of(bytes);
    default:
      return "";
  }
}

void read_checksums(base::Bytes block, const Names& names, std::vector<SourceName>& out) {
  base::Reader r(block);
  while (r.remaining() >= 6 && out.size() < kMaxSourceNames) {
    const std::string_view path = names.at(r.u32());
    const std::uint64_t size = r.u8();
    const std::uint8_t kind = r.u8();
    const base::Bytes sum = r.bytes(size);
    if (r.failed()) return;
    if (!path.empty()) out.push_back({std::string(path), checksum_of(kind, sum)});
    r.seek(std::min(aligned(r.offset()), r.size()));
  }
}

void read_module(const File& file, std::uint16_t stream, std::uint64_t offset, std::uint64_t size,
                 const Names& names, std::vector<SourceName>& out) {
  if (size == 0 || size > kMaxStreamSize) return;
  const auto lines = file.container().read(stream, offset, size);
  if (!lines.ok()) return;
  base::Reader r(lines->bytes());
  while (r.remaining() >= 8) {
    const std::uint32_t kind = r.u32();
    const std::uint64_t length = r.u32();
    const base::Bytes block = r.bytes(length);
    if (r.failed()) return;
    if (kind == kFileChecksums && (kind & kIgnored) == 0) read_checksums(block, names, out);
    r.seek(std::min(aligned(r.offset()), r.size()));
  }
}

void read_modules(const File& file, base::Bytes modules, const Names& names,
                  std::vector<SourceName>& out) {
  base::Reader r(modules);
  while (r.remaining() >= kModuleHeadSize) {
    const std::uint64_t start = r.offset();
    r.skip(34);
    const std::uint16_t stream = r.u16();
    const std::uint64_t symbols = r.u32();
    const std::uint64_t old_lines = r.u32();
    const std::uint64_t lines = r.u32();
    r.seek(start + kModuleHeadSize);
    r.c_string();  // the module, and the archive that it came from
    r.c_string();
    if (r.failed()) return;
    if (stream != kNoStream) {
      read_module(file, stream, symbols + old_lines, lines, names, out);
    }
    r.seek(std::min(aligned(r.offset()), r.size()));
  }
}

// Counts are 16 bits wide and overflow; the number of files is the sum over the modules.
void read_file_info(base::Bytes info, std::vector<SourceName>& out) {
  base::Reader r(info);
  const std::uint64_t modules = r.u16();
  r.u16();
  r.skip(modules * 2);
  std::uint64_t files = 0;
  for (std::uint64_t i = 0; i < modules; ++i) files += r.u16();
  if (r.failed() || files * 4 > r.remaining()) return;
  base::Reader offsets(r.bytes(files * 4));
  const base::Bytes texts = r.bytes(r.remaining());
  for (std::uint64_t i = 0; i < files && out.size() < kMaxSourceNames; ++i) {
    base::Reader name(texts);
    name.seek(offsets.u32());
    const std::string_view path = name.c_string();
    if (!path.empty()) out.push_back({std::string(path), ""});
  }
}

}  // namespace

std::vector<SourceName> source_names(const File& file) {
  std::vector<SourceName> out;
  const auto dbi = file.container().read_all(kDbiStream, kMaxStreamSize);
  if (!dbi.ok()) return out;
  base::Reader r(dbi->bytes());
  r.seek(24);
  const std::uint64_t modules = r.u32();
  const std::uint64_t contributions = r.u32();
  const std::uint64_t map = r.u32();
  const std::uint64_t info = r.u32();
  if (r.failed()) return out;
  const Names names(file);
  if (const auto bytes = base::find_slice(dbi->bytes(), kDbiHeadSize, modules)) {
    read_modules(file, *bytes, names, out);
  }
  const std::uint64_t info_at = kDbiHeadSize + modules + contributions + map;
  if (const auto bytes = base::find_slice(dbi->bytes(), info_at, info)) {
    read_file_info(*bytes, out);
  }
  return out;
}

}  // namespace pdb
