#include "formats/elf/notes.h"

#include <algorithm>

namespace elf {

base::Bytes find_build_id_note(base::Bytes notes, std::uint64_t align, base::Endian endian) {
  constexpr std::uint32_t kBuildId = 3;
  const std::uint64_t padding = align == 8 ? 8 : 4;
  const auto padded = [&](std::uint64_t offset) {
    return std::min<std::uint64_t>((offset + padding - 1) / padding * padding, notes.size());
  };
  base::Reader r(notes, endian);
  while (r.remaining() >= 12) {
    const std::uint32_t name_size = r.u32();
    const std::uint32_t size = r.u32();
    const std::uint32_t type = r.u32();
    const base::Bytes name = r.bytes(name_size);
    r.seek(padded(r.offset()));
    const base::Bytes descriptor = r.bytes(size);
    if (r.failed()) return {};
    r.seek(padded(r.offset()));
    const bool gnu =
        base::text_of(name) == std::string_view("GNU\0", 4) || base::text_of(name) == "GNU";
    if (gnu && type == kBuildId && !descriptor.empty()) return descriptor;
  }
  return {};
}

}  // namespace elf
