#include "server/upstream_wiring.h"

#include <algorithm>
#include <array>
#include <thread>

#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "net/round_trips.h"
#include "server/upstream_tee.h"
#include "supply/choose.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::int64_t kAgeTreesEvery = 6 * 3'600'000'000;  // microseconds

// Most of them wait: for a server, or for a turn at one. A server that is slow holds no more than
// may wait for it (upstream/server.h), so that there is always one left for the others.
constexpr unsigned kThreadsMin = 16;
constexpr unsigned kThreadsMax = 512;
// So long a question stays that finds too many waiting: as long as symbolication has time.
constexpr std::chrono::seconds kCrowdedMax{60};
constexpr std::chrono::milliseconds kCrowdedNap{50};
constexpr std::uint64_t kPointerSizeMax = 64ull << 10;
// Long enough that all who wait for it see a miss which is not to be remembered.
constexpr std::chrono::seconds kMissIsSeen{1};

unsigned threads_for(const std::vector<UpstreamOptions>& upstreams) {
  std::uint64_t threads = kThreadsMin;
  for (const UpstreamOptions& one : upstreams) {
    threads += 3 * std::min<std::uint64_t>(one.requests_max, kThreadsMax);
  }
  return static_cast<unsigned>(std::min<std::uint64_t>(threads, kThreadsMax));
}

ingest::FetchedFile fetched_file(upstream::Fetched fetched) {
  ingest::FetchedFile file{std::move(fetched.file), std::move(fetched.place.name),
                           std::move(fetched.from), fetched.place.is_cabinet,
                           fetched.place.is_pointer};
  return file;
}

bool is_symbol_store(upstream::Layout layout) {
  using upstream::Layout;
  return layout == Layout::symstore || layout == Layout::symstore_two_tier;
}

// It is told to every server that is asked, so it says nothing about us.
std::string random_name() {
  std::array<std::uint8_t, 8> bytes{};
  base::fill_random(bytes);
  return base::hex_of(bytes);
}

Error we_stop() { return {Fault::unavailable, "the server stops"}; }

Error disk_is_nearly_full() {
  return {Fault::unavailable, "the disk is nearly full: nothing is fetched from upstream"};
}

// To a client it is all the same: nobody gives it. What a server does not give us now is no miss.
// Which server that is, and where, stands in the log alone.
Error for_client(const Error& error) {
  if (net::says_came_round(error)) return error;
  if (error.fault == Fault::internal) return {error.fault, "what came cannot be looked at now"};
  if (error.fault == Fault::unavailable || error.fault == Fault::timed_out) {
    return {error.fault, "an upstream server that may have it does not answer now"};
  }
  return {Fault::not_found, "neither we nor an upstream server has it"};
}

}  // namespace

Result<std::unique_ptr<UpstreamWork>> UpstreamWork::open(
    const Options& options, const std::string& tmp, ingest::FetchedFiles& files,
    store::DiskWatch& disk, db::Database& database, Follower follow, const Bars& bars) {
  const std::shared_ptr<Exclusions> exclusions =
      TRY(Exclusions::open(options.upstreams_exclusions));
  UpstreamCaches caches;
  caches.leave_free(options.disk_stop_caching);
  caches.bars_with(bars);
  const std::string own_name = options.upstreams.empty() ? "" : random_name();
  std::vector<std::unique_ptr<upstream::Server>> servers;
  for (const UpstreamOptions& one : options.upstreams) {
    upstream::ServerOptions server = TRY(server_options(one, options.upstreams_deny));
    server.own_name = own_name;
    server.has_room = [&disk] { return disk.may_extract(); };
    server.bars = bars;
    if (exclusions->has_file()) {
      server.excludes = [exclusions](std::string_view name) { return exclusions->excludes(name); };
    }
    if (is_symbol_store(server.layout)) caches.add(one.url, one.copies);
    if (one.is_tree) caches.add_tree(one.url);
    if (one.tree_size_max != 0) caches.bound(one.url, one.tree_size_max);
    if (one.tree_days_max != 0) caches.bound_days(one.url, one.tree_days_max);
    auto made = TRY(upstream::Server::make(server));
    servers.push_back(std::move(made));
    base::log::info("upstream {}: {} as {}", server.name, server.transport.location,
                    upstream::name_of(server.layout));
  }
  const upstream::Upstreams::Rounds rounds{static_cast<unsigned>(options.upstreams_rounds),
                                           std::chrono::milliseconds(options.upstreams_round_ms)};
  std::unique_ptr<UpstreamWork> work(
      new UpstreamWork(std::move(servers), tmp, rounds, files, disk, std::move(follow)));
  work->opened_ = options.upstreams;
  work->denied_ = lines_of(options.upstreams_deny);
  work->exclusions_ = exclusions;
  work->own_name_ = own_name;
  work->caches_ = std::move(caches);
  if (!work->empty()) {
    work->circles_ = std::make_unique<CircleWatch>(
        own_name, tmp, [own = work.get()](const auto& job) { own->run_aside(job); });
    work->keeper_ = std::make_unique<MissKeeper>(database, work->upstreams_.servers());
    work->pool_ = std::make_unique<base::WorkerPool>(threads_for(options.upstreams));
  }
  return work;
}

bool UpstreamWork::may_ask(const ident::SymbolRequest& request) const {
  return !empty() && upstreams_.may_have(request);
}

void UpstreamWork::ask(const ident::SymbolRequest& request,
                       const supply::Supply::Options::Hearer& hearer) {
  const auto answers = [this, request, hearer](bool may_wait) {
    bool is_crowded = false;
    const Asked asked = fetch(request, hearer, is_crowded);
    if (is_crowded && may_wait) return false;
    hearer.done(asked);
    return true;
  };
  const bool is_posted = post({answers, supply::Supply::Clock::now() + kCrowdedMax});
  if (!is_posted) hearer.done({false, we_stop(), supply::Supply::Clock::now()});
}

bool UpstreamWork::post(Question question) {
  const std::lock_guard lock(mutex_);
  if (!pool_) return false;
  pool_->post([this, question = std::move(question)] { answer(question); });
  return true;
}

// What found too many waiting holds no thread until somebody else is done.
void UpstreamWork::answer(const Question& question) {
  {
    const std::lock_guard lock(mutex_);
    ++answering_;
  }
  const bool may_wait = !stopping_ && supply::Supply::Clock::now() < question.until;
  const bool waits = !question.answer(may_wait);
  std::unique_lock lock(mutex_);
  --answering_;
  if (waits) {
    crowded_out_.push_back(question);
    if (answering_ != 0) return;
    lock.unlock();  // others hold the turns: what is fetched again
    std::this_thread::sleep_for(kCrowdedNap);
    lock.lock();
  }
  if (crowded_out_.empty() || !pool_) return;
  pool_->post([this, next = std::move(crowded_out_.front())] { answer(next); });
  crowded_out_.pop_front();
}

UpstreamWork::Asked UpstreamWork::fetch(const ident::SymbolRequest& request,
                                        const supply::Supply::Options::Hearer& hearer,
                                        bool& is_crowded) {
  const auto now = supply::Supply::Clock::now();
  if (!disk_.may_cache()) {
    return {false, disk_is_nearly_full(), now + base::policy_of(Fault::unavailable).remember};
  }
  CircleWatch::Question question(*circles_, request, hearer);
  UpstreamTee tee(hearer.arrives, [&question](auto& server, const upstream::Place& place) {
    question.moved_to(server, place);
  });
  auto missed = upstreams_.fetch(
      request, [&](upstream::Fetched fetched) { return keep(std::move(fetched), request); }, &tee);
  if (const auto* miss = std::get_if<upstream::Missed>(&missed)) {
    is_crowded = miss->is_crowded;
    const Error told = miss->is_left_alone ? supply::nobody_answers() : for_client(miss->error);
    return {false, told, std::max(miss->until, supply::Supply::Clock::now() + kMissIsSeen)};
  }
  return {true, {}, now};
}

std::vector<std::string> UpstreamWork::denied() const {
  const std::lock_guard lock(mutex_);
  return denied_;
}

Result<void> UpstreamWork::refilter(const Options& options) {
  const auto partners = partners_of(opened_, options.upstreams);
  std::vector<UpstreamOptions> now = opened_;
  std::vector<upstream::FileFilter> filters;
  for (std::size_t i = 0; i < now.size(); ++i) {
    if (partners[i]) now[i] = options.upstreams[*partners[i]];
    const upstream::ServerOptions server = TRY(server_options(now[i], options.upstreams_deny));
    auto filter = upstream::FileFilter::make(server.allow, server.deny);
    if (!filter.ok()) return base::with_context(server.name, std::move(filter).error());
    filters.push_back(std::move(filter).value());
  }
  for (std::size_t i = 0; i < now.size(); ++i) servers()[i]->use(std::move(filters[i]));
  ++refilters_;
  opened_ = std::move(now);
  const std::lock_guard lock(mutex_);
  denied_ = lines_of(options.upstreams_deny);
  return {};
}

void UpstreamWork::joined(const ident::SymbolRequest& request) {
  if (circles_) circles_->joined(request);
}

void UpstreamWork::ask(const upstream::SourceWish& wish, supply::Supply::Clock::time_point deadline,
                       const IsIt& is_it, const std::function<void(Result<std::string>)>& done) {
  const auto answers = [=, this](bool may_wait) {
    bool is_crowded = false;
    Result<std::string> bytes = fetch(wish, is_it, is_crowded);
    if (is_crowded && may_wait) return false;
    done(std::move(bytes));
    return true;
  };
  if (!post({answers, deadline})) done(we_stop());
}

Result<std::string> UpstreamWork::fetch(const upstream::SourceWish& wish, const IsIt& is_it,
                                        bool& is_crowded) {
  if (!disk_.may_cache()) return disk_is_nearly_full();
  std::string bytes;
  const auto missed = upstreams_.fetch(wish, [&](upstream::Fetched fetched) -> Result<void> {
    bytes = TRY(base::read_file(fetched.file.path(), wish.size_max));
    if (is_it(bytes)) return {};
    return Error{Fault::malformed, "it is not the file that was compiled"};
  });
  if (missed.ok()) return bytes;
  is_crowded = upstream::says_crowded(missed.error());
  return for_client(missed.error());
}

// A pointer that leads nowhere is a miss: the next server may have the file itself.
Result<void> UpstreamWork::keep(upstream::Fetched fetched, const ident::SymbolRequest& request) {
  if (fetched.place.is_pointer) {
    if (!follow_ || !request.asked) {
      return Error{Fault::not_found, "it is a file.ptr, and store.pointers lets none be followed"};
    }
    supply::Pointer pointer{
        "", request.asked->name, request.asked->id, request.scope.project, {fetched.from}};
    pointer.text = TRY(base::read_file(fetched.file.path(), kPointerSizeMax));
    TRY(follow_(pointer));
  }
  std::function<void()> copier;
  if (request.scope.project.empty()) copier = caches_.copier_of(fetched);
  const std::string from = fetched.from;
  const auto found = fetched.found;
  TRY(files_.keep(fetched_file(std::move(fetched)), request));
  if (kept_ && found) kept_(from, store::stamp_of(*found));
  if (copier) run_aside(copier);
  return {};
}

Result<void> UpstreamWork::fetch_again(const std::string& from, const base::Sha256& content,
                                       const supply::Supply::Options::Arrives& arrives) {
  if (!disk_.may_cache()) return disk_is_nearly_full();
  std::optional<UpstreamTee> tee;
  if (arrives) tee.emplace(arrives);
  const auto take = [&](upstream::Fetched fetched) {
    return files_.take_again(fetched_file(std::move(fetched)), content);
  };
  // A copy in a tree of ours is nearer.
  Result<void> taken = Error{Fault::not_found, from + ": lies nowhere"};
  for (const std::string& place : caches_.places_of(from)) {
    taken = upstreams_.fetch_again(place, take, tee ? &*tee : nullptr);
    if (taken.ok()) break;
  }
  return taken;
}

void UpstreamWork::run_aside(const std::function<void()>& job) {
  {
    const std::lock_guard lock(mutex_);
    if (pool_) return pool_->post(job);
  }
  job();
}

void UpstreamWork::age_trees() {
  const std::int64_t now = base::monotonic_us();
  if (stopping_ || !caches_.has_trees()) return;
  if (aged_us_ != 0 && now - aged_us_ < kAgeTreesEvery) return;
  aged_us_ = now;
  run_aside([this] {
    caches_.remove_cut_off(base::now());
    caches_.remove_unused(base::now(), [this] { return !stopping_; });
  });
}

Result<std::uint64_t> UpstreamWork::remove_from_trees(const base::Sha256& content,
                                                      std::uint64_t size, bool pretend) {
  if (!pretend) caches_.wait_for_copies();
  return caches_.remove_content(content, size, pretend, [this] { return !stopping_; });
}

void UpstreamWork::stop() {
  stopping_ = true;
  upstreams_.stop();
  if (circles_) circles_->stop();
  std::unique_ptr<base::WorkerPool> pool;
  {
    const std::lock_guard lock(mutex_);
    pool = std::move(pool_);
  }
  pool.reset();  // runs what was posted: each sees that we stop
  for (const Question& question : crowded_out_) question.answer(false);
  crowded_out_.clear();
}

}  // namespace server
