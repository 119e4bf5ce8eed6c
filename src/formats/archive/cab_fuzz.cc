// Any bytes as a cabinet: members, or a fault, within the limits.
#include "formats/archive/cab.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  archive::CabLimits limits;
  limits.members_max = 100;
  limits.member_size_max = 1 << 20;
  limits.ratio_free_size = 4 << 20;
  limits.ratio_max = 20;
  auto reader = archive::CabReader::open({data, size}, limits);
  while (reader.ok()) {
    const auto member = reader->next();
    if (!member.ok() || !*member) break;
    const auto done = reader->read([](base::Bytes) { return base::Result<void>(); });
    if (!done.ok()) break;
  }
  return 0;
}
