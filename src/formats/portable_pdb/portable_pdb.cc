#include "formats/portable_pdb/portable_pdb.h"

#include <algorithm>
#include <string>

namespace portable_pdb {
namespace {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

constexpr std::size_t kIdSize = 20;

Error malformed(std::string what) { return {Fault::malformed, "portable PDB: " + std::move(what)}; }

}  // namespace

bool File::has_magic(Bytes bytes) {
  return bytes.size() >= 4 && base::text_of(bytes.first(4)) == "BSJB";
}

Result<File> File::parse(Bytes bytes) {
  if (!has_magic(bytes)) return malformed("it does not begin with \"BSJB\"");
  File file;
  file.bytes_ = bytes;
  base::Reader r(bytes);
  r.skip(4 + 2 + 2 + 4);  // magic, version, reserved
  r.skip(r.u32());        // "PDB v1.0", padded
  r.u16();                // flags
  const std::uint32_t count = r.u16();
  TRY(r.check("metadata root"));
  if (count > kMaxStreams) return malformed(std::to_string(count) + " metadata streams");
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t offset = r.u32();
    const std::uint32_t size = r.u32();
    const std::string_view name = r.c_string();
    r.seek((r.offset() + 3) / 4 * 4);  // the root is aligned, so its headers are
    TRY(r.check("metadata stream header"));
    const auto part = base::find_slice(bytes, offset, size);
    if (part) file.streams_.push_back({name, *part});
  }
  const auto pdb = file.find_stream("#Pdb");
  if (!pdb) {
    return Error{Fault::unsupported, "portable PDB: the metadata has no #Pdb stream"};
  }
  if (pdb->size() < kIdSize) return malformed("#Pdb stream cut short");
  file.id_ = pdb->first(kIdSize);
  base::Reader stamp(file.id_.subspan(16));
  file.stamp_ = stamp.u32();
  return file;
}

std::optional<Bytes> File::find_stream(std::string_view name) const {
  for (const Stream& stream : streams_) {
    if (stream.name == name) return stream.bytes;
  }
  return std::nullopt;
}

base::Sha256 File::checksum() const {
  const auto at = static_cast<std::size_t>(id_.data() - bytes_.data());
  const std::array<std::uint8_t, kIdSize> zeros{};
  base::Sha256Stream hash;
  hash.update(bytes_.first(at));
  hash.update(zeros);
  hash.update(bytes_.subspan(at + kIdSize));
  return hash.finish();
}

}  // namespace portable_pdb
