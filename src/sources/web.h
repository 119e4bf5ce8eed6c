// Source files from web servers: those that the operator named, with what lets us in there, and
// kept on disk, since what a commit holds does not change.
// Any thread may call; fetch() blocks; a URL is fetched once however many ask. A failure is
// remembered for as long as its fault's policy says. What others fetch is kept here, too.
// open() fails with malformed (a setting), denied or unavailable (the cache). fetch() fails with
// denied (not on the list, a private address behind a domain, a redirect elsewhere), not_found,
// too_large, timed_out, malformed (base64) or unavailable. Errors name the server, never the path
// or what let us in.
// Format: docs/protocols/sources.md
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "formats/srcsrv/location.h"
#include "net/client.h"
#include "sources/host_rules.h"

namespace sources {

struct WebOptions {
  std::string hosts;             // the list of sources/host_rules.h; "": nothing is fetched
  std::string credentials_file;  // "": none
  std::string cache_directory;
  std::string tmp;
  std::uint64_t cache_size_max = 1ull << 30;
  std::uint64_t file_size_max = 16ull << 20;
  std::chrono::milliseconds timeout{10'000};
  std::function<bool()> may_cache = nullptr;  // whether the disk has room for what others have
};

class Web {
 public:
  static base::Result<std::unique_ptr<Web>> open(const WebOptions& options);
  // The list and the credentials, as open() reads them.
  static base::Result<HostRules> read_rules(const WebOptions& options);
  Web(const Web&) = delete;
  Web& operator=(const Web&) = delete;

  using Clock = std::chrono::steady_clock;
  // timed_out at the deadline, which is not remembered: the next one may have more time.
  base::Result<std::string> fetch(const srcsrv::Location& location, Clock::time_point deadline);
  bool enabled() const { return !rules_.empty(); }

  // Of whoever fetches by other ways: what was kept under `key`, else what `download` gives, which
  // is run once however many ask; what fails is not remembered. It keeps what it got itself.
  using Download = std::function<base::Result<std::string>()>;
  base::Result<std::string> fetch_once(const std::string& key, Clock::time_point deadline,
                                       const Download& download);
  // A cache that cannot be written is no reason to refuse the file.
  void keep(const std::string& key, std::string_view bytes);

 private:
  struct Failure {
    base::Error error;
    Clock::time_point until;
  };
  struct Kept {
    std::uint64_t size = 0;
    std::list<std::string>::iterator place;  // in order_
  };

  Web(WebOptions options, HostRules rules)
      : options_(std::move(options)), rules_(std::move(rules)) {}
  base::Result<void> read_cache();
  base::Result<std::string> download(const srcsrv::Location& location, Clock::time_point deadline);
  base::Result<net::ClientAnswer> get(const std::string& url, Clock::time_point deadline) const;
  std::optional<std::string> find_cached(const std::string& name);
  std::optional<base::Error> find_failure(const std::string& name);
  void note_failure(const std::string& name, const base::Error& error);
  std::string path_of(const std::string& name) const;

  const WebOptions options_;
  const HostRules rules_;
  std::mutex mutex_;
  std::condition_variable landed_;
  std::set<std::string> flights_;               // guarded by mutex_
  std::map<std::string, Failure> failures_;     // guarded by mutex_
  std::list<std::string> order_;                // oldest use first; guarded by mutex_
  std::unordered_map<std::string, Kept> kept_;  // guarded by mutex_
  std::uint64_t kept_size_ = 0;                 // guarded by mutex_
};

// Standard base64; white space is skipped. Nothing when it is none.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace sources
