// Immutable files kept by the SHA-256 of their content: blobs/ab/abcdef….
// Not a catalogue: what a blob is and who may find it stands in store/catalog.h. A blob without
// a row there is nobody's and is swept at the next start.
// A blob becomes visible by one rename, after its bytes have reached the disk, or not at all;
// put() returns after the directory has reached it too.
// Any thread may call; calls block.
// Fails with not_found, unavailable (disk full, I/O error) or what refuse_with() says.
// Format: docs/formats/data-directory.md
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "base/sha256.h"

namespace store {

struct OpenBlob {
  std::shared_ptr<const base::Fd> fd;
  std::uint64_t size = 0;
  std::string path;
};

class Blobs {
 public:
  // Both directories exist and are on one file system.
  static base::Result<Blobs> open(std::string directory, std::string tmp_directory);

  // A file to be filled and given to put().
  base::Result<base::PendingFile> create() const { return base::PendingFile::create(tmp_); }

  // Takes the file over. Content that is already here is kept once.
  base::Result<base::Sha256> put(base::PendingFile file);
  // The same for many, with one sync for each directory touched. REQUIRES: each file is synced.
  // `admit` sees their hashes, in order, and may refuse them all before any is kept.
  using Admit = std::function<base::Result<void>(const std::vector<base::Sha256>&)>;
  base::Result<std::vector<base::Sha256>> put_all(std::vector<base::PendingFile> files,
                                                  const Admit& admit = nullptr);
  base::Result<OpenBlob> open_blob(const base::Sha256& hash) const;
  std::string path_of(const base::Sha256& hash) const;
  const std::string& tmp() const { return tmp_; }  // where create() makes files
  // Asked for each content before it is put; what it refuses is not kept, nor what came with it.
  // Before any other call.
  using Refuse = std::function<base::Result<void>(const base::Sha256&)>;
  void refuse_with(Refuse refuse) { refuse_ = std::move(refuse); }
  // A second directory of the same shape, where open_blob() and place_of() look for what is not
  // here: files that may go at any time and be made again. Before any other call.
  void also_look_in(std::string directory) { second_ = std::move(directory); }
  // Where the bytes are now: here, or in the second directory; path_of() when they are nowhere.
  std::string place_of(const base::Sha256& hash) const;
  bool has(const base::Sha256& hash) const;
  base::Result<void> remove(const base::Sha256& hash);

  // Held shared from the putting of blobs until their rows are committed, and alone by who
  // removes blobs that have no rows: else a row could be left without its blob.
  std::shared_mutex& in_use() const { return *in_use_; }

  // Removes every blob for which `keep` says no, and returns how many. Only before anybody
  // uploads: a blob whose row is still on its way looks like nobody's.
  base::Result<std::uint64_t> sweep(const std::function<bool(const base::Sha256&)>& keep);

 private:
  Blobs(std::string directory, std::string tmp)
      : directory_(std::move(directory)), tmp_(std::move(tmp)) {}
  std::string directory_of(unsigned number) const;

  std::string directory_;
  std::string tmp_;
  std::unique_ptr<std::shared_mutex> in_use_ = std::make_unique<std::shared_mutex>();
  std::string second_;
  Refuse refuse_;
};

// The hash of a whole file, read once.
base::Result<base::Sha256> sha256_of_file(const std::string& path);
std::optional<base::Sha256> find_sha256(std::string_view hex);

}  // namespace store
