#include "server/upstream_caches.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/log.h"
#include "store/data_directory.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kPieceSize = 256 * 1024;
constexpr std::uint64_t kDaysMax = 36'500;
constexpr std::int64_t kDay = 86'400'000'000;
constexpr std::int64_t kCopyTakesAtMost = kDay;  // without a byte

struct Target {
  std::string tree;
  std::shared_ptr<BoundedTree> bounded;  // null: it has no bound
};

Result<void> make_room(const base::Fd& from, const Target& target, std::uint64_t free_min) {
  struct stat info{};
  if (::fstat(from.get(), &info) != 0) return base::error_from_errno(errno, "cannot stat", "it");
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const std::uint64_t free = store::free_bytes(target.tree);
  if (free < free_min || free - free_min < size) {
    return Error{Fault::unavailable, "its disk is nearly full"};
  }
  return target.bounded ? target.bounded->reserve(size) : Result<void>();
}

// The store that it came from may have other tiers.
std::string place_in(const std::string& tree, std::string_view path) {
  const bool two = base::file_exists(base::join_path(tree, upstream::kIndex2));
  return base::join_path(tree, upstream::path_in_tiers(path, two));
}

Result<void> copy(const base::Fd& from, const Target& into, const std::string& path,
                  std::uint64_t free_min) {
  const std::string& tree = into.tree;
  const std::string target = place_in(tree, path);
  if (base::file_exists(target)) return {};
  TRY(make_room(from, into, free_min));
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

void UpstreamCaches::add_tree(std::string tree) {
  while (tree.size() > 1 && tree.ends_with('/')) tree.pop_back();
  all_trees_.insert(std::move(tree));
}

void UpstreamCaches::bound(const std::string& tree, std::uint64_t size_max) {
  std::shared_ptr<BoundedTree>& bounded = bounded_[tree];
  if (bounded && bounded->size_max() <= size_max) return;
  bounded = std::make_shared<BoundedTree>(tree, size_max);
}

void UpstreamCaches::bound_days(const std::string& tree, std::uint64_t days_max) {
  const auto [at, is_new] = days_.try_emplace(tree, days_max);
  if (!is_new) at->second = std::min(at->second, days_max);
  // So that removing and reserve() know of each other.
  if (std::shared_ptr<BoundedTree>& bounded = bounded_[tree]; !bounded) {
    bounded = std::make_shared<BoundedTree>(tree, BoundedTree::kNoBound);
  }
}

void UpstreamCaches::remove_unused(base::Time now, const std::function<bool()>& goes_on) const {
  for (const auto& [tree, days] : days_) {
    const auto age = static_cast<std::int64_t>(std::min(days, kDaysMax)) * kDay;
    const std::uint64_t gone = bounded_.at(tree)->remove_unused({now.us - age}, goes_on);
    if (gone != 0) {
      base::log::info("{}: {} files went, which were not used for {} days", tree, gone, days);
    }
  }
}

std::optional<std::uint64_t> UpstreamCaches::known_size(const std::string& tree) const {
  const auto at = bounded_.find(tree);
  return at == bounded_.end() ? std::nullopt : at->second->known_size();
}

void UpstreamCaches::remove_cut_off(base::Time now) const {
  for (const std::string& tree : all_trees_) {
    const std::uint64_t gone = server::remove_cut_off(tree, {now.us - kCopyTakesAtMost});
    if (gone != 0) base::log::info("{}: removed {} copies that were cut off", tree, gone);
  }
}

Result<std::uint64_t> UpstreamCaches::remove_content(const base::Sha256& content,
                                                     std::uint64_t size, bool pretend,
                                                     const std::function<bool()>& goes_on) const {
  std::uint64_t count = 0;
  Result<void> stays;  // the first that does: the others go all the same
  for (const std::string& tree : all_trees_) {
    for (const TreeFile& file : list_tree(tree, goes_on)) {
      if (!goes_on()) break;
      if (!holds_content(file, content, size)) continue;
      ++count;
      if (pretend) continue;
      const auto removed = remove_from_tree(file.path);
      if (removed.ok()) base::log::info("{} was purged, and is gone", file.path);
      if (!removed.ok() && stays.ok()) stays = removed;
    }
    if (!goes_on()) {
      return Error{Fault::unavailable, "the server stops: its trees were not looked through"};
    }
  }
  TRY(stays);
  return count;
}

void UpstreamCaches::remove_content_at(const std::string& from, const base::Sha256& content) const {
  for (const std::string& place : places_of(from)) {
    const bool is_in_tree =
        std::any_of(all_trees_.begin(), all_trees_.end(),
                    [&](const std::string& tree) { return place.starts_with(tree + "/"); });
    if (!is_in_tree || !base::file_exists(place)) continue;
    if (!holds_content({place, 0, 0}, content, std::nullopt)) continue;
    const auto removed = remove_from_tree(place);
    if (removed.ok()) {
      base::log::info("{} was purged, and is gone", place);
    } else {
      base::log::warning("it was purged, but stays: {}", removed.error().what);
    }
  }
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
    for (const std::string& tree : of->second) places.push_back(place_in(tree, path));
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
  std::vector<Target> targets;
  targets.reserve(of->second.size());
  for (const std::string& tree : of->second) {
    const auto bounded = bounded_.find(tree);
    targets.push_back({tree, bounded == bounded_.end() ? nullptr : bounded->second});
  }
  return [file, place = fetched.place, targets = std::move(targets), free_min = free_min_,
          bars = bars_, copying = copying_] {
    const std::shared_lock under_way(*copying);
    if (bars && bars(place)) return;  // it was purged since it came
    for (const Target& into : targets) {
      const auto copied = copy(*file, into, place.path, free_min);
      if (!copied.ok()) base::log::warning("no copy in {}: {}", into.tree, copied.error().what);
    }
  };
}

}  // namespace server
