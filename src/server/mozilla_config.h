// The configuration file of Mozilla's symbolication server: one JSON object for its three programs,
// DiskCache, SymServer and quickstart, with its names, its defaults and its leniency: keys that
// nobody knows are passed over, a number may be a text, a flag a number.
// Not what they become here: options_from_mozilla.h makes settings of them.
// Plain values; pure functions. Fails with malformed and names file and key.
// Format: docs/mozilla-symbolication-server.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace server {

struct MozillaLog {
  std::string path;
  std::uint64_t level = 30;  // Python's: 10 debug … 50 critical
  std::uint64_t files = 5;
  std::uint64_t file_size_mb = 50;
};

struct MozillaStart {
  bool start = true;
  bool restart = false;
};

// As its default is written: the engine's own place.
inline constexpr const char* kUsualApiSocket = "unix://var/run/docker.sock";

struct MozillaConfig {
  struct DiskCache {
    std::string cache_path = "./DiskCacheData";
    std::vector<std::string> local_symbol_dirs;
    std::uint64_t max_size_mb = 200;
    std::string listen_address = "0.0.0.0";  // the original had no other
    std::uint64_t port = 8888;
    std::uint64_t retries = 3;
    std::uint64_t retry_delay_ms = 500;
    // The bucket that was the default has gone; this is where those symbols are today.
    std::vector<std::string> symbol_urls{"https://symbols.mozilla.org/"};
    MozillaLog log{"DiskCache.log"};
  } disk_cache;
  struct SymServer {
    std::string listen_address = "0.0.0.0";
    std::uint64_t port = 8080;
    std::vector<std::string> memcached_servers{"127.0.0.1:11211"};
    std::string disk_cache_server = "127.0.0.1:8888";
    MozillaLog log{"SymServer.log"};
  } sym_server;
  struct Quickstart {
    bool verbose = false;
    struct Docker {
      bool enable = false;
      bool publish_memcached = false, publish_disk_cache = false, publish_sym_server = true;
      std::string api_socket = kUsualApiSocket;
      // Ours. The address is this machine's.
      std::string publish_address = "127.0.0.1";
      std::string engine;  // a program; none: podman or docker, whichever is there
      std::string image = "faultline";
      std::string make_image;            // the program that makes it: tools/make-image
      std::string container = "snappy";  // so the original called it
      std::string network;               // none: one of its own; "host": this machine's
    } docker;
    struct Memcached {
      MozillaStart starting;
      std::string binary = "memcached";
      std::uint64_t port = 11211;
      std::string listen_address = "0.0.0.0";
      std::uint64_t max_memory_mb = 64;
    } memcached;
    MozillaStart disk_cache{true, true};
    MozillaStart sym_server;
  } quickstart;
};

// "0.0.0.0:8080", "[::1]:8080".
std::string listen_text(const std::string& address, std::uint64_t port);

// Whether a JSON document is such a file: it has one of the three sections.
bool is_mozilla(const base::JsonValue& config);

base::Result<MozillaConfig> mozilla_config(const base::JsonValue& config,
                                           const std::string& file_name);
// Of the file, or of `json` itself; the defaults when both are empty.
base::Result<MozillaConfig> read_mozilla_config(const std::string& path, std::string_view json);

}  // namespace server
