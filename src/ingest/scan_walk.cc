// Scan's eyes: what lies in the watched directories, and which of it is ours to read.
#include <fts.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "base/log.h"
#include "base/text.h"
#include "ingest/scan.h"

namespace ingest {

using store::Container;

namespace {

constexpr int kLinksMax = 40;  // of links to links

std::optional<std::string> find_real_path(const std::string& path) {
  char resolved[PATH_MAX];
  if (::realpath(path.c_str(), resolved) == nullptr) return std::nullopt;
  return std::string(resolved);
}

// A directory or a file, by links or not.
std::optional<std::string> find_root(const std::string& path) {
  auto real = find_real_path(path);
  struct stat info{};
  const bool is_there = real && ::stat(real->c_str(), &info) == 0;
  if (!is_there || !(S_ISDIR(info.st_mode) || S_ISREG(info.st_mode))) return std::nullopt;
  return real;
}

// Where a link leads whose end is away: as far as its parts can be read.
std::string end_of_link(std::filesystem::path at) {
  std::error_code failure;
  for (int hops = 0; hops < kLinksMax; ++hops) {
    const std::filesystem::path target = std::filesystem::read_symlink(at, failure);
    if (failure) break;  // none
    const std::filesystem::path plain = (at.parent_path() / target).lexically_normal();
    at = std::filesystem::weakly_canonical(plain, failure);
    if (failure) at = plain;
  }
  return at.string();
}

bool is_beneath(std::string_view path, std::string_view root) {
  if (!path.starts_with(root)) return false;
  return path.size() == root.size() || root.ends_with('/') || path[root.size()] == '/';
}

}  // namespace

std::map<std::string, std::string> usual_packages() {
  std::map<std::string, std::string> all;
  for (const char* extension :
       {".deb", ".ddeb", ".rpm", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz",
        ".tar.zst", ".tzst", ".tar.lz4", ".tar.lzma", ".zip", ".7z", ".cpio"}) {
    all.emplace(extension, "");
  }
  return all;
}

Scan::Walk Scan::walk() const {
  Walk walk;
  for (const std::string& root : options_.paths) {
    const auto real = find_root(root);
    if (real) {
      walk.roots.push_back(*real);
      walk_from(*real, walk);
    } else {
      base::log::warning("scan: {} cannot be read", root);
      walk.lacks_a_root = true;
    }
  }
  return walk;
}

// A link to a network disk that is away does not say what lay behind it: what was found beneath no
// other root may be from there.
bool Scan::Walk::says_nothing_of(const std::string& path) const {
  const auto has = [&](const std::vector<std::string>& all) {
    return std::any_of(all.begin(), all.end(),
                       [&](const std::string& root) { return is_beneath(path, root); });
  };
  return has(unread) || (lacks_a_root && !has(roots));
}

// Each directory is watched before its entries are read: what comes later is heard of.
void Scan::walk_from(std::string path, Walk& walk) const {
  char* const roots[] = {path.data(), nullptr};
  const int mode = options_.follow_links ? FTS_LOGICAL : FTS_PHYSICAL | FTS_XDEV;
  FTS* const tree = ::fts_open(roots, mode | FTS_NOCHDIR, nullptr);
  if (tree == nullptr) {
    walk.unread.push_back(path);
    return;
  }
  while (FTSENT* entry = ::fts_read(tree)) {
    if (stop_) break;
    if (entry->fts_info == FTS_D && watch_) watch_->add(entry->fts_path);
    if (entry->fts_info == FTS_F) consider(entry->fts_path, walk);
    if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
      base::log::warning("scan: {} cannot be read", entry->fts_path);
      walk.unread.emplace_back(entry->fts_path);
    }
    // A link that is followed, to what is away.
    if (entry->fts_info == FTS_SLNONE) walk.unread.push_back(end_of_link(entry->fts_path));
  }
  ::fts_close(tree);
}

std::string Scan::command_of(const std::string& path) const {
  std::string command;
  std::size_t longest = 0;
  for (const auto& [extension, one] : options_.packages) {
    if (!path.ends_with(extension) || extension.size() < longest) continue;
    longest = extension.size();
    command = one;
  }
  return command;
}

void Scan::consider(const std::string& given, Walk& walk) const {
  const std::string path = options_.follow_links ? find_real_path(given).value_or(given) : given;
  if (!base::is_utf8(path) || (patterns_ && !patterns_->wants(path))) return;
  Wanted wanted;
  wanted.path = path;
  const bool package = std::any_of(options_.packages.begin(), options_.packages.end(),
                                   [&](const auto& one) { return path.ends_with(one.first); });
  if (!package && !options_.files) return;
  wanted.kind = package ? Container::Kind::package : Container::Kind::file;
  wanted.command = package ? command_of(path) : "";
  const auto stamp = store::stamp_of(path);
  if (!stamp.ok()) {
    if (stamp.error().fault != base::Fault::not_found) walk.unread.push_back(path);
    return;
  }
  wanted.stamp = *stamp;
  walk.files.emplace(path, std::move(wanted));
}

}  // namespace ingest
