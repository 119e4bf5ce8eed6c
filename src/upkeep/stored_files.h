// The files of a directory that is kept by content hash (blobs/, extracted/), read again: what is
// there, and which of them are not what their name says.
// Reads only. Several threads; blocks for as long as the disk takes.
// Fails with unavailable: the directory cannot be listed, or somebody wants it to end. A file that
// goes while it is read is no matter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "upkeep/house.h"

namespace upkeep {

// Which file it was that was read: a put() over it makes another.
struct FileMark {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  friend bool operator==(const FileMark&, const FileMark&) = default;
};
std::optional<FileMark> mark_of(const std::string& path);

struct BadFile {
  std::string path;
  FileMark mark;
  std::optional<base::Sha256> named;  // nothing: its name is no hash, or not where it belongs
  std::string what;                   // "its bytes have the hash …", "cannot be read: …"
};

struct StoredFiles {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
  std::vector<BadFile> bad;  // by path
};

base::Result<StoredFiles> read_stored_files(const std::string& directory, unsigned threads,
                                            Progress& progress);

}  // namespace upkeep
