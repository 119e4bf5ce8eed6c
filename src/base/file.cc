#include "base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace base {

namespace fs = std::filesystem;

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

namespace {
constexpr std::uint64_t kWriteBackSize = 16ull << 20;

Fault fault_from_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Fault::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Fault::denied;
    case EFBIG:
      return Fault::too_large;
    default:
      return Fault::unavailable;
  }
}

Error error_from_code(const std::error_code& code, std::string_view verb, std::string_view path) {
  return error_from_errno(code.value(), verb, path);
}

}  // namespace

Error error_from_errno(int error_number, std::string_view verb, std::string_view path) {
  std::string what(path);
  what += ": ";
  what += verb;
  what += ": ";
  what += std::generic_category().message(error_number);
  return {fault_from_errno(error_number), std::move(what)};
}

Result<std::shared_ptr<const MappedFile>> MappedFile::open(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return error_from_errno(errno, "cannot open", path);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return error_from_errno(errno, "cannot stat", path);
  if (!S_ISREG(info.st_mode)) return Error{Fault::malformed, path + ": is not a regular file"};
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->path_ = path;
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) return std::shared_ptr<const MappedFile>(std::move(file));
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (start == MAP_FAILED) return error_from_errno(errno, "cannot map", path);
  file->bytes_ = {static_cast<const std::uint8_t*>(start), size};
  file->mapped_ = true;
  return std::shared_ptr<const MappedFile>(std::move(file));
}

std::shared_ptr<const MappedFile> MappedFile::from_bytes(std::vector<std::uint8_t> bytes) {
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->owned_ = std::move(bytes);
  file->bytes_ = file->owned_;
  file->path_ = "<memory>";
  return file;
}

MappedFile::~MappedFile() {
  if (mapped_) ::munmap(const_cast<std::uint8_t*>(bytes_.data()), bytes_.size());
}

Result<PendingFile> PendingFile::create(const std::string& directory) {
  PendingFile file;
  file.path_ = join_path(directory, "pending-XXXXXX");
  file.fd_ = Fd(::mkostemp(file.path_.data(), O_CLOEXEC));
  if (!file.fd_.valid()) {
    const int error_number = errno;
    file.path_.clear();
    return error_from_errno(error_number, "cannot create a temporary file in", directory);
  }
  ::fchmod(file.fd_.get(), 0644);
  return file;
}

Result<PendingFile> PendingFile::adopt(const std::string& path) {
  PendingFile file;
  file.fd_ = Fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (!file.fd_.valid()) return error_from_errno(errno, "cannot open", path);
  struct stat info{};
  if (::fstat(file.fd_.get(), &info) != 0) return error_from_errno(errno, "cannot stat", path);
  file.path_ = path;
  file.size_ = static_cast<std::uint64_t>(info.st_size);
  file.sent_to_disk_ = file.size_;
  return file;
}

Result<void> PendingFile::truncate(std::uint64_t size) {
  const auto end = static_cast<off_t>(size);
  if (::ftruncate(fd_.get(), end) != 0 || ::lseek(fd_.get(), end, SEEK_SET) < 0) {
    return error_from_errno(errno, "cannot truncate", path_);
  }
  size_ = size;
  hash_.reset();
  sent_to_disk_ = std::min(sent_to_disk_, size);
  return {};
}

PendingFile::PendingFile(PendingFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      path_(std::exchange(other.path_, {})),
      size_(other.size_),
      sent_to_disk_(other.sent_to_disk_),
      is_broken_(other.is_broken_),
      hash_(other.hash_) {}

PendingFile& PendingFile::operator=(PendingFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(path_, other.path_);
  std::swap(size_, other.size_);
  std::swap(sent_to_disk_, other.sent_to_disk_);
  std::swap(is_broken_, other.is_broken_);
  std::swap(hash_, other.hash_);
  return *this;
}

PendingFile::~PendingFile() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<void> PendingFile::append(Bytes bytes) {
  hash_.reset();
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error_number = errno;
      is_broken_ = true;
      return error_from_errno(error_number, "cannot write", path_);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    size_ += static_cast<std::uint64_t>(n);
  }
  if (size_ - sent_to_disk_ >= kWriteBackSize) begin_writing_back();
  return {};
}

// Starts the writing and waits for nothing; where it cannot, sync() does it all.
void PendingFile::begin_writing_back() {
  ::sync_file_range(fd_.get(), static_cast<off64_t>(sent_to_disk_),
                    static_cast<off64_t>(size_ - sent_to_disk_), SYNC_FILE_RANGE_WRITE);
  sent_to_disk_ = size_;
}

Result<void> PendingFile::sync() {
  if (::fsync(fd_.get()) != 0) return error_from_errno(errno, "cannot fsync", path_);
  return {};
}

Result<void> PendingFile::sync_and_close() {
  TRY(sync());
  fd_.reset();
  return {};
}

Result<void> PendingFile::commit(const std::string& target) {
  const std::string directory(parent_of(target).empty() ? "." : parent_of(target));
  if (fd_.valid()) TRY(sync());
  TRY(make_directories(directory));
  TRY(rename_to(target));
  return sync_directory(directory);
}

Result<void> PendingFile::rename_to(const std::string& target) {
  if (::rename(path_.c_str(), target.c_str()) != 0) {
    return error_from_errno(errno, "cannot rename to " + target, path_);
  }
  path_.clear();
  return {};
}

Result<TemporaryDirectory> TemporaryDirectory::create(std::string_view prefix) {
  const char* root = std::getenv("TMPDIR");
  return create_in(root != nullptr ? root : "/tmp", prefix);
}

Result<TemporaryDirectory> TemporaryDirectory::create_in(const std::string& parent,
                                                         std::string_view prefix) {
  TemporaryDirectory directory;
  directory.path_ = join_path(parent, std::string(prefix) + "-XXXXXX");
  if (::mkdtemp(directory.path_.data()) == nullptr) {
    const Error error = error_from_errno(errno, "cannot create", directory.path_);
    directory.path_.clear();
    return error;
  }
  return directory;
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory&& other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

Result<LockFile> LockFile::acquire(const std::string& path, std::string_view text) {
  LockFile lock;
  lock.path_ = path;
  lock.fd_ = Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock.fd_.valid()) return error_from_errno(errno, "cannot open", path);
  if (::flock(lock.fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return error_from_errno(errno, "cannot lock", path);
    std::string holder = read_file(path).value_or("");
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    return Error{Fault::unavailable, path + ": in use by " + holder};
  }
  TRY(lock.set_text(text));
  return lock;
}

Result<void> LockFile::set_text(std::string_view text) {
  if (::ftruncate(fd_.get(), 0) != 0 ||
      ::pwrite(fd_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return error_from_errno(errno, "cannot write", path_);
  }
  return {};
}

Result<std::vector<std::uint8_t>> read_head(const std::string& path, std::size_t size) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid()) return error_from_errno(errno, "cannot open", path);
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return error_from_errno(errno, "cannot stat", path);
  std::vector<std::uint8_t> head(
      std::min(size, static_cast<std::size_t>(std::max<off_t>(info.st_size, 0))));
  const ssize_t n = ::pread(fd.get(), head.data(), head.size(), 0);
  if (n < 0) return error_from_errno(errno, "cannot read", path);
  head.resize(static_cast<std::size_t>(n));
  return head;
}

Result<std::string> read_file(const std::string& path, std::uint64_t size_max) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return error_from_errno(errno, "cannot open", path);
  std::string text;
  char buffer[64 * 1024];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_from_errno(errno, "cannot read", path);
    if (n == 0) return text;
    if (text.size() + static_cast<std::size_t>(n) > size_max) {
      return Error{Fault::too_large,
                   path + ": is larger than " + std::to_string(size_max) + " bytes"};
    }
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

Result<void> write_file_durably(const std::string& path, Bytes bytes) {
  const std::string directory(parent_of(path).empty() ? "." : parent_of(path));
  TRY(make_directories(directory));
  PendingFile file = TRY(PendingFile::create(directory));
  TRY(file.append(bytes));
  return file.commit(path);
}

Result<void> make_directories(const std::string& path) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code) return error_from_code(code, "cannot make the directory", path);
  return {};
}

Result<void> sync_directory(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return error_from_errno(errno, "cannot open", path);
  if (::fsync(fd.get()) != 0) return error_from_errno(errno, "cannot fsync", path);
  return {};
}

Result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return error_from_errno(errno, "cannot remove", path);
  return {};
}

Result<void> remove_tree(const std::string& path) {
  std::error_code code;
  fs::remove_all(path, code);
  if (code) return error_from_code(code, "cannot remove", path);
  return {};
}

bool file_exists(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0;
}

Result<std::vector<std::string>> list_files(const std::string& path) {
  std::vector<std::string> files;
  std::error_code code;
  fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, code);
  if (code) return error_from_code(code, "cannot list", path);
  for (const fs::recursive_directory_iterator end; at != end; at.increment(code)) {
    const fs::file_type type = at->symlink_status(code).type();
    if (type == fs::file_type::none) return error_from_code(code, "cannot list", path);
    if (type == fs::file_type::regular) files.push_back(at->path());
  }
  // An iterator that fails on its way is one at the end.
  if (code) return error_from_code(code, "cannot list all of", path);
  std::sort(files.begin(), files.end());
  return files;
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  return path.substr(0, slash == 0 ? 1 : slash);
}

std::string_view basename_of(std::string_view path) {
  const auto slash = path.find_last_of("/\\");
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace base
