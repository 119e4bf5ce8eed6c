#include "server/tree_size.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace server {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kLooksBetweenQuestions = 256;

base::Time time_of(const struct ::timespec& time) {
  return {static_cast<std::int64_t>(time.tv_sec) * 1'000'000 + time.tv_nsec / 1000};
}

base::Time earlier(base::Time a, base::Time b) {
  if (a.us == 0 || b.us == 0) return std::max(a, b);
  return std::min(a, b);
}

void add_file(const struct ::stat& info, TreeSize& size) {
  const base::Time written = time_of(info.st_mtim);
  ++size.files;
  size.bytes += static_cast<std::uint64_t>(info.st_size);
  size.oldest = earlier(size.oldest, written);
  size.unused_since = earlier(size.unused_since, std::max(written, time_of(info.st_atim)));
}

}  // namespace

void TreeSize::add(const TreeSize& other) {
  files += other.files;
  bytes += other.bytes;
  oldest = earlier(oldest, other.oldest);
  unused_since = earlier(unused_since, other.unused_since);
  is_whole = is_whole && other.is_whole;
}

TreeSize measure_tree(const std::string& path, std::int64_t until_us) {
  return measure_tree(path, [until_us] { return base::monotonic_us() <= until_us; });
}

TreeSize measure_tree(const std::string& path, const std::function<bool()>& goes_on) {
  TreeSize size;
  struct ::stat info{};
  // The place itself may be a link: index/ is one where the cache lies on another disk.
  if (::stat(path.c_str(), &info) != 0) return size;
  if (S_ISREG(info.st_mode)) add_file(info, size);
  if (!S_ISDIR(info.st_mode)) return size;
  std::error_code error;
  std::uint64_t looks = 0;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(path + "/", options, error), end; !error && at != end;
       at.increment(error)) {
    if (++looks % kLooksBetweenQuestions == 0 && !goes_on()) {
      size.is_whole = false;
      break;
    }
    if (::lstat(at->path().c_str(), &info) == 0 && S_ISREG(info.st_mode)) add_file(info, size);
  }
  return size;
}

}  // namespace server
