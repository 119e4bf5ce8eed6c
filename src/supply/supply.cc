#include "supply/supply.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "net/round_trips.h"

namespace supply {

using base::Fault;
using base::Result;
using ident::Artifact;
using ident::SymbolRequest;

namespace {

// Our own database or disk did not answer: ask again soon.
constexpr std::chrono::seconds kRememberOwnTrouble{1};
// What a pointer leads to belongs to others: soon we look again.
constexpr std::chrono::seconds kRememberForeign{60};
// Other servers that are looked after while they wait for one file.
constexpr std::size_t kJoinedMax = 16;
// Spellings that wait for their turn in one flight; who has another one is told to ask again.
constexpr std::size_t kSpellingsMax = 16;

std::vector<std::string> ids_of(const SymbolRequest& request) {
  std::vector<std::string> ids;
  for (const ident::SymbolKey& key : request.keys) {
    if (std::find(ids.begin(), ids.end(), key.id) == ids.end()) ids.push_back(key.id);
  }
  return ids;
}

std::string spelling_of(const SymbolRequest& request) {
  return request.asked ? request.asked->text() : std::string();
}

// What is remembered of one spelling of a question, whose key has no such word at its end.
std::string key_in_spelling(std::string key, const SymbolRequest& request) {
  return key.append("|as|").append(spelling_of(request));
}

Supply::Clock::time_point expiry_of(const Found& found) {
  if (found.here()) {
    return found.file()->is_foreign ? Supply::Clock::now() + kRememberForeign
                                    : Supply::Clock::time_point::max();
  }
  const Fault fault = found.miss().fault;
  if (fault == Fault::unavailable || fault == Fault::internal) {
    return Supply::Clock::now() + kRememberOwnTrouble;
  }
  return Supply::Clock::now() + base::policy_of(fault).remember;
}

// Files from which a module's .sym and index can be made.
bool brings_symbols(const store::FileRecord& file) {
  return !file.debug_id.empty() && (file.format == "elf" || file.format == "breakpad_sym");
}

}  // namespace

Supply::Supply(store::Blobs& blobs, store::Catalog& catalog, Options options)
    : blobs_(blobs),
      catalog_(catalog),
      cache_(options.cache),
      bring_(std::move(options.bring)),
      follow_(std::move(options.follow)),
      containers_(options.containers),
      may_ask_(std::move(options.may_ask)),
      looks_before_asking_(may_ask_ && !options.may_ask_is_quick),
      ask_(std::move(options.ask)),
      joined_(std::move(options.joined)),
      derived_(std::make_unique<DerivedFiles>(blobs, std::move(options.derived))) {
  lookup_thread_ = std::thread([this] { look_up_forever(); });
  deadline_thread_ = std::thread([this] { watch_deadlines(); });
  catalog_.add_listener([this](const std::vector<store::NewFile>& files) { hear_commit(files); });
  catalog_.add_removal_listener([this](const std::vector<std::string>& ids) { hear_removal(ids); });
}

Supply::~Supply() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    work_came_.notify_all();
    deadline_came_.notify_all();
  }
  lookup_thread_.join();
  deadline_thread_.join();
  derived_.reset();
  for (const auto& [deadline, waiter] : deadlines_) waiter->done();
}

Result<void> Supply::learn_ids() {
  auto ids = std::make_unique<KnownIds>();
  TRY(catalog_.list_ids([&](ident::KeyKind kind, std::string_view id) { ids->add(kind, id); }));
  known_ids_ = std::move(ids);
  return {};
}

bool Supply::nobody_can_have(const SymbolRequest& request) const {
  if (!known_ids_ || known_ids_->may_have(request.keys)) return false;
  return !may_ask_ || !may_ask_(request);
}

Found Supply::local(const SymbolRequest& request, Needs needs) {
  // The ids alone tell most misses, of which nothing is remembered then. But whether others may
  // have it takes longer to find out than what they said the last time.
  if (!looks_before_asking_ && nobody_can_have(request)) return Found::miss(nobody_has(request));
  const AnswerKey key(request.cache_key());
  Found found = remembered(key, request, needs);
  if (found.settled()) return found;
  if (looks_before_asking_ && nobody_can_have(request)) return Found::miss(nobody_has(request));
  const std::lock_guard lock(mutex_);
  const auto at = flights_.find(key.text);
  if (at == flights_.end()) return {};
  const bool waits_in_vain = at->second.came_round.contains(request.asked_by);
  return waits_in_vain ? Found::miss(net::came_round()) : Found::working();
}

// What holds in every spelling, or in this one.
Found Supply::remembered(const AnswerKey& key, const SymbolRequest& request, Needs needs) {
  Found found = cache_.find(key, Clock::now(), needs);
  if (found.settled() || !ask_) return found;
  return cache_.find(AnswerKey(key_in_spelling(key.text, request)), Clock::now(), needs);
}

Found Supply::local_by_spelling(std::string_view spelling, Needs needs) {
  const SharedKey key = spellings_.find(spelling);
  return key ? cache_.find(*key, Clock::now(), needs) : Found();
}

void Supply::add_spelling(std::string_view spelling, const SymbolRequest& request) {
  const std::string text = request.cache_key();
  SharedKey key = cache_.key_like(AnswerKey(text));
  if (!key && ask_) key = cache_.key_like(AnswerKey(key_in_spelling(text, request)));
  if (key) spellings_.put(spelling, std::move(key));
}

std::shared_ptr<const Arriving> Supply::arriving(const SymbolRequest& request) const {
  const std::lock_guard lock(mutex_);
  const auto at = flights_.find(request.cache_key());
  return at == flights_.end() ? nullptr : at->second.arriving;
}

// Whether another server waits, from now on, for what others are asked for this moment.
bool Supply::join(Flight& flight, const SymbolRequest& request) const {
  const bool is_ours = request.asked_by.empty() || request.asked_by == flight.request.asked_by;
  if (is_ours || !joined_ || flight.joined.size() >= kJoinedMax) return false;
  flight.joined.insert(request.asked_by);
  return flight.is_asked && !flight.elsewhere && !flight.arriving;
}

void Supply::add_other_spelling(Flight& flight, const SymbolRequest& request) {
  const std::string spelling = spelling_of(request);
  const auto is_same = [&](const SymbolRequest& one) { return spelling_of(one) == spelling; };
  if (is_same(flight.request) || flight.others.size() >= kSpellingsMax) return;
  if (std::any_of(flight.others.begin(), flight.others.end(), is_same)) return;
  flight.others.push_back(request);
}

void Supply::want(const std::vector<SymbolRequest>& requests, Clock::time_point deadline,
                  std::function<void()> done, Takes takes) {
  auto waiter = std::make_shared<Waiter>();
  waiter->takes = takes;
  if (!requests.empty()) waiter->asked_by = requests.front().asked_by;
  // Before the lock is taken, which everybody wants: it may take a look at many servers' filters.
  std::vector<std::pair<AnswerKey, const SymbolRequest*>> wanted;
  wanted.reserve(requests.size());
  for (const SymbolRequest& request : requests) {
    if (!nobody_can_have(request)) wanted.emplace_back(AnswerKey(request.cache_key()), &request);
  }
  std::vector<SymbolRequest> joined;  // what others are asked for already
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, request] : wanted) {
      if (stopping_ || remembered(key, *request, Needs::descriptor).settled()) continue;
      const auto [at, is_new] = flights_.try_emplace(key.text);
      if (is_new) {
        at->second.request = *request;
        at->second.ids = ids_of(*request);
        queue_.push_back(key.text);
      } else {
        add_other_spelling(at->second, *request);
        if (join(at->second, *request)) joined.push_back(*request);
      }
      if (at->second.came_round.contains(request->asked_by)) continue;
      if (takes == Takes::arriving && at->second.arriving) continue;
      at->second.waiters.push_back({waiter, spelling_of(*request)});
      ++waiter->missing;
    }
    if (waiter->missing != 0) {
      waiter->done = std::exchange(done, nullptr);
      waiter->deadline = deadlines_.emplace(deadline, waiter);
      work_came_.notify_one();
      deadline_came_.notify_one();
    }
  }
  for (const SymbolRequest& request : joined) joined_(request);
  if (done) done();
}

Found Supply::wait_for(const SymbolRequest& request, Clock::time_point deadline) {
  return wait_for_all({request}, deadline).front();
}

std::vector<Found> Supply::wait_for_all(const std::vector<SymbolRequest>& requests,
                                        Clock::time_point deadline) {
  struct Signal {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
  };
  const auto signal = std::make_shared<Signal>();
  want(requests, deadline, [signal] {
    const std::lock_guard lock(signal->mutex);
    signal->done = true;
    signal->changed.notify_all();
  });
  std::unique_lock lock(signal->mutex);
  signal->changed.wait(lock, [&] { return signal->done; });
  std::vector<Found> found;
  found.reserve(requests.size());
  for (const SymbolRequest& request : requests) found.push_back(local(request));
  return found;
}

void Supply::refresh(const SymbolRequest& request) {
  const std::vector<std::string> ids = ids_of(request);
  const std::lock_guard lock(mutex_);
  forget({ids.begin(), ids.end()});
}

Supply::Counts Supply::counts() const {
  Counts counts;
  counts.remembered = cache_.sizes();
  counts.remembered.bytes += spellings_.bytes();
  counts.derived = derived_->counts();
  counts.lookups = lookups_;
  const std::lock_guard lock(mutex_);
  counts.under_way = flights_.size();
  return counts;
}

bool Supply::is_in_use(const base::Sha256& content) {
  {
    const std::lock_guard lock(mutex_);
    const bool is_wanted = std::any_of(flights_.begin(), flights_.end(), [&](const auto& flight) {
      const std::vector<base::Sha256>& all = flight.second.contents;
      return std::find(all.begin(), all.end(), content) != all.end();
    });
    if (is_wanted) return true;
  }
  return cache_.is_read(blobs_.place_of(content));
}

void Supply::forget_misses() {
  const std::lock_guard lock(mutex_);
  cache_.forget_misses();
}

void Supply::count_down(Waiter& waiter, Calls& ready) {
  if (waiter.missing == 0) return;
  --waiter.missing;
  if (waiter.missing != 0) return;
  deadlines_.erase(waiter.deadline);
  ready.push_back(std::move(waiter.done));
}

template <typename Goes>
void Supply::release(Flight& flight, const Goes& goes, Calls& ready) {
  std::erase_if(flight.waiters, [&](const Waiting& waiting) {
    if (!goes(waiting)) return false;
    count_down(*waiting.who, ready);
    return true;
  });
}

// Who takes what arrives need not wait for its end.
void Supply::hear_arrival(const std::string& key, std::shared_ptr<const Arriving> arriving) {
  Calls ready;
  {
    const std::lock_guard lock(mutex_);
    const auto at = flights_.find(key);
    if (at == flights_.end()) return;
    at->second.arriving = std::move(arriving);
    if (!at->second.arriving) return;
    release(
        at->second, [](const Waiting& waiting) { return waiting.who->takes == Takes::arriving; },
        ready);
  }
  for (const auto& done : ready) done();
}

// What comes is worth waiting for, whoever waits.
void Supply::hear_round(const std::string& key, const std::string& asked_by) {
  Calls ready;
  {
    const std::lock_guard lock(mutex_);
    const auto at = flights_.find(key);
    if (at == flights_.end() || at->second.arriving) return;
    at->second.came_round.insert(asked_by);
    release(
        at->second, [&](const Waiting& waiting) { return waiting.who->asked_by == asked_by; },
        ready);
  }
  for (const auto& done : ready) done();
}

std::vector<std::string> Supply::joined_by_now(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto at = flights_.find(key);
  if (at == flights_.end()) return {};
  return {at->second.joined.begin(), at->second.joined.end()};
}

void Supply::settle(const std::string& key, const Found& found,
                    std::optional<Clock::time_point> expires) {
  Calls ready;
  {
    const std::lock_guard lock(mutex_);
    const auto at = flights_.find(key);
    if (at == flights_.end()) return;
    if (must_look_again(key, at->second)) return;
    cache_.put(AnswerKey(key), at->second.ids, found, expires.value_or(expiry_of(found)));
    for (const Waiting& waiting : at->second.waiters) count_down(*waiting.who, ready);
    flights_.erase(at);
  }
  for (const auto& done : ready) done();
}

bool Supply::must_look_again(const std::string& key, const Flight& flight) {
  pass_turn(key);
  if (!flight.is_outdated || stopping_) return false;
  queue_.push_back(key);
  work_came_.notify_one();
  return true;
}

// Nobody has it under the name that was asked for. Who waits for another spelling waits on.
void Supply::settle_unheard_of(const std::string& key, const Options::Asked& asked) {
  Calls ready;
  {
    const std::lock_guard lock(mutex_);
    const auto at = flights_.find(key);
    if (at == flights_.end()) return;
    Flight& flight = at->second;
    if (must_look_again(key, flight)) return;
    cache_.put(AnswerKey(key_in_spelling(key, flight.request)), flight.ids, Found::miss(asked.miss),
               asked.until);
    const bool is_over = stopping_ || flight.others.empty();
    const std::string tried = spelling_of(flight.request);
    release(
        flight, [&](const Waiting& waiting) { return is_over || waiting.spelling == tried; },
        ready);
    if (is_over) {
      flights_.erase(at);
    } else {
      try_next_spelling(key, flight);
    }
  }
  for (const auto& done : ready) done();
}

void Supply::try_next_spelling(const std::string& key, Flight& flight) {
  flight.request = std::move(flight.others.front());
  flight.others.erase(flight.others.begin());
  flight.elsewhere.reset();
  flight.is_asked = false;
  flight.arriving = nullptr;
  queue_.push_back(key);
  work_came_.notify_one();
}

void Supply::watch_deadlines() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    std::vector<std::function<void()>> late;
    const Clock::time_point now = Clock::now();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      const std::shared_ptr<Waiter> waiter = deadlines_.begin()->second;
      deadlines_.erase(deadlines_.begin());
      waiter->missing = 0;
      late.push_back(std::move(waiter->done));
    }
    if (late.empty()) {
      if (deadlines_.empty()) {
        deadline_came_.wait(lock);
      } else {
        const Clock::time_point next = deadlines_.begin()->first;  // it may be gone while we wait
        deadline_came_.wait_until(lock, next);
      }
      continue;
    }
    lock.unlock();
    for (const auto& done : late) done();
    lock.lock();
  }
}

void Supply::hear_removal(const std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  forget({ids.begin(), ids.end()});
}

// All that was said about the ids, and what is about to be said.
void Supply::forget(const std::set<std::string>& ids) {
  for (const std::string& id : ids) cache_.forget(id);
  for (auto& [key, flight] : flights_) {
    const bool touched = std::any_of(flight.ids.begin(), flight.ids.end(),
                                     [&](const std::string& id) { return ids.contains(id); });
    flight.is_outdated = flight.is_outdated || touched;
  }
}

void Supply::hear_commit(const std::vector<store::NewFile>& files) {
  std::set<std::string> ids;
  std::vector<SymbolRequest> modules;
  for (const store::NewFile& added : files) {
    for (const store::KeyRecord& record : added.keys) {
      ids.insert(record.key.id);
      if (known_ids_) known_ids_->add(record.key.kind, record.key.id);
    }
    const auto debug_id = ident::DebugId::parse(added.file.debug_id);
    if (!added.convert_ahead || !brings_symbols(added.file) || !debug_id) continue;
    modules.push_back(ident::module_request(Artifact::index, "", *debug_id, added.scope));
  }
  {
    const std::lock_guard lock(mutex_);
    forget(ids);
  }
  // Nobody has asked yet, but somebody will: .sym and index appear by themselves.
  if (!modules.empty()) want(modules, Clock::now(), [] {});
}

}  // namespace supply
