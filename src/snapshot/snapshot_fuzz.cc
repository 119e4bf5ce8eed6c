// Any bytes → a crash → a minidump → a crash. What we write we can read.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "snapshot/describe_crash.h"
#include "snapshot/minidump_from_snapshot.h"
#include "snapshot/snapshot_from_minidump.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto crash = snapshot::snapshot_from_minidump(base::Bytes(data, size));
  if (!crash.ok()) return 0;
  (void)snapshot::describe(*crash);
  // Thousands of regions that share the file's bytes would make a file of gigabytes.
  const auto image = snapshot::lay_out_minidump(*crash);
  if (!image.ok() || image->size() > (16u << 20)) return 0;
  const auto written = snapshot::minidump_from_snapshot(*crash);
  if (!written.ok() || !snapshot::snapshot_from_minidump(*written).ok()) std::abort();
  return 0;
}
