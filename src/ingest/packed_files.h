// Debug files that come compressed: "foo.dbg.gz" (also .xz, .zst, .bz2), bundles of macOS
// "App.dSYM.tar.bz2", and cabinets "foo.pd_". What they hold is found by what it is, as if it had
// come plain; the packed file itself stays what its path says.
// Not the reading, which a child does (unpack.h), and not the expanding of uploaded cabinets, which
// are replaced by what they hold (cabinets.h).
// Any thread; unpack_packed() blocks as long as the child works.
// Fails with too_large (a limit of size or time), unavailable (disk) or internal. What cannot be
// read is no failure: it has no contents.
// Format: docs/protocols/upload.md
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ingest/ingest.h"
#include "ingest/unpack_in_child.h"

namespace ingest {

// By its name: a compressed file, or the archive of a bundle.
bool is_compressed_name(std::string_view name);
bool is_bundle_name(std::string_view name);
// "x.dbg" of "x.dbg.gz".
std::string plain_name_of(std::string_view compressed);

// What a member of the packed file at `path` goes by: "" is a compressed file's only one; a cabinet
// "foo.pdb/ID/foo.pd_" may call its own whatever it likes.
std::string name_in_packed(std::string_view path, std::string_view member);

// Whether these are the first bytes of a compressed debug file, of a compressed bundle or of a
// cabinet; kPackedHeadSize of them are enough. `name` is what the file goes by.
constexpr std::size_t kPackedHeadSize = 1 << 20;  // a block of bzip2 comes whole, or not at all
bool may_hold_debug_file(base::Bytes head, std::string_view name);

struct PackedContents {
  base::TemporaryDirectory directory;  // holds the files; outlives them
  std::vector<Received> files;         // each has an id
};
// What a packed file that was brought holds; nothing when it is none, or cannot be read.
// `tmp` is on the file system of the blobs.
base::Result<std::optional<PackedContents>> unpack_packed(const Packages& packages,
                                                          const archive::ZipLimits& limits,
                                                          const std::string& tmp,
                                                          const Received& received);

}  // namespace ingest
