// Trees in symbol store layout that get a copy of what upstream servers give, as pySymProxy kept
// it: plain, or packed where it came so, in as many tiers as the tree has (upstream/layout.h:
// index2.txt). Others may read them meanwhile: a file appears whole. Not
// our own cache, which ingest keeps. Nothing is taken out of a tree but of one that has a bound
// (bounded_tree.h), of bytes or of days. Plain values but the copies, which any thread may write.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/bounded_tree.h"
#include "upstream/server.h"

namespace server {

class UpstreamCaches {
 public:
  // What comes from below `location` goes into these.
  void add(std::string location, std::vector<std::string> trees);
  // Of a tree; of several bounds the smallest holds.
  void bound(const std::string& tree, std::uint64_t size_max);
  // Of a tree; of several the shortest holds.
  void bound_days(const std::string& tree, std::uint64_t days_max);
  bool has_days() const { return !days_.empty(); }
  // Takes out what was not used for longer than its tree allows. Blocks, as long as `goes_on` says.
  void remove_unused(base::Time now, const std::function<bool()>& goes_on) const;
  // Of a tree, where it is known without a look (bounded_tree.h).
  std::optional<std::uint64_t> known_size(const std::string& tree) const;
  // On the disk of each tree; with less, nothing is copied there.
  void leave_free(std::uint64_t bytes) { free_min_ = bytes; }

  // Where the file that came from there may be found, the nearest first: there itself at the end.
  std::vector<std::string> places_of(const std::string& from) const;

  // Writes the copies, as long as the disk lets it; to be called when the file is known to be what
  // was wanted. Null when there is nowhere to write it. It holds the file open: `fetched` may go.
  std::function<void()> copier_of(const upstream::Fetched& fetched) const;

 private:
  using Trees = std::pair<std::string, std::vector<std::string>>;
  const Trees* find_trees(std::string_view from) const;

  std::vector<Trees> trees_;                                     // by location
  std::map<std::string, std::shared_ptr<BoundedTree>> bounded_;  // by tree
  std::map<std::string, std::uint64_t> days_;                    // by tree
  std::uint64_t free_min_ = 0;
};

}  // namespace server
