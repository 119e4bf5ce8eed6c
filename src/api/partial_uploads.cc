#include "api/partial_uploads.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/log.h"
#include "store/blobs.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;

namespace {

std::uint64_t size_of(const base::Fd& fd) {
  struct stat info{};
  return ::fstat(fd.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

// Locked against another request for the same upload. The name must still be this file's when the
// lock is ours: it may have become a blob meanwhile, or gone.
Result<LockedUpload> open_locked(const std::string& path, int flags) {
  base::Fd fd(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open", path);
  struct stat held{};
  struct stat named{};
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(fd.get(), &held) != 0 ||
      ::stat(path.c_str(), &named) != 0 || held.st_ino != named.st_ino) {
    return Error{Fault::unavailable, "this upload is under way in another request"};
  }
  return LockedUpload(std::move(fd));
}

// Kept, but the server ended before the name here was gone: the bytes are a blob's.
bool is_kept(const base::Fd& fd) {
  struct stat info{};
  return ::fstat(fd.get(), &info) != 0 || info.st_nlink > 1;
}

std::optional<std::int64_t> age_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return base::now().us / 1'000'000 - info.st_mtime;
}

Result<void> write_at(const base::Fd& fd, std::uint64_t at, base::Bytes part,
                      const std::string& path) {
  while (!part.empty()) {
    const ::ssize_t n = ::pwrite(fd.get(), part.data(), part.size(), static_cast<::off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot write", path);
    at += static_cast<std::uint64_t>(n);
    part = part.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

LockedUpload::~LockedUpload() {
  if (fd_.valid()) ::flock(fd_.get(), LOCK_UN);
}

std::string PartialUploads::place(const Name& name) const {
  // A project's name is letters, digits and "-_.": no "+".
  std::string file = name.sha256.hex();
  if (!name.project.empty()) file += "+" + name.project;
  return base::join_path(directory_, file);
}

std::uint64_t PartialUploads::received(const Name& name) const {
  const base::Fd fd(::open(place(name).c_str(), O_RDONLY | O_CLOEXEC));
  return fd.valid() ? size_of(fd) : 0;
}

Result<void> PartialUploads::make_room() {
  const std::lock_guard alone(making_room_);
  const auto waiting = base::list_files(directory_);
  if (!waiting.ok() || waiting->size() < limits_.uploads_max) return {};
  std::vector<std::pair<std::int64_t, std::string>> by_age;
  for (const std::string& path : *waiting) {
    const auto age = age_of(path);
    if (age && *age >= limits_.stale_after.count()) by_age.emplace_back(*age, path);
  }
  std::sort(by_age.rbegin(), by_age.rend());
  for (const auto& [age, path] : by_age) {
    if (!remove_idle(path)) continue;
    base::log::warning("too many unfinished uploads: one that waited for {} s gave way", age);
    return {};
  }
  return Error{Fault::unavailable, "too many unfinished uploads wait here"};
}

Result<PartialUploads::Appended> PartialUploads::append(const Name& name, std::uint64_t offset,
                                                        base::Bytes part) {
  TRY(base::make_directories(directory_));
  const std::string path = place(name);
  if (!base::file_exists(path)) {
    if (offset != 0) return Appended{false, 0};
    TRY(make_room());
  }
  const LockedUpload upload = TRY(open_locked(path, O_WRONLY | O_CREAT));
  const base::Fd& fd = upload.fd();
  const std::uint64_t have = size_of(fd);
  if (have != offset || is_kept(fd)) return Appended{false, have};
  auto hashed = take_hash(path, have);
  TRY(write_at(fd, have, part, path));
  const std::uint64_t size = have + part.size();
  if (have == 0) hashed.emplace();
  if (hashed) {
    hashed->stream.update(part);
    hashed->size = size;
    const std::lock_guard lock(hashes_mutex_);
    hashes_.insert_or_assign(path, std::move(*hashed));
  }
  return Appended{true, size};
}

// What was hashed of the upload, if that is all of these many bytes; it is made anew or not at all
// from then on. REQUIRES: the upload is locked.
std::optional<PartialUploads::Hashed> PartialUploads::take_hash(const std::string& path,
                                                                std::uint64_t size) {
  const std::lock_guard lock(hashes_mutex_);
  auto found = hashes_.extract(path);
  if (found.empty() || found.mapped().size != size) return std::nullopt;
  return std::move(found.mapped());
}

// Not one that a request works on.
bool PartialUploads::remove_idle(const std::string& path) {
  const auto held = open_locked(path, O_RDONLY);
  if (!held.ok()) return false;
  take_hash(path, 0);
  return base::remove_file(path).ok();
}

Result<PartialUploads::Complete> PartialUploads::complete(const Name& name) {
  const std::string path = place(name);
  LockedUpload lock = TRY(open_locked(path, O_RDONLY));
  auto hashed = take_hash(path, size_of(lock.fd()));
  base::Sha256 have;
  if (hashed) {
    have = hashed->stream.finish();
  } else {
    have = TRY(store::sha256_of_file(path));
  }
  if (have != name.sha256) {
    TRY(base::remove_file(path));
    return Error{Fault::malformed, "what was sent has another SHA-256: begin again"};
  }
  const std::string linked = base::join_path(tmp_, std::string(base::basename_of(path)));
  ::unlink(linked.c_str());  // of an attempt before, if at all: we hold the lock
  const bool is_linked = ::link(path.c_str(), linked.c_str()) == 0;
  if (!is_linked && errno != EPERM && errno != EOPNOTSUPP && errno != EMLINK) {
    return base::error_from_errno(errno, "cannot link to " + linked, path);
  }
  // Where a file system has no second names, the parts are handed over themselves.
  base::PendingFile file = TRY(base::PendingFile::adopt(is_linked ? linked : path));
  return Complete(std::move(lock), path, std::move(file));
}

void PartialUploads::Complete::done() {
  // Renaming over another name of the same file does nothing: then both are left.
  ::unlink(linked_.c_str());
  if (::unlink(path_.c_str()) != 0 && errno != ENOENT) {
    base::log::warning("{}: kept, and waits here still", path_);
  }
}

std::uint64_t PartialUploads::sweep(std::chrono::seconds age) {
  const auto files = base::list_files(directory_);
  if (!files.ok()) return 0;  // not there yet
  std::uint64_t removed = 0;
  for (const std::string& path : *files) {
    const auto waited = age_of(path);
    if (waited && *waited >= age.count() && remove_idle(path)) ++removed;
  }
  return removed;
}

}  // namespace api
