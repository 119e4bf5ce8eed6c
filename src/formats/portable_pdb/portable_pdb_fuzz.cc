// Any bytes as a portable PDB.
#include <cstdint>

#include "formats/portable_pdb/portable_pdb.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = portable_pdb::File::parse({data, size});
  if (!file.ok()) return 0;
  (void)file->checksum();
  (void)file->find_source_link();
  return 0;
}
