// The upstream servers of the configuration, asked for supply: on threads of their own, since they
// may be slow; what they give is filed by ingest.
// open() fails with malformed (a setting). Any thread may call; ask() does not block. stop() ends
// what is under way and has called back who waits when it returns; it must come before supply goes
// (UpstreamStop). Whoever asks after it is answered at once that we stop.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>

#include "base/pool.h"
#include "ingest/fetched_files.h"
#include "server/circle_watch.h"
#include "server/exclusions.h"
#include "server/miss_keeper.h"
#include "server/options.h"
#include "server/pointers.h"
#include "server/upstream_caches.h"
#include "store/disk_watch.h"
#include "supply/supply.h"
#include "upstream/upstreams.h"

namespace server {

class UpstreamWork {
 public:
  using Bars = std::function<bool(const upstream::Place& place)>;
  // `files`, `disk` and `database` must outlive it. `follow`: null when no file.ptr is followed.
  // `bars`: null, or says what no server is asked for (upstream/server.h).
  static base::Result<std::unique_ptr<UpstreamWork>> open(
      const Options& options, const std::string& tmp, ingest::FetchedFiles& files,
      store::DiskWatch& disk, db::Database& database, Follower follow, const Bars& bars = nullptr);

  ~UpstreamWork() { stop(); }
  UpstreamWork(const UpstreamWork&) = delete;
  UpstreamWork& operator=(const UpstreamWork&) = delete;

  bool empty() const { return upstreams_.empty(); }
  // Ours, as the servers are told it (net/round_trips.h); "" when there is nobody to ask.
  const std::string& own_name() const { return own_name_; }
  bool may_ask(const ident::SymbolRequest& request) const;
  void ask(const ident::SymbolRequest& request, const supply::Supply::Options::Hearer& hearer);
  // Another server waits for what ask() asks for (server/circle_watch.h).
  void joined(const ident::SymbolRequest& request);
  // The content that came from there before. `arrives`: null, or told of it as ask()'s hearer is.
  base::Result<void> fetch_again(const std::string& from, const base::Sha256& content,
                                 const supply::Supply::Options::Arrives& arrives);
  // A source file: the bytes of the first one that `is_it` takes. `done` is called once.
  bool may_ask(const upstream::SourceWish& wish) const { return upstreams_.may_have(wish); }
  using IsIt = std::function<bool(std::string_view bytes)>;
  // After the deadline it waits for no turn any more.
  void ask(const upstream::SourceWish& wish, supply::Supply::Clock::time_point deadline,
           const IsIt& is_it, const std::function<void(base::Result<std::string>)>& done);
  // On a thread that may wait for an upstream server; on the caller's when there is none (any
  // more).
  void run_aside(const std::function<void()>& job);
  // Begins to take out of trees of copies what they may not keep so long, and what was cut off, now
  // and then: for the housekeeper's thread, as often as it likes.
  void age_trees();
  // Of a tree of copies, where it is known without a look.
  std::optional<std::uint64_t> known_size(const std::string& tree) const {
    return caches_.known_size(tree);
  }
  // A content that is barred by now, out of all trees of copies (upstream_caches.h). Blocks. Fails
  // with unavailable.
  base::Result<std::uint64_t> remove_from_trees(const base::Sha256& content, std::uint64_t size,
                                                bool pretend);
  // The same of one that came from there, and was refused.
  void remove_from_trees_at(const std::string& from, const base::Sha256& content) const {
    caches_.remove_content_at(from, content);
  }
  // All that they do not have is asked for again.
  void forget_misses() { upstreams_.forget_misses(); }
  void forget_misses(const ident::SymbolRequest& request) { upstreams_.forget_misses(request); }
  // Told, on any thread, which file of a directory is kept now, and how it was before it was read.
  // Before anybody asks.
  using Kept = std::function<void(const std::string& from, const store::FileStamp& stamp)>;
  void on_kept(Kept kept) { kept_ = std::move(kept); }
  void on_answer(upstream::Upstreams::Heard heard) { upstreams_.on_answer(std::move(heard)); }
  const std::vector<std::unique_ptr<upstream::Server>>& servers() const {
    return upstreams_.servers();
  }
  void stop();
  // What is asked for nowhere: for whom the time comes to read it again.
  Exclusions& exclusions() { return *exclusions_; }
  // The patterns of names that no server is asked for.
  std::vector<std::string> denied() const;
  // Which names the servers are asked for, as these options say it by now: upstreams_deny of all,
  // allow and deny of those that are there as they were opened (partners_of()). All of it or, when
  // it fails with malformed (a pattern), nothing. One thread at a time.
  base::Result<void> refilter(const Options& options);
  // Grows after each change of what Server::allows() says: refilter(), exclusions() read again.
  std::uint64_t filter_changes() const { return refilters_ + exclusions_->times_read(); }

 private:
  UpstreamWork(std::vector<std::unique_ptr<upstream::Server>> servers, const std::string& tmp,
               const upstream::Upstreams::Rounds& rounds, ingest::FetchedFiles& files,
               store::DiskWatch& disk, Follower follow)
      : upstreams_(std::move(servers), tmp, rounds),
        files_(files),
        disk_(disk),
        follow_(std::move(follow)) {}
  base::Result<void> keep(upstream::Fetched fetched, const ident::SymbolRequest& request);
  using Asked = supply::Supply::Options::Asked;
  // `is_crowded`: whether a server was not asked since too many wait for it.
  Asked fetch(const ident::SymbolRequest& request, const supply::Supply::Options::Hearer& hearer,
              bool& is_crowded);
  base::Result<std::string> fetch(const upstream::SourceWish& wish, const IsIt& is_it,
                                  bool& is_crowded);
  struct Question {
    // Answers, or says false: it found too many waiting, and it `may_wait`.
    std::function<bool(bool may_wait)> answer;
    supply::Supply::Clock::time_point until;  // it may wait among others
  };
  bool post(Question question);  // false: we stop
  void answer(const Question& question);

  upstream::Upstreams upstreams_;
  std::vector<UpstreamOptions> opened_;  // of which upstreams_ were made; refilter()'s
  std::unique_ptr<MissKeeper> keeper_;   // null: nobody to ask
  ingest::FetchedFiles& files_;
  store::DiskWatch& disk_;
  const Follower follow_;
  std::shared_ptr<Exclusions> exclusions_;
  std::atomic<std::uint64_t> refilters_ = 0;
  UpstreamCaches caches_;
  std::int64_t aged_us_ = 0;  // monotonic; the housekeeper's
  std::atomic<bool> stopping_ = false;
  std::string own_name_;
  std::unique_ptr<CircleWatch> circles_;  // null: nobody to ask
  Kept kept_;
  mutable std::mutex mutex_;
  std::unique_ptr<base::WorkerPool> pool_;  // null: nobody to ask, or stopped; guarded by mutex_
  std::vector<std::string> denied_;         // guarded by mutex_
  unsigned answering_ = 0;                  // threads in answer(); guarded by mutex_
  std::deque<Question> crowded_out_;        // guarded by mutex_
};

// Stops it at the end of its scope, however that is left.
struct UpstreamStop {
  UpstreamWork& work;
  ~UpstreamStop() { work.stop(); }
};

}  // namespace server
