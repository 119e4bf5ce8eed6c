// Compressed sections: SHF_COMPRESSED with a header that names method and size, and the old
// GNU form, a section named .zdebug_… that begins with "ZLIB" and a big-endian size.
#include "base/codec.h"
#include "formats/elf/elf.h"

namespace elf {
namespace {

constexpr std::uint32_t kZlib = 1;
constexpr std::uint32_t kZstd = 2;

struct Packed {
  std::uint32_t method = 0;
  std::uint64_t plain_size = 0;
  base::Bytes bytes;
};

base::Error in_section(const Section& section, base::Fault fault, std::string_view what) {
  return {fault, "section " + std::string(section.name) + " at offset " +
                     std::to_string(section.offset) + ": " + std::string(what)};
}

base::Result<Contents> expand(const Section& section, const Packed& packed) {
  if (packed.plain_size > kFreeExpansion &&
      packed.plain_size / kMaxExpansionRatio > packed.bytes.size()) {
    return in_section(section, base::Fault::too_large,
                      "it says it expands to " + std::to_string(packed.plain_size) +
                          " bytes from " + std::to_string(packed.bytes.size()));
  }
  // zlib cannot do better than 1032:1, so a larger claim need not be tried.
  if (packed.method == kZlib && packed.plain_size / 1040 > packed.bytes.size()) {
    return in_section(section, base::Fault::malformed, "its expanded size is impossible");
  }
  auto plain = packed.method == kZlib
                   ? base::inflate_zlib_exactly(packed.bytes, packed.plain_size)
                   : base::decompress_zstd_exactly(packed.bytes, packed.plain_size);
  if (!plain.ok()) return in_section(section, plain.error().fault, plain.error().what);
  Contents contents;
  contents.owned = std::move(plain).value();
  contents.bytes = contents.owned;
  return contents;
}

}  // namespace

base::Result<Contents> File::contents(const Section& section) const {
  const base::Bytes bytes = raw(section);
  if (section.type != kShtNobits && bytes.size() != section.size) {
    return in_section(
        section, base::Fault::malformed,
        "it ends " + std::to_string(section.size) + " bytes later, behind the end of the file");
  }
  if ((section.flags & kShfCompressed) != 0) {
    base::Reader r(bytes, endian_);
    Packed packed;
    packed.method = r.u32();
    if (is_64_) r.u32();  // reserved
    packed.plain_size = r.sized(is_64_ ? 8 : 4);
    r.sized(is_64_ ? 8 : 4);  // alignment
    packed.bytes = r.bytes(r.remaining());
    if (r.failed())
      return in_section(section, base::Fault::malformed, "compression header cut short");
    if (packed.method != kZlib && packed.method != kZstd) {
      return in_section(section, base::Fault::unsupported,
                        "compression method " + std::to_string(packed.method) +
                            " is neither zlib (1) nor zstd (2)");
    }
    return expand(section, packed);
  }
  if (section.name.starts_with(".zdebug")) {
    base::Reader r(bytes, base::Endian::big);
    if (base::text_of(r.bytes(4)) == "ZLIB") {
      Packed packed;
      packed.method = kZlib;
      packed.plain_size = r.u64();
      packed.bytes = r.bytes(r.remaining());
      if (r.failed()) return in_section(section, base::Fault::malformed, "header cut short");
      return expand(section, packed);
    }
  }
  Contents contents;
  contents.bytes = bytes;
  return contents;
}

}  // namespace elf
