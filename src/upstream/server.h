// One upstream server: what it is asked for, how it is spared, and what it said lately.
//   - files that its filter refuses are never asked for; that can be changed at any time
//   - a place where it has nothing is asked again only after retry_after (a remembered miss is not
//     made younger by asking)
//   - at most requests_max requests at a time; who must wait does so for at most wait_max
//   - one that fails again and again is left alone for a while (breaker.h)
// Any thread may call; fetch() blocks. make() fails with malformed (a pattern, a location).
// fetch() fails with not_found (it has no such file, or none for this filter or layout),
// unavailable or timed_out (it does not answer now), denied, too_large or malformed.
// Format: docs/protocols/upstreams.md
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "upstream/breaker.h"
#include "upstream/file_filter.h"
#include "upstream/layout.h"
#include "upstream/misses.h"
#include "upstream/tiers.h"
#include "upstream/transport.h"

namespace upstream {

struct ServerOptions {
  std::string name;        // for people
  std::string identifier;  // in statistics; "": the name
  std::string own_name;    // ours, told to it (net/round_trips.h); "": it is not told
  Layout layout = Layout::symstore;
  bool finds_tiers = false;  // of a symstore, whose root is looked at, or asked (tiers.h)
  Casing casing = Casing::of_layout;
  TransportOptions transport;
  std::string group;  // neighbours of one are asked at once; "": it is asked alone
  std::vector<std::string> projects{""};  // for which it is asked; "" is the default one
  AlsoAsked also;
  std::vector<std::string> kinds;  // of files (kind_of()); none: all
  std::vector<std::string> allow{".*"}, deny;
  // Whether our disk has room for what comes: asked again and again while it does; any thread.
  // Null: it has.
  std::function<bool()> has_room;
  // Names that it is not asked for now; any thread. Null: none.
  std::function<bool(std::string_view name)> excludes;
  // Whether we may not have what lies there, whoever wants it; any thread. Null: we may.
  std::function<bool(const Place& place)> bars = nullptr;
  std::chrono::seconds retry_after{60};
  unsigned requests_max = 10;
  std::chrono::seconds wait_max{20};
  Breaker::Options breaker;
  std::size_t misses_max = 100'000;  // remembered
};

// A source file that the symbols of a module name (upstream/layout.h: find_source_place()).
struct SourceWish {
  std::string project;
  std::string build_id;
  std::string path;
  std::uint64_t size_max = UINT64_MAX;
  std::string asked_by = {};  // net/round_trips.h
};

// A file that came. Nothing says yet that it is what was asked for.
struct Fetched {
  base::PendingFile file;
  Place place;
  std::string from;  // the server's location and the place: find_again() knows it
  // Out of a directory: as it lay there before it was read. Whoever finds it otherwise later knows
  // that it changed, if need be while it was read.
  std::optional<struct ::stat> found = {};
  std::string question = {};  // reject() takes it: the place, and the content if one was demanded
};

class Server;

// Watches a file come, before it is fetched as a whole; only such that lie there as they are wanted
// (no cabinets). Calls come on the thread that fetches, of servers asked at once one by one.
class Watcher {
 public:
  virtual ~Watcher() = default;
  // Of every place that is asked, before that.
  virtual void asks(Server& server, const Place& place) = 0;
  // `file` is written to until ended(); its size when the server says it.
  virtual void began(const Place& place, const base::PendingFile& file,
                     std::optional<std::uint64_t> total) = 0;
  virtual void grew_to(std::uint64_t size) = 0;
  // After began(), once: whether it came whole and is what was wanted.
  virtual void ended(bool is_good) = 0;
};

// Whether it was not asked since too many wait for it: later it may be.
bool says_crowded(const base::Error& error);

class Server {
 public:
  using Clock = std::chrono::steady_clock;

  static base::Result<std::unique_ptr<Server>> make(const ServerOptions& options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Its projects, kinds, layout and filter say so.
  bool may_have(const ident::SymbolRequest& request) const;
  // `tmp`: where files are written. `miss_until`: when a miss, or a failure, may be another one.
  // `watcher`: null, or told of what comes; that a file which fetch() gives has ended is the
  // caller's to say, who judges it.
  base::Result<Fetched> fetch(const ident::SymbolRequest& request, const std::string& tmp,
                              const std::atomic<bool>& stop, Clock::time_point& miss_until,
                              Watcher* watcher = nullptr);
  bool may_have(const SourceWish& wish) const;
  base::Result<Fetched> fetch(const SourceWish& wish, const std::string& tmp,
                              const std::atomic<bool>& stop, Watcher* watcher = nullptr);
  // What was fetched `from` here before, or from another one at this place; nothing when that is
  // not here. Fails with denied when it lets us have it no more.
  std::optional<base::Result<Fetched>> fetch_again(const std::string& from, const std::string& tmp,
                                                   const std::atomic<bool>& stop, Watcher* watcher);
  // What came from there was not what was asked for: as good as a miss, of that question alone.
  void reject(const Place& place, const std::string& question, Clock::time_point& miss_until);
  // Whether it may be one of us, which may ask us back: it has not said otherwise.
  bool may_ask_back() const;
  // Asks it for its place on behalf of `asked_by`, to see whether that comes round; for a moment
  // only. Blocks.
  bool comes_round(const Place& place, std::string_view asked_by, const std::string& tmp,
                   const std::atomic<bool>& stop);
  Misses& misses() { return misses_; }
  void forget_misses(const ident::SymbolRequest& request);  // of all its places

  // As its files were last seen to lie: with finds_tiers that may be other than in the options.
  Layout layout() const;
  const std::string& name() const { return options_.name; }
  const ServerOptions& options() const { return options_; }
  // By the options' `allow` and `deny`, until another one is used.
  std::shared_ptr<const FileFilter> filter() const;
  // Whether the filter and what is excluded now let it be asked for a file that is called so there.
  bool allows(std::string_view name) const;
  void use(FileFilter filter);
  // Where it is. Others may be there, too, who let us in as somebody else.
  const std::string& place() const { return options_.transport.location; }
  // What its misses are kept by: the place, and a digest of what else its answers depend on, what
  // lets us in there above all. Two with the same one say the same.
  const std::string& identity() const { return identity_; }
  struct Counts {
    std::uint64_t requests = 0, hits = 0, misses = 0, failures = 0;
    std::size_t remembered = 0, waiting = 0, busy = 0;
    std::chrono::seconds rests{0};
  };
  Counts counts() const;
  Breaker::State breaker_state() const { return breaker_.state(); }
  // The last time that it did not answer; what lets us in there is not in the words.
  struct Failure {
    base::Time at;
    std::string what;
  };
  std::optional<Failure> last_failure() const;

 private:
  struct Turn;  // holds one of the requests_max turns

  Ask ask_for(const ident::SymbolRequest& request) const;
  void say_who_asks(Ask& ask, std::string_view asked_by) const;
  void note_answer(int status, const net::Headers& headers);
  void note_refusal(const base::Error& refusal, Clock::time_point& miss_until);
  std::optional<Place> find_place(const SourceWish& wish) const;
  std::vector<Place> places_of_wanted(const ident::SymbolRequest& request, Layout layout) const;
  base::Result<void> find_tiers(const std::string& tmp, const std::atomic<bool>& stop);
  base::Result<std::optional<bool>> ask_for_tiers(const std::string& tmp,
                                                  const std::atomic<bool>& stop);
  bool has_missed(const std::vector<Place>& places, const Ask& ask);
  void note_failure(const base::Error& error);
  Server(const ServerOptions& options, FileFilter filter, std::unique_ptr<Transport> transport);
  // Of the `ask` all but the path counts: that is the place's.
  base::Result<Fetched> fetch_place(const Place& place, Ask ask, const std::string& tmp,
                                    const std::atomic<bool>& stop, Clock::time_point& miss_until,
                                    Watcher* watcher);
  bool take_turn(const std::atomic<bool>& stop, bool& crowded);
  // The file that the answer goes to.
  base::Result<base::PendingFile> begin(const Turn& turn, const std::string& tmp,
                                        const std::atomic<bool>& stop);
  void give_turn();

  const ServerOptions options_;
  const std::string identity_;
  const std::unique_ptr<Transport> transport_;
  Breaker breaker_;
  Misses misses_;
  Tiers tiers_;
  std::atomic<bool> has_two_tiers_ = false;  // as it was last found out
  std::atomic<bool> is_another_kind_ = false;
  std::atomic<bool> leads_astray_ = false;  // to where we do not go; since it gave a file
  mutable std::mutex mutex_;
  std::condition_variable turn_came_;
  // All guarded by mutex_.
  std::shared_ptr<const FileFilter> filter_;
  unsigned busy_ = 0;
  unsigned waiting_ = 0;
  Counts counts_;
  std::optional<Failure> last_failure_;
};

}  // namespace upstream
