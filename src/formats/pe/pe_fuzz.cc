// Any bytes as a Windows image: everything the room reads.
#include <cstdint>

#include "formats/pe/pe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = pe::File::parse({data, size});
  if (!file.ok()) return 0;
  (void)file->code_id();
  (void)file->arch();
  (void)file->code_views();
  (void)file->pdb_checksums();
  (void)file->perf_maps();
  (void)file->find_embedded_pdb();
  (void)file->find_file_version();
  for (const pe::Section& section : file->sections()) (void)file->raw(section);
  return 0;
}
