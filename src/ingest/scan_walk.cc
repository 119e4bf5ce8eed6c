// Scan's eyes: what lies in the watched directories, and which of it is ours to read.
#include <fts.h>
#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <cstdlib>

#include "base/log.h"
#include "base/text.h"
#include "ingest/scan.h"

namespace ingest {

using store::Container;

namespace {

std::string real_path(const std::string& path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) == nullptr ? path : std::string(resolved);
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
  for (const std::string& root : options_.paths) walk_from(real_path(root), walk);
  return walk;
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
  const std::string path = options_.follow_links ? real_path(given) : given;
  if (!base::is_utf8(path) || (patterns_ && !patterns_->wants(path))) return;
  Wanted wanted;
  wanted.path = path;
  const bool package = std::any_of(options_.packages.begin(), options_.packages.end(),
                                   [&](const auto& one) { return path.ends_with(one.first); });
  if (!package && !options_.files) return;
  wanted.kind = package ? Container::Kind::package : Container::Kind::file;
  wanted.command = package ? command_of(path) : "";
  const auto stamp = store::stamp_of(path);
  if (!stamp.ok()) return;
  wanted.stamp = *stamp;
  walk.files.emplace(path, std::move(wanted));
}

}  // namespace ingest
