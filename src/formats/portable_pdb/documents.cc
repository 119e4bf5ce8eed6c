// Documents and embedded sources of a portable PDB.
//
// A document's name is a blob: one letter, the separator, then the parts' places in the blob heap,
// as packed numbers; 0 is an empty part. An embedded source is custom debug information of a
// document: a number, then the text; plain when the number is 0, else so long when it is inflated.
#include <algorithm>
#include <string>

#include "base/codec.h"
#include "base/text.h"
#include "formats/portable_pdb/tables.h"

namespace portable_pdb {
namespace {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

// {0E8A571B-6926-466E-B4AD-8AB04611F5FE}
constexpr Guid kEmbeddedSource = {0x1b, 0x57, 0x8a, 0x0e, 0x26, 0x69, 0x6e, 0x46,
                                  0xb4, 0xad, 0x8a, 0xb0, 0x46, 0x11, 0xf5, 0xfe};
constexpr std::uint64_t kDocumentTag = 22;  // among the parents
constexpr unsigned kParentTagBits = 5;
constexpr std::size_t kNameBlobMax = 4096;

struct Algorithm {
  Guid guid;
  std::string_view name;
  std::size_t size;
};
constexpr std::array<Algorithm, 3> kAlgorithms{
    Algorithm{{0x60, 0xa6, 0x6e, 0x40, 0xcf, 0x64, 0x82, 0x4c, 0xb6, 0xf0, 0x42, 0xd4, 0x81, 0x72,
               0xa7, 0x99},
              "md5:",
              16},
    Algorithm{{0xec, 0x16, 0x18, 0xff, 0x5e, 0xaa, 0x10, 0x4d, 0x87, 0xf7, 0x6f, 0x49, 0x63, 0x83,
               0x34, 0x60},
              "sha1:",
              20},
    Algorithm{{0x0f, 0xd0, 0x29, 0x88, 0xb8, 0x11, 0x13, 0x42, 0x87, 0x8b, 0x77, 0x0e, 0x85, 0x97,
               0xac, 0x16},
              "sha256:",
              32}};

// "" when it cannot be read, or is longer than any path.
std::string name_of(const Tables& tables, std::uint64_t blob) {
  const auto bytes = tables.find_blob(blob);
  if (!bytes || bytes->size() > kNameBlobMax) return "";
  base::Reader r(*bytes);
  const std::uint8_t separator = r.u8();
  std::string name;
  for (bool first = true; r.ok() && !r.at_end(); first = false) {
    const std::uint32_t at = packed_number(r);
    if (!first && separator != 0) name += static_cast<char>(separator);
    const auto part = at == 0 ? std::optional(Bytes()) : tables.find_blob(at);
    if (!part || name.size() + part->size() > kMaxDocumentName) return "";
    name.append(base::text_of(*part));
  }
  return r.ok() ? name : "";
}

std::string checksum_of(const Tables& tables, std::uint64_t algorithm, std::uint64_t blob) {
  const auto guid = tables.find_guid(algorithm);
  const auto bytes = tables.find_blob(blob);
  if (!guid || !bytes) return "";
  for (const Algorithm& known : kAlgorithms) {
    if (*guid == known.guid && bytes->size() == known.size) {
      return std::string(known.name) + base::hex_of(*bytes);
    }
  }
  return "";
}

Result<std::string> unpack(Bytes blob, std::uint64_t size_max) {
  base::Reader r(blob);
  const std::int32_t plain_size = r.s32();
  if (r.failed() || plain_size < 0) {
    return Error{Fault::unsupported, "portable PDB: an embedded source in an unknown form"};
  }
  const Bytes rest = r.bytes(r.remaining());
  const std::uint64_t size = plain_size == 0 ? rest.size() : static_cast<std::uint64_t>(plain_size);
  if (size > size_max) {
    return Error{Fault::too_large,
                 "portable PDB: the embedded source has " + std::to_string(size) + " bytes"};
  }
  if (plain_size == 0) return std::string(base::text_of(rest));
  const std::vector<std::uint8_t> plain = TRY(base::inflate_raw(rest, size));
  if (plain.size() != size) {
    return Error{Fault::malformed, "portable PDB: an embedded source of another size"};
  }
  return std::string(plain.begin(), plain.end());
}

}  // namespace

std::vector<Document> File::documents() const {
  std::vector<Document> documents;
  const auto tables = Tables::find(*this);
  if (!tables) return documents;
  base::Reader r(tables->documents);
  const std::uint64_t count = std::min(tables->document_count, kMaxDocuments);
  for (std::uint64_t i = 0; i < count && r.ok(); ++i) {
    const std::uint64_t name = r.sized(tables->blob_width);
    const std::uint64_t algorithm = r.sized(tables->guid_width);
    const std::uint64_t hash = r.sized(tables->blob_width);
    r.sized(tables->guid_width);  // language
    documents.push_back({name_of(*tables, name), checksum_of(*tables, algorithm, hash)});
  }
  return documents;
}

Result<std::string> File::read_embedded(std::size_t document, std::uint64_t size_max) const {
  const auto tables = Tables::find(*this);
  const std::uint64_t parent = (std::uint64_t{document} + 1) << kParentTagBits | kDocumentTag;
  for (std::uint64_t i = 0; tables && i < tables->custom_count; ++i) {
    const auto row = tables->find_custom(i);
    if (!row || row->parent != parent) continue;
    if (tables->find_guid(row->kind) != kEmbeddedSource) continue;
    const auto blob = tables->find_blob(row->value);
    if (!blob) break;
    return unpack(*blob, size_max);
  }
  return Error{Fault::not_found, "portable PDB: no source is embedded for this document"};
}

}  // namespace portable_pdb
