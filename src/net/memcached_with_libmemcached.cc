#include <libmemcached/memcached.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/hash64.h"
#include "base/log.h"
#include "base/text.h"
#include "net/memcached.h"

namespace net {

using base::Error;
using base::Fault;
using base::Result;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::uint64_t kPort = 11211;
constexpr std::size_t kKeysAtOnce = 512;
constexpr std::size_t kIdleMax = 16;  // connections that are kept

struct Address {
  std::string host;
  std::uint16_t port = 0;
};

// HOST, HOST:PORT or [HOST]:PORT; "inet:" before it, as Python's client has it.
Result<Address> parse_address(std::string_view text) {
  std::string_view host = base::trim(text);
  constexpr std::string_view kInet = "inet:";
  if (host.starts_with(kInet)) host.remove_prefix(kInet.size());
  std::optional<std::uint64_t> port = kPort;
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && !host.ends_with(']')) {
    port = base::parse_decimal(host.substr(colon + 1));
    host = host.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty() || !port || *port == 0 || *port > 65535) {
    return Error{Fault::malformed,
                 "memcached server " + std::string(text) + ": expected HOST:PORT"};
  }
  return Address{std::string(host), static_cast<std::uint16_t>(*port)};
}

struct Free {
  void operator()(memcached_st* handle) const { memcached_free(handle); }
};
using Handle = std::unique_ptr<memcached_st, Free>;

// One talk with one server; whoever fails in it drops the handle.
class Talk {
 public:
  explicit Talk(memcached_st* handle) : handle_(handle) {}

  // Calls take(key, text) for each that is there; false when the server did not answer in full.
  // The views last as long as the call.
  bool find(const std::vector<const std::string*>& keys,
            const std::function<void(std::string_view, std::string_view)>& take) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    texts.reserve(keys.size());
    sizes.reserve(keys.size());
    for (const std::string* key : keys) {
      texts.push_back(key->data());
      sizes.push_back(key->size());
    }
    if (memcached_mget(handle_, texts.data(), sizes.data(), texts.size()) != MEMCACHED_SUCCESS) {
      return false;
    }
    for (;;) {
      memcached_return_t how = MEMCACHED_FAILURE;
      memcached_result_st* result = memcached_fetch_result(handle_, nullptr, &how);
      if (result == nullptr) return how == MEMCACHED_END || how == MEMCACHED_NOTFOUND;
      take({memcached_result_key_value(result), memcached_result_key_length(result)},
           {memcached_result_value(result), memcached_result_length(result)});
      memcached_result_free(result);
    }
  }

  // Only the last one is answered: by then the server has seen all.
  bool add(const std::vector<const Memcached::Entry*>& entries) {
    for (const Memcached::Entry* entry : entries) {
      const bool is_last = entry == entries.back();
      memcached_behavior_set(handle_, MEMCACHED_BEHAVIOR_NOREPLY, is_last ? 0 : 1);
      const memcached_return_t how = memcached_add(handle_, entry->key.data(), entry->key.size(),
                                                   entry->text.data(), entry->text.size(), 0, 0);
      const bool is_good = how == MEMCACHED_SUCCESS || how == MEMCACHED_NOTSTORED ||
                           how == MEMCACHED_DATA_EXISTS || how == MEMCACHED_BUFFERED ||
                           how == MEMCACHED_E2BIG;
      if (!is_good) return false;
    }
    return true;
  }

  bool remove(const std::string& key) {
    const memcached_return_t how = memcached_delete(handle_, key.data(), key.size(), 0);
    return how == MEMCACHED_SUCCESS || how == MEMCACHED_NOTFOUND;
  }

 private:
  memcached_st* const handle_;
};

}  // namespace

// One of the list, with the connections that nobody uses just now.
class Memcached::Server {
 public:
  Server(Address address, const Options& options)
      : address_(std::move(address)), timeout_(options.timeout), rest_(options.rest) {}

  // False: it does not answer, or is left alone.
  bool talk(const std::function<bool(Talk&)>& talk) {
    Handle handle;
    {
      const std::lock_guard lock(mutex_);
      if (Clock::now() < rests_until_) return false;
      if (!idle_.empty()) {
        handle = std::move(idle_.back());
        idle_.pop_back();
      }
    }
    const bool was_idle = handle != nullptr;
    bool is_good = was_idle && try_on(handle, talk);
    // It may have been started anew meanwhile: that is seen on a connection of now.
    if (!is_good) {
      handle = connect();
      is_good = try_on(handle, talk);
    }
    const std::lock_guard lock(mutex_);
    if (is_good) {
      if (idle_.size() < kIdleMax) idle_.push_back(std::move(handle));
      return true;
    }
    ++failures_;
    idle_.clear();  // they lead to the same server
    if (Clock::now() >= rests_until_) {
      base::log::warning("memcached {}:{} does not answer: it is left alone for {} ms",
                         address_.host, address_.port, rest_.count());
    }
    rests_until_ = Clock::now() + rest_;
    return false;
  }

  void add_to(Counts& counts) const {
    const std::lock_guard lock(mutex_);
    counts.failures += failures_;
    ++counts.servers;
    if (Clock::now() < rests_until_) ++counts.resting;
  }

 private:
  static bool try_on(const Handle& handle, const std::function<bool(Talk&)>& talk) {
    if (!handle) return false;
    Talk with(handle.get());
    return talk(with);
  }
  Handle connect() const {
    Handle handle(memcached_create(nullptr));
    if (!handle) return handle;
    const auto milliseconds = static_cast<std::uint64_t>(timeout_.count());
    const auto set = [&](memcached_behavior_t what, std::uint64_t value) {
      memcached_behavior_set(handle.get(), what, value);
    };
    set(MEMCACHED_BEHAVIOR_NO_BLOCK, 1);
    set(MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
    set(MEMCACHED_BEHAVIOR_CONNECT_TIMEOUT, milliseconds);
    set(MEMCACHED_BEHAVIOR_POLL_TIMEOUT, milliseconds);
    const memcached_return_t how =
        memcached_server_add(handle.get(), address_.host.c_str(), address_.port);
    if (how != MEMCACHED_SUCCESS) handle.reset();
    return handle;
  }

  const Address address_;
  const std::chrono::milliseconds timeout_;
  const std::chrono::milliseconds rest_;
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  std::vector<Handle> idle_;
  Clock::time_point rests_until_{};
  std::uint64_t failures_ = 0;
};

Memcached::Memcached(const Options& options) { servers_.reserve(options.servers.size()); }

Memcached::~Memcached() = default;

Result<std::unique_ptr<Memcached>> Memcached::make(const Options& options) {
  std::unique_ptr<Memcached> memcached(new Memcached(options));
  for (const std::string& server : options.servers) {
    Address address = TRY(parse_address(server));
    memcached->servers_.push_back(std::make_unique<Server>(std::move(address), options));
  }
  if (memcached->servers_.empty()) return Error{Fault::malformed, "no memcached server is named"};
  return memcached;
}

std::size_t Memcached::server_of(const std::string& key) const {
  return servers_.size() == 1 ? 0 : base::hash64(base::bytes_of(key)) % servers_.size();
}

std::vector<std::optional<std::string>> Memcached::find(const std::vector<std::string>& keys) {
  return find(keys, {});
}

std::vector<std::optional<std::string>> Memcached::find(const std::vector<std::string>& keys,
                                                        const Limits& limits) {
  // A key may be asked for twice.
  std::unordered_map<std::string_view, std::string> found;
  std::size_t found_size = 0;
  std::vector<std::vector<const std::string*>> shares(servers_.size());
  for (const std::string& key : keys) shares[server_of(key)].push_back(&key);
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const std::vector<const std::string*>& all = shares[i];
    for (std::size_t from = 0; from < all.size() && found_size < limits.all; from += kKeysAtOnce) {
      const std::size_t to = std::min(from + kKeysAtOnce, all.size());
      const std::vector<const std::string*> some(all.begin() + static_cast<std::ptrdiff_t>(from),
                                                 all.begin() + static_cast<std::ptrdiff_t>(to));
      std::unordered_map<std::string, std::string> told;
      std::size_t told_size = 0;
      const auto take = [&](std::string_view key, std::string_view text) {
        if (text.size() > limits.text) return;
        if (text.size() > limits.all - found_size - told_size) return;
        if (told.try_emplace(std::string(key), text).second) told_size += text.size();
      };
      const bool is_good = servers_[i]->talk([&](Talk& talk) {
        told.clear();  // it may be the second try
        told_size = 0;
        return talk.find(some, take);
      });
      if (!is_good) break;
      for (const std::string* key : some) {
        const auto at = told.find(*key);
        if (at == told.end()) continue;
        found_size += at->second.size();
        found.emplace(*key, std::move(at->second));
        told.erase(at);
      }
    }
  }
  std::vector<std::optional<std::string>> texts(keys.size());
  std::size_t size = 0;
  std::size_t given = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto at = found.find(keys[i]);
    if (at == found.end() || at->second.size() > limits.all - size) continue;
    size += at->second.size();
    texts[i] = at->second;
    ++given;
  }
  asked_ += keys.size();
  found_ += given;
  return texts;
}

void Memcached::add(const std::vector<Entry>& entries) {
  std::vector<std::vector<const Entry*>> shares(servers_.size());
  for (const Entry& entry : entries) shares[server_of(entry.key)].push_back(&entry);
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    if (shares[i].empty()) continue;
    servers_[i]->talk([&](Talk& talk) { return talk.add(shares[i]); });
  }
}

bool Memcached::remove(const std::string& key) {
  return servers_[server_of(key)]->talk([&](Talk& talk) { return talk.remove(key); });
}

Memcached::Counts Memcached::counts() const {
  Counts counts;
  counts.asked = asked_;
  counts.found = found_;
  for (const auto& server : servers_) server->add_to(counts);
  return counts;
}

}  // namespace net
