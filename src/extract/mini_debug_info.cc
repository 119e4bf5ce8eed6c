#include "extract/mini_debug_info.h"

#include <algorithm>

#include "formats/archive/archive_reader.h"

namespace extract {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;
using Plain = std::optional<std::vector<std::uint8_t>>;

namespace {

constexpr std::uint64_t kPlainSizeMax = 256ull << 20;  // Android's largest has 3 MB

bool has_symbol_table(const elf::File& file) {
  return std::any_of(file.sections().begin(), file.sections().end(),
                     [](const elf::Section& one) { return one.type == elf::kShtSymtab; });
}

}  // namespace

Result<Plain> find_mini_debug_info(const elf::File& image) {
  const elf::Section* section = image.find_section(".gnu_debugdata");
  if (section == nullptr || has_symbol_table(image)) return Plain();
  const elf::Contents packed = TRY(image.contents(*section));
  if (!archive::is_compressed(packed.bytes)) {
    return Error{Fault::malformed, ".gnu_debugdata: is not compressed"};
  }
  archive::Limits limits;
  limits.member_size_max = limits.plain_size_max = kPlainSizeMax;
  auto reader =
      TRY(archive::ArchiveReader::open(packed.bytes, limits, archive::Reads::single_files_too));
  const auto member = TRY(reader.next());
  if (!member) return Error{Fault::malformed, ".gnu_debugdata: holds nothing"};
  std::vector<std::uint8_t> plain;
  TRY(reader.read([&](Bytes piece) -> Result<void> {
    plain.insert(plain.end(), piece.begin(), piece.end());
    return {};
  }));
  return Plain(std::move(plain));
}

}  // namespace extract
