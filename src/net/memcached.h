// Texts that several servers share in memcached: each key on one of the servers of the list, so all
// who share must have the same list. A server that fails or is slow costs its time-out once; then
// it is left alone for a while, and its keys are as good as never stored. Not a store: whatever was
// put there may be gone at any time. Any thread may call; calls block, for no longer than the
// time-out with each server. make() fails with malformed (an address). Nothing else fails: what a
// server does not tell in time is not there. REQUIRES: a key has 1 to 250 bytes, none of them a
// blank or a control character.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace net {

class Memcached {
 public:
  static constexpr std::size_t kKeyMax = 250;

  struct Options {
    std::vector<std::string> servers;        // HOST:PORT
    std::chrono::milliseconds timeout{200};  // to connect, and for each step after that
    std::chrono::milliseconds rest{5000};    // for a server that failed
  };
  static base::Result<std::unique_ptr<Memcached>> make(const Options& options);
  ~Memcached();
  Memcached(const Memcached&) = delete;
  Memcached& operator=(const Memcached&) = delete;

  // How much of what others have stored is taken: a longer text, and what comes after `all` bytes,
  // is as good as never stored.
  struct Limits {
    std::size_t text = 1 << 20;
    std::size_t all = 64 << 20;
  };
  // One for each key, in their order. (No default argument: g++ wants the class complete.)
  std::vector<std::optional<std::string>> find(const std::vector<std::string>& keys,
                                               const Limits& limits);
  std::vector<std::optional<std::string>> find(const std::vector<std::string>& keys);
  struct Entry {
    std::string key;
    std::string text;
  };
  // What is there already stays. All are there when it returns, if their servers answer.
  void add(const std::vector<Entry>& entries);
  // True: it is not there now. False: nobody knows.
  bool remove(const std::string& key);

  struct Counts {
    std::uint64_t asked = 0, found = 0, failures = 0;
    std::size_t servers = 0, resting = 0;
  };
  Counts counts() const;

 private:
  class Server;
  explicit Memcached(const Options& options);
  std::size_t server_of(const std::string& key) const;

  std::vector<std::unique_ptr<Server>> servers_;
  std::atomic<std::uint64_t> asked_ = 0, found_ = 0;
};

}  // namespace net
