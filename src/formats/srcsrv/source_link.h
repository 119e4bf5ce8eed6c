// Source Link: the JSON in a PDB that maps paths of the build to URLs, exactly or by prefix.
// Not a fetcher. Owns its text. Immutable after parse(); any thread may read.
// parse() fails with malformed or too_large. find() finds nothing for a path without a rule, and
// for one whose rule does not lead to a web server.
// Format: docs/formats/source-locations.md
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formats/srcsrv/location.h"

namespace srcsrv {

class SourceLink {
 public:
  static constexpr std::size_t kMaxTextSize = 64ull << 20;
  static constexpr std::size_t kMaxRules = 100'000;

  static base::Result<SourceLink> parse(std::string_view json);

  // An exact rule before a wildcard, a longer prefix before a shorter; compared without case,
  // as the compilers that write them do.
  std::optional<Location> find(std::string_view path) const;

  std::size_t rule_count() const { return exact_.size() + prefixes_.size(); }

 private:
  struct Rule {
    std::string path;  // folded; without its '*'
    std::string url;
  };
  std::vector<Rule> exact_;     // sorted by path
  std::vector<Rule> prefixes_;  // the longest first
};

}  // namespace srcsrv
