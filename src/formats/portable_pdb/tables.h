// Inside of portable_pdb: where the debug tables' rows lie. Rows of ECMA-335 tables have no stored
// size: it follows from how wide each column's index is, and that from the sizes of heaps and of
// the tables pointed to (some of which live in the image; the #Pdb stream repeats their row
// counts). Views point into the file. Pure functions; nothing when the tables cannot be read.
// Format: docs/formats/portable-pdb.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "formats/portable_pdb/portable_pdb.h"

namespace portable_pdb {

using Guid = std::array<std::uint8_t, 16>;  // as it stands in the heap

// Document (0x30) and CustomDebugInformation (0x37), row by row.
struct Tables {
  base::Bytes documents, custom;  // the rows
  std::uint64_t document_count = 0, custom_count = 0;
  unsigned guid_width = 2, blob_width = 2, parent_width = 2;
  base::Bytes guids, blobs;  // the heaps

  static std::optional<Tables> find(const File& file);

  std::optional<Guid> find_guid(std::uint64_t index) const;  // from 1
  std::optional<base::Bytes> find_blob(std::uint64_t at) const;

  struct Custom {
    std::uint64_t parent = 0;  // a coded index: table in the low five bits
    std::uint64_t kind = 0;    // into the GUIDs
    std::uint64_t value = 0;   // into the blobs
  };
  std::optional<Custom> find_custom(std::uint64_t row) const;
};

// ECMA-335's packed number; fails the reader when there is none.
std::uint32_t packed_number(base::Reader& reader);

}  // namespace portable_pdb
