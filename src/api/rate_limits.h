// How many requests an address and a token may send: a bucket for each, that fills again with time.
// What an overload looks like depends on the client (clients.h): people and scripts are told 429
// and when to come again; clients that would remember that as a miss see what they take for one
// that passes. Requests from this very machine are not counted.
// Memory only, of bounded size: network loops call it. Any thread.
// Format: docs/protocols/answers.md
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "net/http.h"

namespace api {

class RateLimits {
 public:
  struct Rates {  // a second; 0: no limit
    std::uint64_t per_address = 0;
    std::uint64_t per_token = 0;
    std::uint64_t burst_seconds = 10;  // so much may come at once
  };
  explicit RateLimits(const Rates& rates) : rates_(rates) {}
  RateLimits(const RateLimits&) = delete;
  RateLimits& operator=(const RateLimits&) = delete;

  bool empty() const { return rates_.per_address == 0 && rates_.per_token == 0; }
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

  const Rates rates_;
  std::array<Shard, 16> shards_;
};

}  // namespace api
