// Many small source files in one file: zstd frames of some 128 KiB each, of which any can be read
// alone, so that a file costs one read and a fraction of a millisecond.
// Not its directory: that stands in the catalogue (store::PackedSource).
// A writer belongs to one thread; read_packed() from any, it blocks.
// Fails with unavailable (disk), or malformed (a pack that is not what its rows say).
// Format: docs/formats/source-pack.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "store/containers.h"

namespace ingest {

constexpr std::uint64_t kSourceSizeMax = 16ull << 20;

// Whether a member of that name may be a source file: beneath /usr/src or an include directory, or
// with an extension of some language; or a patch that Debian applies to one.
bool is_source_path(std::string_view path);

// A finished pack without a name yet, to become a blob.
struct PackedSources {
  base::PendingFile pack;
  std::vector<store::PackedSource> sources;
};

class SourcePack {
 public:
  static base::Result<SourcePack> create(const std::string& directory);

  base::Result<void> add(const std::string& path, base::Bytes content);
  // Renames the pack to `target` unless it is empty. Once, at the end.
  base::Result<std::vector<store::PackedSource>> finish(const std::string& target);
  base::Result<PackedSources> finish() &&;  // or this

 private:
  explicit SourcePack(base::PendingFile file) : file_(std::move(file)) {}
  base::Result<void> flush();

  base::PendingFile file_;
  std::vector<std::uint8_t> frame_;  // plain, not yet written
  std::size_t frame_first_ = 0;      // of sources_: the first in this frame
  std::vector<store::PackedSource> sources_;
};

base::Result<std::string> read_packed(const std::string& pack, const store::PackedSource& source);

}  // namespace ingest
