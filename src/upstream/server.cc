#include "upstream/server.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/round_trips.h"
#include "upstream/http_clients.h"

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;
using ident::SymbolRequest;

namespace {

constexpr std::chrono::milliseconds kStopIsSeen{50};
constexpr std::string_view kBusy = ": is busy with as much as it may be asked";
constexpr std::string_view kCrowded = ": is busy, and as many wait for it as may";
// What stands in index2.txt does not matter; some write a word or two.
constexpr std::uint64_t kIndex2SizeMax = 64ull << 10;
constexpr std::chrono::hours kTiersGoodFor{1};

bool is_url(std::string_view location) {
  return location.starts_with("http://") || location.starts_with("https://") || is_s3(location);
}

// The server said nothing about the file: it may have it.
bool is_failure(Fault fault) {
  return fault == Fault::unavailable || fault == Fault::timed_out || fault == Fault::internal;
}

// "http://user:secret@host/": the location stands in logs and in the catalogue.
bool holds_credentials(std::string_view url) {
  const std::string_view rest = url.substr(url.find("://") + 3);
  return rest.substr(0, rest.find_first_of("/?#")).find('@') != std::string_view::npos;
}

// Our disk is full, say: not the server's doing, and no miss either.
Error own_trouble(const Error& error) {
  base::log::warning("a file of an upstream server cannot be kept: {}", error.what);
  return {Fault::unavailable, error.what};
}

Error not_wanted_any_more(const std::string& name) {
  return {Fault::unavailable, name + ": was told to stop"};
}

Error barred(const std::string& name, const Place& place) {
  base::log::info("upstream {}: {} was purged here, and is not asked for", name, place.path);
  return {Fault::denied, name + ": what lies at " + place.path + " was purged here"};
}

Error left_alone(const std::string& name) {
  return {Fault::unavailable, name + ": did not answer lately, and is left alone"};
}

Result<std::unique_ptr<Transport>> make_transport(const TransportOptions& options) {
  if (is_s3(options.location)) return s3_transport(options);
  if (is_url(options.location)) return http_transport(options);
  return directory_transport(options.location, options.size_max);
}

constexpr std::size_t kIdentityDigits = 16;

// The digest stands in the database, where no secret may.
std::string identity_of(const TransportOptions& options) {
  const S3Options& s3 = options.s3;
  base::JsonWriter out;
  out.begin_array();
  for (const std::string_view part :
       {std::string_view(s3.endpoint), std::string_view(s3.region),
        std::string_view(s3.credentials.access_key), std::string_view(s3.credentials.secret_key),
        std::string_view(s3.credentials.session_token),
        std::string_view(options.client_certificate), std::string_view(options.client_key)}) {
    out.string(part);
  }
  for (const auto& [name, value] : options.headers) out.string(name).string(value);
  out.unsigned_integer(options.size_max).end_array();
  const std::string digest = base::sha256_of(base::bytes_of(out.text())).hex();
  return options.location + "#" + digest.substr(0, kIdentityDigits);
}

std::string trimmed(std::string location) {
  while (location.size() > 1 && location.ends_with('/')) location.pop_back();
  return location;
}

bool names(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// .NET's name for the content that a portable PDB must have, which others may check, too.
constexpr std::string_view kChecksum = "SymbolChecksum";

std::string checksums_of(const SymbolRequest& request) {
  std::string all;
  if (!request.checks_content) return all;
  for (const ident::SymbolKey& key : request.keys) {
    if (key.kind != ident::KeyKind::checksum) continue;
    all.append(all.empty() ? "" : ";").append("SHA256:").append(key.id);
  }
  return all;
}

// That it has not this content does not say that it has none.
std::string miss_key(const Place& place, const Ask& ask) {
  std::string key = place.path;
  for (const auto& [name, value] : ask.headers) {
    if (name == kChecksum) key.append(" ").append(value);
  }
  return key;
}

// How long who asks in a circle remembers that: long enough that those see it who wait.
constexpr std::chrono::seconds kRememberRound{1};
// A question that comes round does so at once.
constexpr std::chrono::seconds kRoundMax{2};

// One transfer, as a watcher sees it.
class Watched {
 public:
  Watched(Watcher* watcher, const Place& place, const base::PendingFile& file)
      : watcher_(place.is_plain() ? watcher : nullptr), place_(place), file_(file) {}

  Progress progress() {
    if (watcher_ == nullptr) return {};
    return {[this](std::optional<std::uint64_t> total) {
              has_begun_ = true;
              watcher_->began(place_, file_, total);
            },
            [this](std::uint64_t size) {
              if (has_begun_) watcher_->grew_to(size);
            }};
  }
  void failed() {
    if (has_begun_) watcher_->ended(false);
  }

 private:
  Watcher* const watcher_;
  const Place& place_;
  const base::PendingFile& file_;
  bool has_begun_ = false;
};

}  // namespace

struct Server::Turn {
  Turn(Server& server, const std::atomic<bool>& stop)
      : server_(server), taken(server.take_turn(stop, crowded)) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (taken) server_.give_turn();
  }
  // Why there is none.
  Error refusal() const {
    return {Fault::unavailable, server_.name() + std::string(crowded ? kCrowded : kBusy)};
  }
  Server& server_;
  bool crowded = false;  // before `taken`, which sets it
  const bool taken;
};

bool says_crowded(const Error& error) {
  return error.fault == Fault::unavailable && error.what.ends_with(kCrowded);
}

Result<std::unique_ptr<Server>> Server::make(const ServerOptions& options) {
  auto filter = FileFilter::make(options.allow, options.deny);
  if (!filter.ok()) return base::with_context(options.name, std::move(filter).error());
  ServerOptions own = options;
  own.transport.location = trimmed(own.transport.location);
  const std::string& location = own.transport.location;
  if (!is_url(location) && !location.starts_with('/')) {
    return Error{Fault::malformed, options.name + ": " + location +
                                       " is neither http://…, https://…, s3://… nor a directory's "
                                       "absolute path"};
  }
  if (is_url(location) && holds_credentials(location)) {
    const bool has_name = options.name != options.transport.location;
    return Error{Fault::malformed, (has_name ? options.name : "an upstream server") +
                                       ": no user or password in the url; use " +
                                       (is_s3(location) ? "access_key and secret_key"
                                                        : "headers, such as \"Authorization: "
                                                          "Basic ...\"")};
  }
  auto transport = make_transport(own.transport);
  if (!transport.ok()) return base::with_context(options.name, std::move(transport).error());
  return std::unique_ptr<Server>(new Server(own, std::move(*filter), std::move(*transport)));
}

Server::Server(const ServerOptions& options, FileFilter filter,
               std::unique_ptr<Transport> transport)
    : options_(options),
      identity_(identity_of(options.transport)),
      transport_(std::move(transport)),
      breaker_(options.breaker),
      misses_(options.misses_max, options.retry_after),
      tiers_(kTiersGoodFor) {
  use(std::move(filter));
}

bool Server::take_turn(const std::atomic<bool>& stop, bool& crowded) {
  std::unique_lock lock(mutex_);
  // A second round of waiters would only hold threads.
  crowded = busy_ >= options_.requests_max && waiting_ >= 2 * options_.requests_max;
  if (crowded) return false;
  ++waiting_;
  const auto until = Clock::now() + options_.wait_max;
  const auto has_room = [&] { return busy_ < options_.requests_max; };
  while (!has_room() && !stop && Clock::now() < until) {
    turn_came_.wait_until(lock, std::min(until, Clock::now() + kStopIsSeen));
  }
  const bool free = has_room();
  --waiting_;
  if (free) ++busy_;
  return free;
}

// What may still be in the way of a question that has its turn; then the breaker waits for its end.
Result<base::PendingFile> Server::begin(const Turn& turn, const std::string& tmp,
                                        const std::atomic<bool>& stop) {
  if (stop) return not_wanted_any_more(options_.name);
  if (!turn.taken) return turn.refusal();
  auto created = base::PendingFile::create(tmp);
  if (!created.ok()) return own_trouble(created.error());
  if (!breaker_.may_ask()) return left_alone(options_.name);
  return std::move(created).value();
}

void Server::give_turn() {
  const std::lock_guard lock(mutex_);
  --busy_;
  turn_came_.notify_one();
}

void Server::reject(const Place& place, const std::string& question,
                    Clock::time_point& miss_until) {
  miss_until = std::min(miss_until, Clock::now() + options_.retry_after);
  misses_.remember(question, {Fault::malformed,
                              options_.name + ": what lies at " + place.path + " is another file"});
}

Server::Counts Server::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.remembered = misses_.size();
  counts.waiting = waiting_;
  counts.busy = busy_;
  counts.rests = breaker_.rest_left();
  return counts;
}

std::shared_ptr<const FileFilter> Server::filter() const {
  const std::lock_guard lock(mutex_);
  return filter_;
}

void Server::use(FileFilter filter) {
  auto fresh = std::make_shared<const FileFilter>(std::move(filter));
  const std::lock_guard lock(mutex_);
  filter_.swap(fresh);
}

std::optional<Server::Failure> Server::last_failure() const {
  const std::lock_guard lock(mutex_);
  return last_failure_;
}

Result<Fetched> Server::fetch_place(const Place& place, Ask ask, const std::string& tmp,
                                    const std::atomic<bool>& stop, Clock::time_point& miss_until,
                                    Watcher* watcher) {
  if (options_.bars && options_.bars(place)) {
    if (!ask.was_there) return barred(options_.name, place);
    watcher = nullptr;  // what was there has other bytes, which nobody can tell before the end
  }
  const std::string told_as = miss_key(place, ask);
  if (const auto miss = misses_.find(told_as)) {
    const std::chrono::microseconds left(miss->until.us - base::now().us);
    miss_until = std::min(miss_until, Clock::now() + left);
    return miss->error;
  }
  // Those that it has under way may hold all turns until they time out.
  if (breaker_.rest_left() > std::chrono::seconds(0)) return left_alone(options_.name);
  const Turn turn(*this, stop);
  base::PendingFile file = TRY(begin(turn, tmp, stop));
  if (watcher != nullptr) watcher->asks(*this, place);
  Watched watched(watcher, place, file);
  Progress progress = watched.progress();
  ask.path = place.path;
  ask.has_room = options_.has_room;
  std::optional<struct ::stat> found;
  progress.found = [&found](const struct ::stat& info) { found = info; };
  bool came_round = false;
  progress.answered = [&](int status, const net::Headers& headers) {
    note_answer(status, headers);
    came_round = !is_good(status) && headers.find(net::kCameRound);
  };
  bool is_refused = false;
  progress.refused = [&is_refused] { is_refused = true; };
  const Result<void> fetched = transport_->fetch(ask, file, stop, progress);
  if (!fetched.ok()) watched.failed();
  const bool is_full = !fetched.ok() && options_.has_room && !options_.has_room();
  if (file.is_broken() || is_full) {
    breaker_.unknown();
    return own_trouble(fetched.error());
  }
  if (!fetched.ok() && stop) {
    breaker_.unknown();
    return not_wanted_any_more(options_.name);
  }
  if (!fetched.ok() && is_refused) {
    note_refusal(fetched.error(), miss_until);
    return fetched.error();
  }
  const bool failed = !fetched.ok() && is_failure(fetched.error().fault);
  failed ? breaker_.failed() : breaker_.succeeded();
  {
    const std::lock_guard lock(mutex_);
    ++counts_.requests;
    ++(failed ? counts_.failures : fetched.ok() ? counts_.hits : counts_.misses);
    if (failed) last_failure_ = Failure{base::now(), fetched.error().what};
  }
  if (fetched.ok()) {
    leads_astray_ = false;
    return Fetched{std::move(file), place, options_.transport.location + "/" + place.path, found,
                   told_as};
  }
  if (failed) {
    base::log::warning("upstream {}: {}", options_.name, fetched.error().what);
  } else if (came_round) {
    miss_until = std::min(miss_until, Clock::now() + kRememberRound);
    return net::came_round();
  } else {
    misses_.remember(told_as, fetched.error());
    miss_until = std::min(miss_until, Clock::now() + options_.retry_after);
  }
  return fetched.error();
}

void Server::say_who_asks(Ask& ask, std::string_view asked_by) const {
  if (options_.own_name.empty()) return;
  ask.headers.emplace_back(net::kAskedBy, net::asked_by_too(asked_by, options_.own_name));
}

// Ours give a reason when they have not got a file, and proxies before them pass that on.
void Server::note_answer(int status, const net::Headers& headers) {
  if (headers.find("X-Faultline-Reason")) {
    is_another_kind_ = false;
  } else if (status == 404) {
    is_another_kind_ = true;
  }
}

// It neither failed nor said that the file is not there: it leads to where we do not go, which the
// operator may change. So nothing is kept; to who asks it is a miss for as long as failures are.
void Server::note_refusal(const Error& refusal, Clock::time_point& miss_until) {
  breaker_.unknown();
  {
    const std::lock_guard lock(mutex_);
    ++counts_.requests;
    ++counts_.failures;
    last_failure_ = Failure{base::now(), refusal.what};
  }
  if (!leads_astray_.exchange(true)) {
    base::log::warning("upstream {}: {}; it counts as having no file there", options_.name,
                       refusal.what);
  }
  const auto remember = base::policy_of(Fault::unavailable).remember;
  miss_until = std::min(miss_until, Clock::now() + std::min(options_.retry_after, remember));
}

bool Server::may_ask_back() const {
  return options_.transport.location.starts_with("http") && !options_.own_name.empty() &&
         !is_another_kind_;
}

bool Server::comes_round(const Place& place, std::string_view asked_by, const std::string& tmp,
                         const std::atomic<bool>& stop) {
  auto nothing = base::PendingFile::create(tmp);
  if (!nothing.ok()) return false;
  Ask ask;
  ask.path = place.path;
  ask.is_head = true;
  ask.until = Clock::now() + kRoundMax;
  say_who_asks(ask, asked_by);
  bool came_round = false;
  Progress progress;
  progress.answered = [&](int status, const net::Headers& headers) {
    came_round = !is_good(status) && headers.find(net::kCameRound);
  };
  const Result<void> asked = transport_->fetch(ask, *nothing, stop, progress);
  return !asked.ok() && came_round;
}

Ask Server::ask_for(const SymbolRequest& request) const {
  Ask ask;
  say_who_asks(ask, request.asked_by);
  if (const std::string checksums = checksums_of(request); !checksums.empty()) {
    ask.headers.emplace_back(kChecksum, checksums);
  }
  return ask;
}

bool Server::allows(std::string_view name) const {
  return filter()->allows(name) && (!options_.excludes || !options_.excludes(name));
}

// Where it may be asked for what is wanted; nowhere when projects, kinds or filter say no.
std::vector<Place> Server::places_of_wanted(const SymbolRequest& request, Layout layout) const {
  if (!names(options_.projects, request.scope.project)) return {};
  if (!options_.kinds.empty() && !names(options_.kinds, kind_of(request))) return {};
  std::vector<Place> places = in_casing(places_of(layout, request, options_.also), options_.casing);
  std::erase_if(places, [&](const Place& place) { return !allows(place.name); });
  return places;
}

// Who has sources has them for files of ELF.
std::optional<Place> Server::find_place(const SourceWish& wish) const {
  if (!names(options_.projects, wish.project)) return std::nullopt;
  if (!options_.kinds.empty() && !names(options_.kinds, "elf")) return std::nullopt;
  auto place = find_source_place(options_.layout, wish.build_id, wish.path);
  if (place && !allows(place->name)) return std::nullopt;
  return place;
}

bool Server::may_have(const SourceWish& wish) const { return find_place(wish).has_value(); }

Result<Fetched> Server::fetch(const SourceWish& wish, const std::string& tmp,
                              const std::atomic<bool>& stop, Watcher* watcher) {
  const auto place = find_place(wish);
  if (!place) return Error{Fault::not_found, options_.name + ": is not asked for such a file"};
  Ask ask;
  ask.size_max = wish.size_max;
  say_who_asks(ask, wish.asked_by);
  Clock::time_point ignored = Clock::time_point::max();
  return fetch_place(*place, std::move(ask), tmp, stop, ignored, watcher);
}

bool Server::may_have(const SymbolRequest& request) const {
  return !places_of_wanted(request, options_.layout).empty();
}

void Server::forget_misses(const SymbolRequest& request) {
  const Ask ask = ask_for(request);
  for (const Place& place : places_of_wanted(request, layout())) {
    misses_.forget(place.path);
    misses_.forget(miss_key(place, ask));
  }
}

Layout Server::layout() const {
  return has_two_tiers_ ? Layout::symstore_two_tier : options_.layout;
}

// A directory is looked at each time.
Result<void> Server::find_tiers(const std::string& tmp, const std::atomic<bool>& stop) {
  if (!options_.finds_tiers) return {};
  const std::string& location = options_.transport.location;
  if (!is_url(location)) {
    has_two_tiers_ = base::file_exists(base::join_path(location, kIndex2));
    return {};
  }
  has_two_tiers_ = TRY(tiers_.are_two([&] { return ask_for_tiers(tmp, stop); }, stop));
  return {};
}

// Whether all these are misses that are remembered.
bool Server::has_missed(const std::vector<Place>& places, const Ask& ask) {
  return std::all_of(places.begin(), places.end(), [&](const Place& place) {
    return misses_.find(miss_key(place, ask)).has_value();
  });
}

void Server::note_failure(const Error& error) {
  breaker_.failed();
  base::log::warning("upstream {}: {}", options_.name, error.what);
  const std::lock_guard lock(mutex_);
  ++counts_.requests;
  ++counts_.failures;
  last_failure_ = Failure{base::now(), error.what};
}

// Who does not answer at all would not answer for the file either. Trouble with this file alone
// says nothing; and a web page is no yes, for some have one for whatever they are asked for.
Result<std::optional<bool>> Server::ask_for_tiers(const std::string& tmp,
                                                  const std::atomic<bool>& stop) {
  if (breaker_.rest_left() > std::chrono::seconds(0)) return left_alone(options_.name);
  const Turn turn(*this, stop);
  base::PendingFile file = TRY(begin(turn, tmp, stop));
  Ask ask;
  ask.path = kIndex2;
  ask.size_max = kIndex2SizeMax;
  bool has_answered = false, is_page = false;
  Progress progress;
  progress.answered = [&](int, const net::Headers& headers) {
    has_answered = true;
    is_page = headers.find("Content-Type").value_or("").find("html") != std::string_view::npos;
  };
  const Result<void> fetched = transport_->fetch(ask, file, stop, progress);
  if (!fetched.ok() && (stop || file.is_broken())) {
    breaker_.unknown();
    return stop ? not_wanted_any_more(options_.name) : own_trouble(fetched.error());
  }
  const bool failed = !fetched.ok() && is_failure(fetched.error().fault);
  if (failed && !has_answered) {
    note_failure(fetched.error());
    return fetched.error();
  }
  failed ? breaker_.unknown() : breaker_.succeeded();
  if (!fetched.ok()) return failed ? std::nullopt : std::optional(false);
  const std::string text = TRY(base::read_file(file.path(), kIndex2SizeMax));
  const bool are_two = !is_page && !base::trim(text).starts_with('<');
  if (are_two && !has_two_tiers_) base::log::info("upstream {}: has two tiers", options_.name);
  return std::optional(are_two);
}

Result<Fetched> Server::fetch(const SymbolRequest& request, const std::string& tmp,
                              const std::atomic<bool>& stop, Clock::time_point& miss_until,
                              Watcher* watcher) {
  Error last{Fault::not_found, options_.name + ": is not asked for such a file"};
  if (!may_have(request)) return last;
  const Result<void> tiers = find_tiers(tmp, stop);
  const Ask ask = ask_for(request);
  const std::vector<Place> places = places_of_wanted(request, layout());
  // Who is not there to say it may have said before that it has no such file.
  if (!tiers.ok() && !has_missed(places, ask)) return tiers.error();
  for (const Place& place : places) {
    auto fetched = fetch_place(place, ask, tmp, stop, miss_until, watcher);
    if (fetched.ok()) return fetched;
    last = std::move(fetched).error();
    // Who does not answer would not answer for the other spelling either.
    if (is_failure(last.fault) || net::says_came_round(last)) break;
  }
  return last;
}

std::optional<Result<Fetched>> Server::fetch_again(const std::string& from, const std::string& tmp,
                                                   const std::atomic<bool>& stop,
                                                   Watcher* watcher) {
  const std::string prefix = options_.transport.location + "/";
  if (!from.starts_with(prefix)) return std::nullopt;
  Ask ask;
  ask.was_there = true;
  say_who_asks(ask, "");
  Clock::time_point ignored = Clock::time_point::max();
  return fetch_place(place_at(from.substr(prefix.size())), std::move(ask), tmp, stop, ignored,
                     watcher);
}

}  // namespace upstream
