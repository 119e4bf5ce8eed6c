#include "cli/one_file_backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "base/text.h"
#include "upkeep/packed_backup.h"

namespace cli {

using base::Bytes;
using base::Error;
using base::Fault;
using base::JsonValue;
using base::JsonWriter;
using base::Result;

namespace {

constexpr std::string_view kStream = "-";

// Goes with what is in it, whatever came of it.
class Staging {
 public:
  explicit Staging(const std::string& data) {
    std::array<std::uint8_t, 8> bytes{};
    base::fill_random(bytes);
    path_ = base::join_path(data, "tmp/packing-" + base::hex_of(bytes));
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;
  ~Staging() { static_cast<void>(base::remove_tree(path_)); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<void> write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot write", "stdout");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<std::size_t> read_some(int fd, std::span<std::uint8_t> room) {
  for (;;) {
    const ssize_t n = ::read(fd, room.data(), room.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return base::error_from_errno(errno, "cannot read", "the backup");
  }
}

Result<void> check_target(const std::string& target) {
  if (target == kStream) {
    if (::isatty(STDOUT_FILENO) == 0) return {};
    return Error{Fault::malformed, "a terminal is no place for an archive: send stdout elsewhere"};
  }
  if (!base::file_exists(target)) return {};
  return Error{Fault::malformed, target + ": is there already; say another name"};
}

Result<void> pack(const std::string& directory, const std::string& target,
                  upkeep::Progress& progress) {
  if (target == kStream) {
    return upkeep::pack_backup(
        directory, [](Bytes bytes) { return write_all(STDOUT_FILENO, bytes); }, progress);
  }
  base::PendingFile file =
      TRY(base::PendingFile::create(std::string(base::parent_of(absolute_path(target)))));
  TRY(upkeep::pack_backup(
      directory, [&file](Bytes bytes) { return file.append(bytes); }, progress));
  return file.commit(absolute_path(target));
}

Result<upkeep::BackedUp> restore_watched(const std::string& backup, const std::string& data,
                                         upkeep::Progress& progress) {
  if (backup == kStream) {
    return upkeep::unpack_backup(
        [](std::span<std::uint8_t> room) { return read_some(STDIN_FILENO, room); }, data, progress);
  }
  const base::Fd file(::open(backup.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!file.valid() || ::fstat(file.get(), &info) != 0 || S_ISDIR(info.st_mode)) {
    return upkeep::restore(backup, data, progress);
  }
  // Nearly: an archive has heads and the database, too.
  if (S_ISREG(info.st_mode)) progress.bytes_all = static_cast<std::uint64_t>(info.st_size);
  return upkeep::unpack_backup(
      [&file](std::span<std::uint8_t> room) { return read_some(file.get(), room); }, data,
      progress);
}

}  // namespace

std::string json_of(const BackupWish& wish) {
  JsonWriter out;
  out.begin_object().key("directory").string(wish.target);
  out.key("blobs_only").boolean(wish.blobs_only);
  out.key("own_copies").boolean(wish.own_copies).end_object();
  return out.take();
}

bool is_one_file(const std::string& target) {
  return target == kStream || target.ends_with(".tar");
}

Result<std::string> back_up_to_one_file(
    const std::string& data, const BackupWish& wish,
    const std::function<Result<std::string>(const BackupWish&)>& make, const ShowNumbers& show) {
  TRY(check_target(wish.target));
  const Staging staging(data);
  BackupWish inner = wish;
  inner.target = staging.path();
  inner.own_copies = false;  // the archive is one
  const std::string text = TRY(make(inner));
  upkeep::Progress progress;
  Result<void> packed;
  run_watched(progress, show, [&] { packed = pack(staging.path(), wish.target, progress); });
  TRY(std::move(packed));
  const JsonValue made = TRY(JsonValue::parse(text));
  upkeep::BackedUp backup;
  backup.directory = wish.target;
  backup.files = static_cast<std::uint64_t>(made["files"].integer_or(0));
  backup.bytes = static_cast<std::uint64_t>(made["bytes"].integer_or(0));
  backup.has_database = !wish.blobs_only;
  return upkeep::json_of(backup);
}

Result<upkeep::BackedUp> restore_from(const std::string& backup, const std::string& data,
                                      const ShowNumbers& show) {
  upkeep::Progress progress;
  Result<upkeep::BackedUp> made = upkeep::BackedUp();
  run_watched(progress, show, [&] { made = restore_watched(backup, data, progress); });
  return made;
}

std::string absolute_path(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::array<char, PATH_MAX> directory{};
  if (::getcwd(directory.data(), directory.size()) == nullptr) return path;
  return base::join_path(directory.data(), path);
}

}  // namespace cli
