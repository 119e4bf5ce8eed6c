#include "server/upstream_caches.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/log.h"

namespace server {

using base::Result;

namespace {

constexpr std::size_t kPieceSize = 256 * 1024;

Result<void> copy(const base::Fd& from, const std::string& tree, const std::string& path) {
  const std::string target = base::join_path(tree, path);
  if (base::file_exists(target)) return {};
  base::PendingFile file = TRY(base::PendingFile::create(tree));
  std::string piece(kPieceSize, '\0');
  for (;;) {
    const ssize_t n =
        ::pread(from.get(), piece.data(), piece.size(), static_cast<off_t>(file.size()));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot read", path);
    if (n == 0) break;
    TRY(file.append(
        base::bytes_of(std::string_view(piece).substr(0, static_cast<std::size_t>(n)))));
  }
  return file.commit(target);
}

}  // namespace

void UpstreamCaches::add(std::string location, std::vector<std::string> trees) {
  while (location.size() > 1 && location.ends_with('/')) location.pop_back();
  if (!trees.empty()) trees_.emplace_back(std::move(location), std::move(trees));
}

const UpstreamCaches::Trees* UpstreamCaches::find_trees(std::string_view from) const {
  const auto of = std::find_if(trees_.begin(), trees_.end(), [&](const Trees& one) {
    return from.size() > one.first.size() && from.starts_with(one.first) &&
           from[one.first.size()] == '/';
  });
  return of == trees_.end() ? nullptr : &*of;
}

std::vector<std::string> UpstreamCaches::places_of(const std::string& from) const {
  std::vector<std::string> places;
  if (const Trees* of = find_trees(from)) {
    const std::string path = from.substr(of->first.size() + 1);
    places.reserve(of->second.size() + 1);
    for (const std::string& tree : of->second) places.push_back(base::join_path(tree, path));
  }
  places.push_back(from);
  return places;
}

std::function<void()> UpstreamCaches::copier_of(const upstream::Fetched& fetched) const {
  if (fetched.place.is_pointer) return nullptr;
  const Trees* of = find_trees(fetched.from);
  if (of == nullptr) return nullptr;
  // The name goes away with whoever takes the file over.
  const auto file =
      std::make_shared<const base::Fd>(::open(fetched.file.path().c_str(), O_RDONLY | O_CLOEXEC));
  if (!file->valid()) return nullptr;
  return [file, path = fetched.place.path, trees = of->second] {
    for (const std::string& tree : trees) {
      const auto copied = copy(*file, tree, path);
      if (!copied.ok()) base::log::warning("no copy in {}: {}", tree, copied.error().what);
    }
  };
}

}  // namespace server
