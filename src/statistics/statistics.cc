#include "statistics/statistics.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "statistics/use_rows.h"

namespace statistics {

using base::Result;

namespace {

constexpr std::size_t kAlwaysFresh = 5000;  // rows; of more a copy serves for a while
constexpr std::chrono::seconds kCopyServes{2};
constexpr std::chrono::seconds kSuggestServes{60};
constexpr std::size_t kSuggestions = 5;
constexpr std::chrono::seconds kBetweenSaves{1};
// Different ones between two writings: a flood of names that nobody can know is no use to anybody.
constexpr std::size_t kUnsavedMissesMax = 10'000;
constexpr std::size_t kArrivedMax = 200'000;
constexpr std::size_t kArrivedPortion = 500;

}  // namespace

Result<std::unique_ptr<Statistics>> Statistics::open(db::Database& database, Options options) {
  std::unique_ptr<Statistics> made(new Statistics(database, std::move(options)));
  TRY(load_use(database, made->options_.servers, made->options_.names_max, made->table_));
  made->thread_ = std::thread([raw = made.get()] { raw->run(); });
  return made;
}

Statistics::Statistics(db::Database& database, Options options)
    : database_(database),
      options_(std::move(options)),
      missing_(database),
      table_(options_.names_max, options_.is_excluded, options_.exclusion_changes) {}

void Statistics::arrived(const std::vector<std::string>& ids) {
  const std::lock_guard lock(mutex_);
  for (const std::string& id : ids) {
    // Whoever asks for one that is left out here finds it all the same; the list alone is late.
    if (arrived_.size() < kArrivedMax) arrived_.insert(id);
  }
}

void Statistics::gather() {
  Tally::Batch batch = tally_.take();
  std::vector<Miss> misses = std::exchange(batch.misses, {});
  table_.merge(std::move(batch));
  for (Miss& miss : misses) {
    if (!table_.is_excluded(miss.name)) add_miss(std::move(miss));
  }
}

void Statistics::add_miss(Miss miss) {
  std::string key = miss.name + "/" + miss.id + "/" + miss.file;
  const auto at = misses_.find(key);
  if (at != misses_.end()) {
    Miss& known = at->second;
    known.count += miss.count;
    known.first_at = std::min(known.first_at, miss.first_at);
    known.last_at = std::max(known.last_at, miss.last_at);
    if (!miss.code_file.empty()) known.code_file = std::move(miss.code_file);
    if (!miss.code_id.empty()) known.code_id = std::move(miss.code_id);
  } else if (misses_.size() < kUnsavedMissesMax) {
    misses_.emplace(std::move(key), std::move(miss));
  }
}

Statistics::Totals Statistics::totals() {
  const std::lock_guard lock(mutex_);
  gather();
  return {table_.totals(), table_.size(), disk_usage_};
}

std::shared_ptr<const std::vector<SymbolRow>> Statistics::symbols() {
  const std::lock_guard lock(mutex_);
  const auto now = Clock::now();
  if (copy_ && copy_->size() > kAlwaysFresh && now - copied_at_ < kCopyServes) return copy_;
  gather();
  copy_ = table_.copy();
  copied_at_ = now;
  return copy_;
}

std::vector<Suggestion> Statistics::suggestions() {
  const auto rows = symbols();
  const auto now = Clock::now();
  {
    const std::lock_guard lock(mutex_);
    const bool is_new =
        suggested_at_ != Clock::time_point() && now - suggested_at_ < kSuggestServes;
    if (rows->size() > kAlwaysFresh && is_new) return suggestions_;
  }
  // For many names that may take long: counting goes on between two of them.
  const auto is_excluded = [this](std::string_view name) {
    const std::lock_guard lock(mutex_);
    return table_.is_excluded(name);
  };
  std::vector<Suggestion> fresh = suggest_patterns(*rows, kSuggestions, is_excluded);
  const std::lock_guard lock(mutex_);
  suggested_at_ = now;
  suggestions_ = fresh;
  return fresh;
}

Result<void> Statistics::save_soon() {
  {
    const std::lock_guard lock(saving_);
    if (Clock::now() - saved_at_ < kBetweenSaves) return {};
  }
  return save();
}

Result<void> Statistics::save() {
  const std::lock_guard saving(saving_);
  SymbolTable::Unsaved unsaved;
  {
    const std::lock_guard lock(mutex_);
    gather();
    unsaved = table_.take_unsaved();
  }
  auto saved = save_use(database_, options_.servers, unsaved);
  if (!saved.ok()) {
    const std::lock_guard lock(mutex_);
    table_.give_back(std::move(unsaved));
    return saved;
  }
  TRY(save_misses());
  saved_at_ = Clock::now();
  return {};
}

Result<void> Statistics::save_misses() {
  std::vector<Miss> misses;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [key, miss] : misses_) misses.push_back(std::move(miss));
    misses_.clear();
  }
  if (misses.empty()) return {};
  auto added = missing_.add(misses);
  if (!added.ok()) {
    const std::lock_guard lock(mutex_);
    for (Miss& miss : misses) add_miss(std::move(miss));
    return added;
  }
  return missing_.drop_old(base::now());
}

void Statistics::save_and_log() {
  const auto saved = save();
  if (!saved.ok()) base::log::error("statistics are not written yet: {}", saved.error().what);
}

// What was missed before it came is written first, so that it is on the list when it is taken off.
void Statistics::take_off_what_came() {
  std::set<std::string> came;
  {
    const std::lock_guard lock(mutex_);
    came = std::exchange(arrived_, {});
  }
  if (came.empty() || !options_.is_here) return;
  save_and_log();
  std::vector<std::string> ids;
  for (auto at = came.begin(); at != came.end();) {
    ids.clear();
    for (; at != came.end() && ids.size() < kArrivedPortion; ++at) ids.push_back(*at);
    const auto taken = take_off(ids);
    if (taken.ok()) continue;
    base::log::error("the list of missing symbols is not up to date: {}", taken.error().what);
    return;
  }
}

Result<void> Statistics::take_off(const std::vector<std::string>& ids) {
  const std::vector<MissingSymbol> candidates = TRY(missing_.with_ids(ids));
  std::vector<std::int64_t> here;
  for (const MissingSymbol& symbol : candidates) {
    const auto request = request_of(symbol);
    if (!request) continue;
    const bool is_here = TRY(options_.is_here(*request));
    if (is_here) here.push_back(symbol.id);
  }
  return missing_.remove(here);
}

void Statistics::measure() {
  if (options_.disk_usage) disk_usage_ = options_.disk_usage();
}

void Statistics::run() {
  measure();
  auto save_at = Clock::now() + options_.save_every;
  auto measure_at = Clock::now() + options_.measure_every;
  for (;;) {
    bool has_arrived = false;
    {
      std::unique_lock lock(mutex_);
      if (wake_.wait_for(lock, options_.gather_every, [&] { return stopping_; })) return;
      gather();
      has_arrived = !arrived_.empty();
    }
    if (has_arrived) take_off_what_came();
    if (Clock::now() >= save_at) {
      save_and_log();
      save_at = Clock::now() + options_.save_every;
    }
    if (Clock::now() >= measure_at) {
      measure();
      measure_at = Clock::now() + options_.measure_every;
    }
  }
}

void Statistics::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
    wake_.notify_one();
  }
  if (!thread_.joinable()) return;
  thread_.join();
  save_and_log();
}

}  // namespace statistics
