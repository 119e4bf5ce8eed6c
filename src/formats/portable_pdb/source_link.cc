// Source Link in a portable PDB: the row of CustomDebugInformation whose kind is the GUID below.
//
// Rows of ECMA-335 tables have no stored size: it follows from how wide each column's index is,
// and that from the sizes of heaps and of the tables pointed to (some of which live in the image;
// the #Pdb stream repeats their row counts). CustomDebugInformation (0x37) is the last table, so
// everything before it must be measured.
#include <algorithm>

#include "formats/portable_pdb/portable_pdb.h"

namespace portable_pdb {
namespace {

using base::Bytes;

constexpr std::uint32_t kTables = 64;
constexpr std::uint32_t kMethodDef = 0x06;
constexpr std::uint32_t kDocument = 0x30;
constexpr std::uint32_t kLocalVariable = 0x33;
constexpr std::uint32_t kLocalConstant = 0x34;
constexpr std::uint32_t kImportScope = 0x35;
constexpr std::uint32_t kCustomDebugInformation = 0x37;

// {CC110556-A091-4D38-9FEC-25AB9A351A6A}, as it stands in the heap.
constexpr std::array<std::uint8_t, 16> kSourceLink = {
    0x56, 0x05, 0x11, 0xcc, 0x91, 0xa0, 0x38, 0x4d, 0x9f, 0xec, 0x25, 0xab, 0x9a, 0x35, 0x1a, 0x6a};

// Tables that the parent of custom debug information may be in.
constexpr std::array kParents = {0x06u, 0x04u, 0x01u, 0x02u, 0x08u, 0x09u, 0x0au, 0x00u, 0x0eu,
                                 0x17u, 0x14u, 0x11u, 0x1au, 0x1bu, 0x20u, 0x23u, 0x26u, 0x27u,
                                 0x28u, 0x2au, 0x2cu, 0x2bu, 0x30u, 0x32u, 0x33u, 0x34u, 0x35u};
constexpr unsigned kParentTagBits = 5;

struct Tables {
  std::array<std::uint64_t, kTables> rows{};    // here or in the image
  std::array<std::uint64_t, kTables> stored{};  // here
  unsigned string_width = 2, guid_width = 2, blob_width = 2;

  unsigned index_width(std::uint32_t table) const { return rows[table] < 0x10000 ? 2 : 4; }
  unsigned parent_width() const {
    std::uint64_t most = 0;
    for (const std::uint32_t table : kParents) most = std::max(most, rows[table]);
    return most < (1u << (16 - kParentTagBits)) ? 2 : 4;
  }
  // Of the debug tables; 0 for those that do not belong here.
  std::uint64_t row_size(std::uint32_t table) const {
    switch (table) {
      case kDocument:
        return 2ull * blob_width + 2ull * guid_width;
      case 0x31:
        return index_width(kDocument) + blob_width;
      case 0x32:
        return index_width(kMethodDef) + index_width(kImportScope) + index_width(kLocalVariable) +
               index_width(kLocalConstant) + 8ull;
      case kLocalVariable:
        return 4ull + string_width;
      case kLocalConstant:
        return string_width + blob_width;
      case kImportScope:
        return index_width(kImportScope) + blob_width;
      case 0x36:
        return 2ull * index_width(kMethodDef);
      case kCustomDebugInformation:
        return parent_width() + guid_width + blob_width;
      default:
        return 0;
    }
  }
};

// Rows of tables that live in the image, as #Pdb repeats them.
void read_referenced(Bytes pdb_stream, Tables& tables) {
  base::Reader r(pdb_stream);
  r.skip(20 + 4);  // id, entry point
  const std::uint64_t mask = r.u64();
  for (std::uint32_t i = 0; i < kTables; ++i) {
    if ((mask >> i & 1) != 0) tables.rows[i] = r.u32();
  }
}

std::optional<Bytes> find_blob(Bytes heap, std::uint64_t at) {
  base::Reader r(heap);
  r.seek(at);
  const std::uint32_t first = r.u8();
  std::uint32_t size = first;
  if ((first & 0xc0) == 0x80) {
    size = (first & 0x3f) << 8 | r.u8();
  } else if ((first & 0xe0) == 0xc0) {
    size = (first & 0x1f) << 24;
    size |= std::uint32_t{r.u8()} << 16;
    size |= std::uint32_t{r.u8()} << 8;
    size |= r.u8();
  } else if ((first & 0x80) != 0) {
    return std::nullopt;
  }
  const Bytes blob = r.bytes(size);
  return r.ok() ? std::optional(blob) : std::nullopt;
}

}  // namespace

std::optional<Bytes> File::find_source_link() const {
  const auto pdb = find_stream("#Pdb");
  const auto table_stream = find_stream("#~");
  const auto guids = find_stream("#GUID");
  const auto blobs = find_stream("#Blob");
  if (!pdb || !table_stream || !guids || !blobs) return std::nullopt;
  Tables tables;
  read_referenced(*pdb, tables);
  base::Reader r(*table_stream);
  r.skip(6);
  const std::uint8_t heaps = r.u8();
  r.u8();
  tables.string_width = (heaps & 1) != 0 ? 4 : 2;
  tables.guid_width = (heaps & 2) != 0 ? 4 : 2;
  tables.blob_width = (heaps & 4) != 0 ? 4 : 2;
  const std::uint64_t present = r.u64();
  r.u64();  // sorted
  for (std::uint32_t i = 0; i < kTables; ++i) {
    if ((present >> i & 1) == 0) continue;
    tables.stored[i] = r.u32();
    tables.rows[i] = tables.stored[i];
  }
  for (std::uint32_t i = 0; i < kCustomDebugInformation; ++i) {
    if (tables.stored[i] == 0) continue;
    const std::uint64_t size = tables.row_size(i);
    if (size == 0) return std::nullopt;  // a table of the image: not a PDB on its own
    r.skip(tables.stored[i] * size);
  }
  for (std::uint64_t i = 0; i < tables.stored[kCustomDebugInformation] && r.ok(); ++i) {
    r.sized(tables.parent_width());
    const std::uint64_t kind = r.sized(tables.guid_width);  // from 1
    const std::uint64_t value = r.sized(tables.blob_width);
    const auto guid = kind == 0 ? std::nullopt : base::find_slice(*guids, (kind - 1) * 16, 16);
    if (r.failed() || !guid) continue;
    if (std::equal(guid->begin(), guid->end(), kSourceLink.begin()))
      return find_blob(*blobs, value);
  }
  return std::nullopt;
}

}  // namespace portable_pdb
