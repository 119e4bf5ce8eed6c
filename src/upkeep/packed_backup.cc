#include "upkeep/packed_backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <vector>

#include "base/file.h"
#include "base/text.h"

namespace upkeep {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kPiece = 1u << 20;
constexpr std::string_view kBlobs = "blobs/";

Error not_whole(const std::string& what) {
  return {Fault::malformed, "this is no backup, or one that was not finished: " + what};
}

Result<void> pack_file(const std::string& path, std::string_view name, TarWriter& tar,
                       Progress& progress) {
  TRY(go_on(progress));
  const base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!file.valid() || ::fstat(file.get(), &info) != 0) {
    return base::error_from_errno(errno, "cannot open", path);
  }
  const auto size = static_cast<std::uint64_t>(info.st_size);
  TRY(tar.begin(name, size, info.st_mtim.tv_sec));
  std::vector<std::uint8_t> piece(kPiece);
  for (std::uint64_t done = 0; done < size;) {
    const std::size_t wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), size - done));
    const ssize_t n = ::read(file.get(), piece.data(), wanted);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot read", path);
    if (n == 0) return Error{Fault::unavailable, path + ": became shorter while it was read"};
    TRY(tar.append(Bytes(piece).first(static_cast<std::size_t>(n))));
    done += static_cast<std::uint64_t>(n);
    progress.bytes += static_cast<std::uint64_t>(n);
  }
  ++progress.files;
  return {};
}

Result<void> unpack_file(TarReader& tar, const std::string& path, Progress& progress) {
  const base::Fd out(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!out.valid()) return base::error_from_errno(errno, "cannot make", path);
  std::vector<std::uint8_t> piece(kPiece);
  for (;;) {
    const std::size_t n = TRY(tar.read(piece));
    if (n == 0) break;
    for (std::size_t at = 0; at < n;) {
      const ssize_t wrote = ::write(out.get(), piece.data() + at, n - at);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return base::error_from_errno(errno, "cannot write", path);
      at += static_cast<std::size_t>(wrote);
    }
    progress.bytes += n;
  }
  if (::fsync(out.get()) != 0) return base::error_from_errno(errno, "cannot sync", path);
  ++progress.files;
  return {};
}

// What came out of an archive so far.
class Unpacked {
 public:
  Unpacked(std::string target, Progress& progress)
      : target_(std::move(target)), progress_(progress) {}

  Result<void> take(TarReader& tar, const TarReader::Entry& entry) {
    if (has_proof_) return not_whole("something follows its proof");
    if (entry.name == kBackupProof) {
      has_proof_ = true;
      return unpack_file(tar, base::join_path(target_, kBackupProof), aside_);
    }
    if (entry.name == kBackupDatabase) {
      has_database_ = true;
      return unpack_file(tar, pending_database(), aside_);
    }
    if (!entry.name.starts_with(kBlobs) || !is_blob_path(entry.name.substr(kBlobs.size()))) {
      return not_whole("it has a file " + base::to_valid_utf8(entry.name));
    }
    const std::string path = base::join_path(target_, entry.name);
    const std::string directory(base::parent_of(path));
    if (directories_.insert(directory).second) TRY(base::make_directories(directory));
    return unpack_file(tar, path, progress_);
  }

  // The database last, as restore() does.
  Result<BackedUp> finish() {
    if (!has_proof_) return not_whole("it ends without " + std::string(kBackupProof));
    BackedUp made = TRY(read_proof(target_));
    if (progress_.files != made.files || has_database_ != made.has_database) {
      return not_whole("it has " + std::to_string(progress_.files) + " files, and was made with " +
                       std::to_string(made.files));
    }
    for (const std::string& directory : directories_) TRY(base::sync_directory(directory));
    TRY(base::remove_file(base::join_path(target_, kBackupProof)));
    const std::string database = base::join_path(target_, kBackupDatabase);
    if (has_database_ && ::rename(pending_database().c_str(), database.c_str()) != 0) {
      return base::error_from_errno(errno, "cannot rename to", database);
    }
    TRY(base::sync_directory(target_));
    made.directory = target_;
    return made;
  }

 private:
  std::string pending_database() const {
    return base::join_path(target_, std::string(kBackupDatabase) + ".unfinished");
  }

  const std::string target_;
  Progress& progress_;
  Progress aside_;  // what is no blob is not counted
  std::set<std::string> directories_;
  bool has_proof_ = false, has_database_ = false;
};

}  // namespace

Result<void> pack_backup(const std::string& directory, const TarWriter::Sink& sink,
                         Progress& progress) {
  const BackedUp made = TRY(read_proof(directory));
  progress.files_all = made.files;
  progress.bytes_all = made.bytes;
  TarWriter tar(sink);
  Progress aside;  // what is no blob is not counted
  if (made.has_database) {
    TRY(pack_file(base::join_path(directory, kBackupDatabase), kBackupDatabase, tar, aside));
  }
  const std::string blobs = base::join_path(directory, "blobs");
  std::vector<std::string> paths;
  if (base::file_exists(blobs)) paths = TRY(list_blobs(blobs));
  for (const std::string& path : paths) {
    TRY(pack_file(path, path.substr(directory.size() + 1), tar, progress));
  }
  TRY(pack_file(base::join_path(directory, kBackupProof), kBackupProof, tar, aside));
  return tar.finish();
}

Result<BackedUp> unpack_backup(const TarReader::Source& source, const std::string& target,
                               Progress& progress) {
  TRY(must_be_new(target));
  TRY(base::make_directories(target));
  TarReader tar(source);
  Unpacked unpacked(target, progress);
  for (;;) {
    TRY(go_on(progress));
    const auto entry = TRY(tar.next());
    if (!entry) return unpacked.finish();
    TRY(unpacked.take(tar, *entry));
  }
}

}  // namespace upkeep
