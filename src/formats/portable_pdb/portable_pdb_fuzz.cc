// Any bytes as a portable PDB.
#include <cstdint>

#include "formats/portable_pdb/portable_pdb.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = portable_pdb::File::parse({data, size});
  if (!file.ok()) return 0;
  (void)file->checksum();
  (void)file->find_source_link();
  const std::size_t count = file->documents().size();
  for (std::size_t i = 0; i < count && i < 16; ++i) (void)file->read_embedded(i, 1 << 20);
  return 0;
}
