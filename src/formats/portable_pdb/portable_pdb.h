// A portable PDB of .NET opened for reading: its id, its documents, the sources in it, its Source
// Link.
// Not the Windows format (formats/pdb) and not a converter.
// Views point into the bytes given to parse(); keep those alive.
// Immutable after parse(); any thread may read.
// parse() fails with malformed when the metadata root cannot be read, with unsupported when it
// has no #Pdb stream: then it is the metadata of something else.
// Format: docs/formats/portable-pdb.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/sha256.h"

namespace portable_pdb {

constexpr std::uint32_t kMaxStreams = 64;
constexpr std::uint64_t kMaxDocuments = 1u << 20;
constexpr std::size_t kMaxDocumentName = 4096;

struct Stream {
  std::string_view name;
  base::Bytes bytes;
};

struct Document {
  std::string path;      // as the compiler wrote it; "" when it cannot be read
  std::string checksum;  // "sha256:…" of the text that was compiled, in hex; "" when not known
};

class File {
 public:
  static base::Result<File> parse(base::Bytes bytes);
  static bool has_magic(base::Bytes bytes);  // "BSJB"

  const std::vector<Stream>& streams() const { return streams_; }
  std::optional<base::Bytes> find_stream(std::string_view name) const;

  // The 20 bytes of the id: a GUID as it stands in the file, and a stamp.
  base::Bytes guid() const { return id_.first(16); }
  std::uint32_t stamp() const { return stamp_; }

  // What an image's debug directory gives as checksum: SHA-256 of the file, its id zeroed.
  base::Sha256 checksum() const;

  // The JSON of Source Link, from the table of custom debug information; nothing without one,
  // or when the tables cannot be read.
  std::optional<base::Bytes> find_source_link() const;

  // In the order of the table; none when the tables cannot be read.
  std::vector<Document> documents() const;
  // The text that is embedded for documents()[document]; not_found when there is none, too_large
  // past `size_max`, malformed or unsupported when it cannot be unpacked.
  base::Result<std::string> read_embedded(std::size_t document, std::uint64_t size_max) const;

 private:
  File() = default;
  base::Bytes bytes_;
  base::Bytes id_;
  std::uint32_t stamp_ = 0;
  std::vector<Stream> streams_;
};

}  // namespace portable_pdb
