// Any bytes as a source bundle, and as what a bundle's manifest may be: files, or a fault.
#include "formats/archive/source_bundle.h"
#include "testing/stored_zip.h"

namespace {

void read_all(base::Bytes bytes) {
  const auto bundle = archive::SourceBundle::open(bytes);
  if (!bundle.ok()) return;
  for (std::size_t i = 0; i < bundle->files.size() && i < 16; ++i) {
    (void)archive::read_bundled(bytes, bundle->files[i].member, 4096);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read_all({data, size});
  const std::string_view text = base::text_of({data, size});
  const std::string wrapped = std::string("SYSB\2\0\0\0", 8) +
                              testing_support::StoredZip().add("manifest.json", text).finish();
  read_all(base::bytes_of(wrapped));
  return 0;
}
