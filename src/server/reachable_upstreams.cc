#include "server/reachable_upstreams.h"

#include <utility>

#include "base/file.h"
#include "server/foreign_paths.h"
#include "symstore/pointed.h"

namespace server {

using base::Result;

namespace {

using Trees = std::vector<std::string>;

class Planner {
 public:
  Planner(Options& options, symstore::PointerRoots roots, Caches caches)
      : options_(options), roots_(std::move(roots)), caches_(caches) {}

  void plan() {
    const std::vector<UpstreamOptions> given = std::exchange(options_.upstreams, {});
    UpstreamOptions everybodys;
    everybodys.cache = options_.upstreams_cache;
    everybodys.cache_size = options_.upstreams_cache_size;
    everybodys.cache_days = options_.upstreams_cache_days;
    Trees of_all;
    add_cache(everybodys, of_all);
    for (std::size_t first = 0; first < given.size();) {
      std::size_t end = first + 1;
      while (end < given.size() && !given[first].group.empty() &&
             given[end].group == given[first].group) {
        ++end;
      }
      add_group({given.begin() + static_cast<std::ptrdiff_t>(first),
                 given.begin() + static_cast<std::ptrdiff_t>(end)},
                of_all);
      first = end;
    }
  }

 private:
  // Caches come before all that are asked at once.
  void add_group(const std::vector<UpstreamOptions>& group, const Trees& of_all) {
    std::vector<Trees> trees(group.size(), of_all);
    for (std::size_t i = 0; i < group.size(); ++i) {
      // What its cache has is there even when the server itself is not.
      if (group[i].cache != options_.upstreams_cache) add_cache(group[i], trees[i]);
    }
    for (std::size_t i = 0; i < group.size(); ++i) {
      UpstreamOptions server = group[i];
      if (reach(group[i].url, server.name.empty() ? "upstream" : server.name, server.url)) {
        add(std::move(server), trees[i]);
      }
    }
  }

  void add(UpstreamOptions server, const Trees& trees) {
    server.copies = trees;
    options_.upstreams.push_back(std::move(server));
  }

  // The directory is one more server, for the same names; what that gives is copied to the trees
  // before it.
  void add_cache(const UpstreamOptions& of, Trees& trees) {
    if (of.cache.empty()) return;
    UpstreamOptions cache;
    cache.name = of.name.empty() ? "cache" : "cache of " + of.name;
    if (!of.identifier.empty()) cache.identifier = of.identifier + " cache";
    cache.layout = "symstore-any";
    cache.projects = of.projects;
    cache.kinds = of.kinds;
    cache.allow = of.allow;
    cache.deny = of.deny;
    cache.retry_seconds = of.retry_seconds;
    cache.is_tree = true;
    cache.tree_size_max = of.cache_size;
    cache.tree_days_max = of.cache_days;
    if (!reach(of.cache, cache.name, cache.url) || !is_there(cache)) return;
    add(cache, trees);
    trees.push_back(cache.url);
  }

  bool reach(const std::string& given, const std::string& who, std::string& location) {
    location = given;
    if (!is_of_windows(given)) return true;
    const auto mounted = symstore::find_mounted(given, roots_);
    if (mounted) {
      location = *mounted;
      return true;
    }
    options_.warnings.push_back(who + ": " + given +
                                " is nowhere on this machine, so it is left out; say in the table "
                                "[unc] where it is mounted");
    return false;
  }

  // A cache that is missing would pass for a server that does not answer.
  bool is_there(const UpstreamOptions& cache) {
    if (caches_ == Caches::left_alone) return true;
    const auto made = base::make_directories(cache.url);
    if (!made.ok()) options_.warnings.push_back(cache.name + ": left out: " + made.error().what);
    return made.ok();
  }

  Options& options_;
  const symstore::PointerRoots roots_;
  const Caches caches_;
};

}  // namespace

Result<Options> with_reachable_upstreams(Options options, Caches caches) {
  symstore::PointerRoots roots = TRY(symstore::parse_pointer_roots(options.unc));
  Planner(options, std::move(roots), caches).plan();
  return options;
}

}  // namespace server
