// Uploads that come in parts, between their first part and their last: one file each in partial/ of
// the data directory, named by the SHA-256 that they shall have and by the project that they are
// for. They wait for a week, also across a restart; nothing here is found by anybody.
// They are hashed while they come; what came before a restart is read once more at the end.
// Not the requests (api/parts.h) and not the keeping (ingest).
// Any thread may call; calls block. One request at a time works on an upload: another one gets
// unavailable. Fails with not_found, malformed, too_large, unavailable or internal.
// Format: docs/protocols/upload.md
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/result.h"
#include "base/sha256.h"

namespace api {

// One upload's file, open and locked. It is unlocked before it is closed: a child that was forked
// meanwhile has the descriptor, too, until it executes, and would hold the lock for longer.
class LockedUpload {
 public:
  explicit LockedUpload(base::Fd fd) : fd_(std::move(fd)) {}
  LockedUpload(LockedUpload&&) noexcept = default;
  LockedUpload& operator=(LockedUpload&&) = delete;
  LockedUpload(const LockedUpload&) = delete;
  LockedUpload& operator=(const LockedUpload&) = delete;
  ~LockedUpload();
  const base::Fd& fd() const { return fd_; }

 private:
  base::Fd fd_;
};

class PartialUploads {
 public:
  struct Limits {
    std::size_t uploads_max = 1000;
    // When there are so many, the one that has waited longest gives way to a new one, unless
    // something came for it within this time.
    std::chrono::seconds stale_after = std::chrono::hours(1);
  };
  // `tmp` is on the same file system as `directory`.
  PartialUploads(std::string directory, std::string tmp, Limits limits)
      : directory_(std::move(directory)), tmp_(std::move(tmp)), limits_(limits) {}
  PartialUploads(std::string directory, std::string tmp)
      : PartialUploads(std::move(directory), std::move(tmp), Limits()) {}
  PartialUploads(const PartialUploads&) = delete;
  PartialUploads& operator=(const PartialUploads&) = delete;

  // One upload: of that content, for that project (lower case; "" is the default one).
  struct Name {
    base::Sha256 sha256;
    std::string project;
  };
  std::uint64_t received(const Name& name) const;  // 0: nothing of it is here

  struct Appended {
    bool fits = false;           // false: nothing was written, the part belongs elsewhere
    std::uint64_t received = 0;  // so much is here now
  };
  base::Result<Appended> append(const Name& name, std::uint64_t offset, base::Bytes part);

  // A complete upload in the hands of one request. Its bytes lie under a second name in tmp/, for
  // ingest to rename into place; until done() they stay here as well, so that a failure after
  // this costs no part.
  class Complete {
   public:
    base::PendingFile take() { return std::move(file_); }
    void done();  // it is kept: nothing of it waits here any more

   private:
    friend class PartialUploads;
    Complete(LockedUpload lock, std::string path, base::PendingFile file)
        : lock_(std::move(lock)),
          path_(std::move(path)),
          linked_(file.path()),
          file_(std::move(file)) {}
    LockedUpload lock_;
    std::string path_, linked_;
    base::PendingFile file_;
  };
  // Checks the hash; malformed, and all of it removed, when it is another. not_found: nothing is
  // here.
  base::Result<Complete> complete(const Name& name);

  // Removes those for which nothing came in that time, and returns how many.
  std::uint64_t sweep(std::chrono::seconds age);

 private:
  std::string place(const Name& name) const;
  base::Result<void> make_room();
  bool remove_idle(const std::string& path);

  struct Hashed {
    base::Sha256Stream stream;
    std::uint64_t size = 0;  // so many bytes from the first on
  };
  std::optional<Hashed> take_hash(const std::string& path, std::uint64_t size);

  const std::string directory_, tmp_;
  const Limits limits_;
  std::mutex making_room_;  // one at a time looks for what may go
  std::mutex hashes_mutex_;
  std::map<std::string, Hashed> hashes_;  // guarded by hashes_mutex_; by path
};

}  // namespace api
