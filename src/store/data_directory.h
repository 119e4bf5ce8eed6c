// The directory that holds everything a server owns: its lock, its places, its free space.
// Not the things in it: Blobs and Catalog keep those.
// open() makes what is missing, takes the locks for as long as the object lives, and empties tmp/.
// One process at a time; getters from any thread.
// open() fails with unavailable (another process has it: the error names its address), denied
// (cannot write there) or unavailable (disk full).
// Format: docs/formats/data-directory.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace store {

class DataDirectory {
 public:
  // `holder` is what a second process is told about us: an address and a process id. With `cache`,
  // the files that can be had again lie below that directory, in one of our own: on whatever disk,
  // and beside whatever else is there. "" is no cache; nothing: that of the last server here.
  static base::Result<DataDirectory> open(const std::string& path, std::string_view holder,
                                          const std::optional<std::string>& cache = {});

  // Once the server listens: replaces the text in the lock files.
  base::Result<void> set_holder(std::string_view holder);

  const std::string& path() const { return path_; }
  std::string database_url() const;
  std::string blobs() const { return base::join_path(path_, "blobs"); }
  std::string index() const { return base::join_path(kept_, "index"); }
  std::string cache() const { return base::join_path(path_, "cache"); }
  // Uploads that are not finished; kept over a restart.
  std::string uploads() const { return base::join_path(path_, "uploads"); }
  // A secret of the running server that only who may read this directory can know: with it the
  // command line shows that it may administer.
  std::string admin_key() const { return base::join_path(path_, "admin.key"); }
  std::string extracted() const { return base::join_path(kept_, "extracted"); }
  std::string tmp() const { return base::join_path(path_, "tmp"); }
  // For what goes to index() or extracted(), on the same disk as they.
  std::string tmp_of_kept() const { return base::join_path(kept_, "tmp"); }

 private:
  DataDirectory(const std::string& path, base::LockFile lock)
      : path_(path), kept_(path), lock_(std::move(lock)) {}
  base::Result<void> take_cache(const std::string& cache, std::string_view holder);
  base::Result<void> make_places() const;
  base::Result<void> link_kept() const;
  void unlink_kept() const;

  std::string path_;
  std::string kept_;  // what can be had again lies here; without a cache of its own in path_
  base::LockFile lock_;
  std::optional<base::LockFile> kept_lock_;  // of a cache of its own
};

// What the lock file of a data directory says: "127.0.0.1:7070 (process 4711)"; "" when nobody
// ever held it.
std::string holder_of(const std::string& data_directory);

// Bytes that we may still write on the disk of `path`; the largest number when that is not known.
std::uint64_t free_bytes(const std::string& path);
std::uint64_t disk_size(const std::string& path);  // 0 when that is not known

}  // namespace store
