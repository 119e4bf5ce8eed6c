// The #~ stream: which tables there are, and how long each row is. CustomDebugInformation (0x37) is
// the last table, so everything before it must be measured.
#include "formats/portable_pdb/tables.h"

#include <algorithm>

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

// Tables that the parent of custom debug information may be in, by their tags.
constexpr std::array kParents = {0x06u, 0x04u, 0x01u, 0x02u, 0x08u, 0x09u, 0x0au, 0x00u, 0x0eu,
                                 0x17u, 0x14u, 0x11u, 0x1au, 0x1bu, 0x20u, 0x23u, 0x26u, 0x27u,
                                 0x28u, 0x2au, 0x2cu, 0x2bu, 0x30u, 0x32u, 0x33u, 0x34u, 0x35u};
constexpr unsigned kParentTagBits = 5;

struct Widths {
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
void read_referenced(Bytes pdb_stream, Widths& tables) {
  base::Reader r(pdb_stream);
  r.skip(20 + 4);  // id, entry point
  const std::uint64_t mask = r.u64();
  for (std::uint32_t i = 0; i < kTables; ++i) {
    if ((mask >> i & 1) != 0) tables.rows[i] = r.u32();
  }
}

// The head of #~, up to the first row.
void read_counts(base::Reader& r, Widths& widths) {
  r.skip(6);
  const std::uint8_t heaps = r.u8();
  r.u8();
  widths.string_width = (heaps & 1) != 0 ? 4 : 2;
  widths.guid_width = (heaps & 2) != 0 ? 4 : 2;
  widths.blob_width = (heaps & 4) != 0 ? 4 : 2;
  const std::uint64_t present = r.u64();
  r.u64();  // sorted
  for (std::uint32_t i = 0; i < kTables; ++i) {
    if ((present >> i & 1) == 0) continue;
    widths.stored[i] = r.u32();
    widths.rows[i] = widths.stored[i];
  }
}

}  // namespace

std::optional<Tables> Tables::find(const File& file) {
  const auto pdb = file.find_stream("#Pdb");
  const auto table_stream = file.find_stream("#~");
  const auto guids = file.find_stream("#GUID");
  const auto blobs = file.find_stream("#Blob");
  if (!pdb || !table_stream || !guids || !blobs) return std::nullopt;
  Widths widths;
  read_referenced(*pdb, widths);
  base::Reader r(*table_stream);
  read_counts(r, widths);
  Tables tables;
  tables.guids = *guids;
  tables.blobs = *blobs;
  tables.guid_width = widths.guid_width;
  tables.blob_width = widths.blob_width;
  tables.parent_width = widths.parent_width();
  for (std::uint32_t i = 0; i <= kCustomDebugInformation; ++i) {
    if (widths.stored[i] == 0) continue;
    const std::uint64_t size = widths.row_size(i);
    if (size == 0) return std::nullopt;  // a table of the image: not a PDB on its own
    const Bytes rows = r.bytes(widths.stored[i] * size);
    if (i == kDocument) {
      tables.documents = rows;
      tables.document_count = widths.stored[i];
    } else if (i == kCustomDebugInformation) {
      tables.custom = rows;
      tables.custom_count = widths.stored[i];
    }
  }
  if (r.failed()) return std::nullopt;
  return tables;
}

std::optional<Guid> Tables::find_guid(std::uint64_t index) const {
  if (index == 0) return std::nullopt;
  const auto bytes = base::find_slice(guids, (index - 1) * 16, 16);
  if (!bytes) return std::nullopt;
  Guid guid{};
  std::copy(bytes->begin(), bytes->end(), guid.begin());
  return guid;
}

std::uint32_t packed_number(base::Reader& reader) {
  const std::uint32_t first = reader.u8();
  if ((first & 0x80) == 0) return first;
  if ((first & 0xc0) == 0x80) return (first & 0x3f) << 8 | reader.u8();
  if ((first & 0xe0) != 0xc0) {
    reader.fail();
    return 0;
  }
  std::uint32_t number = (first & 0x1f) << 24;
  number |= std::uint32_t{reader.u8()} << 16;
  number |= std::uint32_t{reader.u8()} << 8;
  return number | reader.u8();
}

std::optional<Bytes> Tables::find_blob(std::uint64_t at) const {
  base::Reader r(blobs);
  r.seek(at);
  const Bytes blob = r.bytes(packed_number(r));
  return r.ok() ? std::optional(blob) : std::nullopt;
}

std::optional<Tables::Custom> Tables::find_custom(std::uint64_t row) const {
  const std::uint64_t size = parent_width + guid_width + blob_width;
  const auto bytes = base::find_slice(custom, row * size, size);
  if (!bytes) return std::nullopt;
  base::Reader r(*bytes);
  Custom found;
  found.parent = r.sized(parent_width);
  found.kind = r.sized(guid_width);
  found.value = r.sized(blob_width);
  return found;
}

}  // namespace portable_pdb
