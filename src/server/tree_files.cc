#include "server/tree_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "formats/archive/cab.h"
#include "store/blobs.h"

namespace server {

using base::Result;
using base::Sha256;

namespace {

namespace fs = std::filesystem;

constexpr int kDepthMin = 2;  // NAME/ID/FILE
constexpr std::string_view kAdmin = "000Admin";
// As base::PendingFile names them.
constexpr std::string_view kCutOff = "pending-";
constexpr std::size_t kCutOffDigits = 6;

std::int64_t nanoseconds_of(const struct ::timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_name_of_copy(std::string_view name) {
  if (!name.starts_with(kCutOff)) return false;
  const std::string_view digits = name.substr(kCutOff.size());
  return digits.size() == kCutOffDigits &&
         std::all_of(digits.begin(), digits.end(), is_letter_or_digit);
}

Result<Sha256> hash_in_cabinet(base::Bytes cabinet) {
  base::Sha256Stream hash;
  TRY(archive::expand_cab(cabinet, {}, [&](base::Bytes piece) -> Result<void> {
    hash.update(piece);
    return {};
  }));
  return hash.finish();
}

bool holds_packed(const std::string& path, const Sha256& content,
                  std::optional<std::uint64_t> size) {
  const auto packed = base::MappedFile::open(path);
  if (!packed.ok() || !archive::is_cab((*packed)->bytes())) return false;
  if (size) {
    auto reader = archive::CabReader::open((*packed)->bytes());
    if (!reader.ok()) return false;
    const auto member = reader->next();
    if (!member.ok() || !*member || (*member)->size != *size) return false;
  }
  const auto hash = hash_in_cabinet((*packed)->bytes());
  return hash.ok() && *hash == content;
}

}  // namespace

std::vector<TreeFile> list_tree(const std::string& directory,
                                const std::function<bool()>& goes_on) {
  std::vector<TreeFile> files;
  std::error_code error;
  const auto follow_nothing = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(directory, follow_nothing, error), end;
       !error && at != end && goes_on(); at.increment(error)) {
    if (at.depth() == 0 && base::equal_ignoring_case(at->path().filename().string(), kAdmin)) {
      at.disable_recursion_pending();
    }
    struct stat info{};
    const std::string path = at->path().string();
    if (at.depth() < kDepthMin || ::lstat(path.c_str(), &info) != 0) continue;
    if (!S_ISREG(info.st_mode)) continue;
    files.push_back({path, static_cast<std::uint64_t>(info.st_size),
                     std::max(nanoseconds_of(info.st_atim), nanoseconds_of(info.st_mtim))});
  }
  if (error) base::log::warning("{}: cannot be looked at: {}", directory, error.message());
  return files;
}

Result<void> remove_from_tree(const std::string& path) {
  auto removed = base::remove_file(path);
  if (!removed.ok() && removed.error().fault != base::Fault::not_found) return removed;
  const std::string id(base::parent_of(path));
  if (::rmdir(id.c_str()) == 0) ::rmdir(std::string(base::parent_of(id)).c_str());
  return {};
}

bool holds_content(const TreeFile& file, const Sha256& content, std::optional<std::uint64_t> size) {
  if (!size || file.size == *size) {
    const auto hash = store::sha256_of_file(file.path);
    if (hash.ok() && *hash == content) return true;
  }
  return file.path.ends_with('_') && holds_packed(file.path, content, size);
}

std::uint64_t remove_cut_off(const std::string& directory, base::Time since) {
  std::uint64_t count = 0;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    struct stat info{};
    const std::string path = at->path().string();
    if (!is_name_of_copy(base::basename_of(path)) || ::lstat(path.c_str(), &info) != 0) continue;
    const bool is_ours = S_ISREG(info.st_mode) && info.st_uid == ::geteuid();
    const bool is_old = nanoseconds_of(info.st_mtim) / 1000 < since.us;
    if (is_ours && is_old && base::remove_file(path).ok()) ++count;
  }
  return count;
}

}  // namespace server
