// How the bytes of a file come from an upstream server: over HTTP, or out of a directory.
// Any thread may call; fetch() blocks. Fails with not_found (it is not there), denied (we may not),
// too_large, timed_out, unavailable (the server is down, has no certificate that we trust, speaks
// no HTTP, broke off, or `stop` was set) or malformed (an answer that we can make nothing of).
// Errors name the server; what lets us in stands in none.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "net/forwarded.h"
#include "net/http.h"
#include "upstream/s3.h"

namespace upstream {

struct TransportOptions {
  // "http://host/symbols", "https://…", "s3://bucket", the scheme in lower case; or a directory.
  std::string location;
  std::vector<std::pair<std::string, std::string>> headers;  // for this server alone
  std::string proxy;                                         // "": as the environment says
  std::string ca_bundle, client_certificate, client_key;     // "": the system's, none
  net::AddressSet private_addresses;  // not public, and yet redirects may lead there
  // A stranger named it, not the operator: it is nowhere but where redirects may lead, either, and
  // asked through no proxy.
  bool is_strangers = false;
  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::milliseconds stall_timeout{60'000};  // slower than speed_min for this time
  std::uint64_t speed_min = 1;                      // bytes a second
  std::chrono::milliseconds total_timeout{0};       // of one file; 0: none
  std::uint64_t size_max = 16ull << 30;
  S3Options s3;  // for s3:// alone
};

// One file that is asked for.
struct Ask {
  std::string path;                     // upstream/layout.h
  std::uint64_t size_max = UINT64_MAX;  // of this one, where the server may give more
  std::vector<std::pair<std::string, std::string>> headers = {};  // of this one, over HTTP
  std::function<bool()> has_room = {};  // false: our disk fills, and it ends. Null: there is room
  // It gave this before: that we may not have it (401, 403) does not say that it is not there.
  bool was_there = false;
  // Over HTTP: whether it is there, and no more; and when that is not worth waiting for.
  bool is_head = false;
  std::optional<std::chrono::steady_clock::time_point> until = std::nullopt;
};

inline base::Error no_room() {
  return {base::Fault::unavailable, "the disk is nearly full: what comes is not kept"};
}

// Told while a file comes, on the thread that fetches it. The first two are both set, or neither.
struct Progress {
  // The file is there and begins to come; its size when the server says it.
  std::function<void(std::optional<std::uint64_t> total)> began;
  std::function<void(std::uint64_t size)> grew;  // of what is written
  // Before a file of a directory is read: as it lies there. May be null.
  std::function<void(const struct ::stat& found)> found = {};
  // Over HTTP: what was answered, whatever that is. May be null.
  std::function<void(int status, const net::Headers& headers)> answered = {};
  // It fails with denied, and that is our word: where it leads we do not go. May be null.
  std::function<void()> refused = {};
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Appends the file to `into`. One that is too large fails before it is here, if the server says
  // how large it is, else as soon as so much of it has come.
  virtual base::Result<void> fetch(const Ask& ask, base::PendingFile& into,
                                   const std::atomic<bool>& stop, const Progress& progress) = 0;
};

// Redirects are followed; one that leads to another server may only lead to a public address, and
// what lets us in here is not shown there.
std::unique_ptr<Transport> http_transport(const TransportOptions& options);
// An object of a bucket, by its key below the location's. Fails with malformed when that or the
// endpoint is none. Redirects are not followed: they say that the region is wrong.
base::Result<std::unique_ptr<Transport>> s3_transport(const TransportOptions& options);
// Links that lead out of the directory are not followed.
std::unique_ptr<Transport> directory_transport(const std::string& directory,
                                               std::uint64_t size_max);

}  // namespace upstream
