#include "store/blobs.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/text.h"

namespace store {

using base::Result;
using base::Sha256;

std::optional<Sha256> find_sha256(std::string_view hex) {
  const auto bytes = base::bytes_from_hex(hex);
  Sha256 hash;
  if (!bytes || bytes->size() != hash.bytes.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), hash.bytes.begin());
  return hash;
}

namespace {
constexpr unsigned kDirectoryCount = 256;  // by the first byte of the hash
}

Result<Sha256> sha256_of_file(const std::string& path) {
  const base::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open", path);
  base::Sha256Stream stream;
  std::vector<std::uint8_t> buffer(256 * 1024);
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot read", path);
    if (n == 0) return stream.finish();
    stream.update({buffer.data(), static_cast<std::size_t>(n)});
  }
}

namespace {
Result<Sha256> hash_of(const base::PendingFile& file) {
  if (file.hash()) return *file.hash();
  return sha256_of_file(file.path());
}
}  // namespace

Result<Blobs> Blobs::open(std::string directory, std::string tmp_directory) {
  // All 256 places at once: put() then never makes a directory, whose own entry would have to
  // reach the disk as well.
  Blobs blobs(std::move(directory), std::move(tmp_directory));
  for (unsigned i = 0; i < kDirectoryCount; ++i) TRY(base::make_directories(blobs.directory_of(i)));
  TRY(base::sync_directory(blobs.directory_));
  return blobs;
}

std::string Blobs::directory_of(unsigned number) const {
  const auto byte = static_cast<std::uint8_t>(number);
  return base::join_path(directory_, base::hex_of({&byte, 1}));
}

namespace {

std::string path_in(const std::string& directory, const Sha256& hash) {
  const std::string hex = hash.hex();
  return directory + "/" + hex.substr(0, 2) + "/" + hex;
}

}  // namespace

std::string Blobs::path_of(const Sha256& hash) const { return path_in(directory_, hash); }

std::string Blobs::place_of(const Sha256& hash) const {
  std::string path = path_of(hash);
  if (second_.empty() || base::file_exists(path)) return path;
  std::string second = path_in(second_, hash);
  return base::file_exists(second) ? second : path;
}

bool Blobs::has(const Sha256& hash) const { return base::file_exists(path_of(hash)); }

Result<Sha256> Blobs::put(base::PendingFile file) {
  const Sha256 hash = TRY(hash_of(file));
  if (refuse_) TRY(refuse_(hash));
  // Also over a blob that is already here: whoever put that one may not have synced it yet.
  TRY(file.commit(path_of(hash)));
  return hash;
}

Result<std::vector<Sha256>> Blobs::put_all(std::vector<base::PendingFile> files,
                                           const Admit& admit) {
  std::vector<Sha256> hashes;
  for (const base::PendingFile& file : files) {
    const Sha256 hash = TRY(hash_of(file));
    if (refuse_) TRY(refuse_(hash));
    hashes.push_back(hash);
  }
  if (admit) TRY(admit(hashes));
  std::set<std::string> touched;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string target = path_of(hashes[i]);
    TRY(files[i].rename_to(target));
    touched.emplace(base::parent_of(target));
  }
  for (const std::string& directory : touched) TRY(base::sync_directory(directory));
  return hashes;
}

Result<OpenBlob> Blobs::open_blob(const Sha256& hash) const {
  std::string path = path_of(hash);
  auto fd = std::make_shared<base::Fd>(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd->valid() && errno == ENOENT && !second_.empty()) {
    path = path_in(second_, hash);
    *fd = base::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  if (!fd->valid()) return base::error_from_errno(errno, "cannot open", path);
  struct stat info{};
  if (::fstat(fd->get(), &info) != 0) return base::error_from_errno(errno, "cannot stat", path);
  return OpenBlob{std::move(fd), static_cast<std::uint64_t>(info.st_size), path};
}

Result<void> Blobs::remove(const Sha256& hash) { return base::remove_file(path_of(hash)); }

Result<std::uint64_t> Blobs::sweep(const std::function<bool(const Sha256&)>& keep) {
  std::uint64_t removed = 0;
  for (unsigned i = 0; i < kDirectoryCount; ++i) {
    const std::vector<std::string> files = TRY(base::list_files(directory_of(i)));
    for (const std::string& path : files) {
      const auto hash = find_sha256(base::basename_of(path));
      if (!hash || keep(*hash)) continue;  // what does not look like ours is left alone
      TRY(base::remove_file(path));
      ++removed;
    }
  }
  return removed;
}

}  // namespace store
