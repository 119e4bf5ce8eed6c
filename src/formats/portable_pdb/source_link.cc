// Source Link in a portable PDB: the row of CustomDebugInformation whose kind is the GUID below.
#include "formats/portable_pdb/tables.h"

namespace portable_pdb {
namespace {

// {CC110556-A091-4D38-9FEC-25AB9A351A6A}, as it stands in the heap.
constexpr Guid kSourceLink = {0x56, 0x05, 0x11, 0xcc, 0x91, 0xa0, 0x38, 0x4d,
                              0x9f, 0xec, 0x25, 0xab, 0x9a, 0x35, 0x1a, 0x6a};

}  // namespace

std::optional<base::Bytes> File::find_source_link() const {
  const auto tables = Tables::find(*this);
  if (!tables) return std::nullopt;
  for (std::uint64_t i = 0; i < tables->custom_count; ++i) {
    const auto row = tables->find_custom(i);
    if (row && tables->find_guid(row->kind) == kSourceLink) return tables->find_blob(row->value);
  }
  return std::nullopt;
}

}  // namespace portable_pdb
