// Trees in symbol store layout that get a copy of what upstream servers give, as pySymProxy kept
// it: plain, or packed where it came so. Others may read them meanwhile: a file appears whole. Not
// our own cache, which ingest keeps: nothing here counts, bounds or takes away. Plain values but
// the copies, which any thread may write.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "upstream/server.h"

namespace server {

class UpstreamCaches {
 public:
  // What comes from below `location` goes into these.
  void add(std::string location, std::vector<std::string> trees);

  // Where the file that came from there may be found, the nearest first: there itself at the end.
  std::vector<std::string> places_of(const std::string& from) const;

  // Writes the copies, as long as the disk lets it; to be called when the file is known to be what
  // was wanted. Null when there is nowhere to write it. It holds the file open: `fetched` may go.
  std::function<void()> copier_of(const upstream::Fetched& fetched) const;

 private:
  using Trees = std::pair<std::string, std::vector<std::string>>;
  const Trees* find_trees(std::string_view from) const;

  std::vector<Trees> trees_;  // by location
};

}  // namespace server
