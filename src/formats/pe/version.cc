// The file version: resource of type 16, first name, first language, in it the fixed part.
#include "formats/pe/pe.h"

namespace pe {
namespace {

constexpr std::uint32_t kTypeVersion = 16;
constexpr std::uint32_t kIsDirectory = 0x80000000;
constexpr std::uint32_t kFixedMagic = 0xfeef04bd;

// The entry with this id of a resource directory, or its first one: an offset in the section.
std::optional<std::uint32_t> find_entry(base::Bytes resources, std::uint32_t at,
                                        std::optional<std::uint32_t> id) {
  base::Reader r(resources);
  r.seek(at + 12ull);
  const std::uint32_t count = r.u16() + std::uint32_t{r.u16()};
  for (std::uint32_t i = 0; i < count && i < kMaxResourceEntries && r.ok(); ++i) {
    const std::uint32_t name = r.u32();
    const std::uint32_t offset = r.u32();
    if (r.ok() && (!id || name == *id)) return offset;
  }
  return std::nullopt;
}

}  // namespace

std::optional<FileVersion> File::find_file_version() const {
  // Three levels, always: type, name, language. Neither the sizes on the way nor the marks of
  // directories are needed, and mock files of .NET's tests lack both.
  const std::uint32_t rva = this->directory(kDirectoryResource).rva;
  const base::Bytes resources = from_rva(rva);
  if (rva == 0 || resources.empty()) return std::nullopt;
  auto at = find_entry(resources, 0, kTypeVersion);
  for (int level = 0; level < 2 && at; ++level) {
    at = find_entry(resources, *at & ~kIsDirectory, std::nullopt);
  }
  if (!at) return std::nullopt;
  base::Reader leaf(resources);
  leaf.seek(*at);
  const base::Bytes version = from_rva(leaf.u32());
  if (leaf.failed()) return std::nullopt;
  // u16 length, u16 value length, u16 type, the key "VS_VERSION_INFO" in UTF-16, padding.
  base::Reader r(version);
  r.seek(6 + 2 * 16 + 2);
  if (r.u32() != kFixedMagic) return std::nullopt;
  r.u32();  // version of the structure
  FileVersion found;
  found.minor = r.u16();
  found.major = r.u16();
  found.revision = r.u16();
  found.build = r.u16();
  r.skip(8);  // product version
  const std::uint32_t mask = r.u32();
  found.is_debug = (r.u32() & mask & 1) != 0;
  if (r.failed()) return std::nullopt;
  return found;
}

}  // namespace pe
