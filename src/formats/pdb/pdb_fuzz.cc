// Any bytes as a PDB in one of its three containers: who it is, and every stream.
#include <cstdint>

#include "formats/pdb/pdb.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kStreamMax = 1u << 20;
  const auto file = pdb::File::open({data, size});
  if (!file.ok()) return 0;
  (void)file->age();
  (void)file->arch();
  (void)file->has_source_link();
  for (std::uint32_t i = 0; i < file->container().stream_count() && i < 64; ++i) {
    (void)file->container().read_all(i, kStreamMax);
  }
  for (const pdb::NamedStream& named : file->named_streams()) {
    (void)file->read_named_stream(named.name, kStreamMax);
    break;
  }
  return 0;
}
