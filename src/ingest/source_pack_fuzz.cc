// Any bytes as a pack of sources, with any row that points into it: text or a fault. And the bytes
// as sources: what is packed comes out again.
#include <algorithm>

#include "base/assert.h"
#include "ingest/source_pack.h"

namespace {

using base::Bytes;

void read_as_pack(const std::string& directory, Bytes bytes) {
  if (bytes.size() < 5) return;
  const std::string path = base::join_path(directory, "pack");
  base::PendingFile file = base::PendingFile::create(directory).value();
  ASSERT(file.append(bytes.subspan(5)).ok());
  ASSERT(file.rename_to(path).ok());
  const std::uint64_t scale = bytes[4] % 2 == 0 ? 1 : 4096;
  const store::PackedSource row{"/x.c",           bytes[0],         bytes.size() - 5,
                                bytes[1] * scale, bytes[2] * scale, bytes[3] * scale};
  const auto text = ingest::read_packed(path, row);
  if (text.ok()) ASSERT(text->size() == row.size);
}

// Cut into sources at each NUL.
void pack_and_read(const std::string& directory, Bytes bytes) {
  auto pack = ingest::SourcePack::create(directory);
  ASSERT(pack.ok());
  std::vector<std::string> sources;
  const std::string_view all = base::text_of(bytes);
  for (std::size_t at = 0; at < all.size() && sources.size() < 100;) {
    const std::string_view one = all.substr(at, all.find('\0', at) - at);
    ASSERT(pack->add("/usr/src/" + std::to_string(sources.size()), base::bytes_of(one)).ok());
    sources.emplace_back(one);
    at += one.size() + 1;
  }
  const std::string path = base::join_path(directory, "packed");
  const auto rows = pack->finish(path);
  ASSERT(rows.ok() && rows->size() == sources.size());
  for (std::size_t i = 0; i < sources.size(); ++i) {
    ASSERT(ingest::read_packed(path, (*rows)[i]).value() == sources[i]);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const base::TemporaryDirectory directory =
      base::TemporaryDirectory::create("source-pack-fuzz").value();
  read_as_pack(directory.path(), {data, size});
  pack_and_read(directory.path(), {data, size});
  return 0;
}
