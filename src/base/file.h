// Files as the product uses them: mapped for reading, written whole or not at all.
// Fd, MappedFile, PendingFile, TemporaryDirectory and LockFile own what they name and let it go
// in their destructor. A MappedFile is immutable and may be read by any thread; its bytes stay
// valid while a shared_ptr to it lives. Functions fail with not_found, denied, unavailable
// (disk full, I/O error) or too_large, and the error names the path.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/sha256.h"

namespace base {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset();

 private:
  int fd_ = -1;
};

// The Error for a failed system call: fault from errno, text "path: verb: reason".
Error error_from_errno(int error_number, std::string_view verb, std::string_view path);

class MappedFile {
 public:
  static Result<std::shared_ptr<const MappedFile>> open(const std::string& path);
  static std::shared_ptr<const MappedFile> from_bytes(std::vector<std::uint8_t> bytes);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  Bytes bytes() const { return bytes_; }
  const std::string& path() const { return path_; }

 private:
  MappedFile() = default;
  std::string path_;
  Bytes bytes_;
  std::vector<std::uint8_t> owned_;  // used by from_bytes only
  bool mapped_ = false;
};

// A file that nobody sees until commit(): written beside its place or in `directory`, then
// fsync, rename, fsync of the target's directory. Removed by the destructor if not committed.
// The disk begins on a large one while it grows, so that sync() has little left to wait for.
class PendingFile {
 public:
  static Result<PendingFile> create(const std::string& directory);
  // A file that is there already, made by an earlier process perhaps: to be written on at its
  // end, and removed by the destructor as well unless release() is called.
  static Result<PendingFile> adopt(const std::string& path);
  PendingFile(PendingFile&& other) noexcept;
  PendingFile& operator=(PendingFile&& other) noexcept;
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;
  ~PendingFile();

  Result<void> append(Bytes bytes);
  // Whether an append() failed, as on a full disk: then it lacks what came.
  bool is_broken() const { return is_broken_; }
  Result<void> sync();
  // For many at once, without a descriptor for each: only commit(), rename_to(), path() and
  // size() may follow.
  Result<void> sync_and_close();
  // REQUIRES: target on the same file system. Implies sync(). Makes missing directories.
  Result<void> commit(const std::string& target);
  // The rename alone: the caller has synced the file and syncs the target's directory.
  Result<void> rename_to(const std::string& target);
  Result<void> truncate(std::uint64_t size);
  // Lets the file be: it stays where it is, for another adopt().
  void release() { path_.clear(); }
  int fd() const { return fd_.get(); }
  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  // The hash of all that was written, when whoever wrote it took it on the way: nobody need read
  // the file again for it. What is written or cut later makes it unknown.
  void set_hash(const Sha256& hash) { hash_ = hash; }
  const std::optional<Sha256>& hash() const { return hash_; }

 private:
  PendingFile() = default;
  void begin_writing_back();
  Fd fd_;
  std::string path_;
  std::uint64_t size_ = 0;
  std::uint64_t sent_to_disk_ = 0;  // so many bytes are on their way there; a hint
  bool is_broken_ = false;
  std::optional<Sha256> hash_;
};

class TemporaryDirectory {
 public:
  static Result<TemporaryDirectory> create(std::string_view prefix);
  static Result<TemporaryDirectory> create_in(const std::string& parent, std::string_view prefix);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();
  const std::string& path() const { return path_; }

 private:
  TemporaryDirectory() = default;
  std::string path_;
};

// An advisory lock on a file that stays: one process at a time. Its text says who holds it.
class LockFile {
 public:
  // unavailable, with the holder's text in the error, when another process has it.
  static Result<LockFile> acquire(const std::string& path, std::string_view text);
  LockFile(LockFile&&) noexcept = default;
  LockFile& operator=(LockFile&&) noexcept = default;

  Result<void> set_text(std::string_view text);

 private:
  LockFile() = default;
  std::string path_;
  Fd fd_;
};

Result<std::string> read_file(const std::string& path, std::uint64_t size_max = 1ull << 30);
// The first bytes, fewer when the file is shorter. Unlike a mapping it bears that somebody else
// cuts the file short meanwhile.
Result<std::vector<std::uint8_t>> read_head(const std::string& path, std::size_t size);
Result<void> write_file_durably(const std::string& path, Bytes bytes);  // tmp, fsync, rename, fsync
Result<void> make_directories(const std::string& path);
Result<void> sync_directory(const std::string& path);
Result<void> remove_file(const std::string& path);
Result<void> remove_tree(const std::string& path);
bool file_exists(const std::string& path);
// Regular files under `path`, depth first, in name order; symbolic links are not followed.
Result<std::vector<std::string>> list_files(const std::string& path);

std::string join_path(std::string_view directory, std::string_view name);
std::string_view parent_of(std::string_view path);    // "" when there is none
std::string_view basename_of(std::string_view path);  // after the last '/' or '\'

}  // namespace base
