// Any bytes as a package or archive: members, or a fault, within the limits.
#include "formats/archive/archive_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  archive::Limits limits;
  limits.members_max = 100;
  limits.member_size_max = 1 << 20;
  limits.plain_size_max = 8 << 20;
  limits.ratio_free_size = 4 << 20;
  limits.ratio_max = 20;
  static_cast<void>(archive::may_be_archive({data, size}));
  static_cast<void>(archive::find_package_control({data, size}, limits));
  auto reader =
      archive::ArchiveReader::open({data, size}, limits, archive::Reads::single_files_too);
  while (reader.ok()) {
    const auto member = reader->next();
    if (!member.ok() || !*member) break;
    const auto done = reader->read([](base::Bytes) { return base::Result<void>(); });
    if (!done.ok()) break;
  }
  return 0;
}
