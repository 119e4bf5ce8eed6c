// How many requests an address, a token and a project's clients together may send: a bucket for
// each, that fills again with time.
// What an overload looks like depends on the client (clients.h): people and scripts are told 429
// and when to come again; clients that would remember that as a miss see what they take for one
// that passes. Requests from this very machine are not counted.
// Memory only, of bounded size: network loops call it. Any thread.
// Format: docs/protocols/answers.md
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "api/rights.h"
#include "net/http.h"

namespace api {

class RateLimits {
 public:
  struct Rates {  // a second; 0: no limit
    std::uint64_t per_address = 0;
    std::uint64_t per_token = 0;
    std::uint64_t burst_seconds = 10;  // so much may come at once
    std::uint64_t per_project = 0;
  };
  // Whose project a request uses up; "" for nobody's. Strangers who are let in nowhere must not
  // use up anybody's.
  using ProjectOf = std::function<std::string(const net::Request&)>;
  explicit RateLimits(const Rates& rates, ProjectOf project_of = nullptr)
      : project_of_(std::move(project_of)) {
    use(rates);
  }
  RateLimits(const RateLimits&) = delete;
  RateLimits& operator=(const RateLimits&) = delete;

  // From now on.
  void use(const Rates& rates);
  // Nothing: go on.
  std::optional<net::Answer> refuse(const net::Request& request);
  // Takes one of `key`'s; false: there is none left. `now_us` never goes back.
  bool take(const std::string& key, std::uint64_t per_second, std::int64_t now_us);

 private:
  struct Bucket {
    double left = 0;
    std::int64_t seen_us = 0;
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Bucket> buckets;  // guarded by mutex
  };
  void drop_full(Shard& shard, std::int64_t now_us) const;  // REQUIRES: its mutex held

  Rates rates() const;

  std::atomic<std::uint64_t> per_address_, per_token_, burst_seconds_, per_project_;
  const ProjectOf project_of_;
  std::array<Shard, 16> shards_;
};

// The named project that a request is about and whose doors are open to it: that in its path, or,
// of one that brings something, that of its token. "": the default project, or nobody's.
std::string project_used(const net::Request& request, const Gate& gate);

}  // namespace api
