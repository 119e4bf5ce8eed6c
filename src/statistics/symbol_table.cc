#include "statistics/symbol_table.h"

#include <algorithm>
#include <utility>

namespace statistics {
namespace {

// Of a full table, so that the search for the oldest is not made for each new name.
constexpr std::size_t kDroppedShare = 16;

// Who waits now is of no interest after a restart.
Counts to_keep(Counts counts) {
  counts.waiting = 0;
  return counts;
}

}  // namespace

void SymbolTable::load(SymbolRow row) {
  rows_.emplace(std::move(row.name), Row{std::move(row.counts)});
}

void SymbolTable::load_totals(const Counts& totals) { totals_ = totals; }

SymbolTable::Row& SymbolTable::row_of(const std::string& name) {
  const auto at = rows_.find(name);
  return at == rows_.end() ? rows_[name] : at->second;
}

// The number is read first: what changes while we ask is asked again the next time.
bool SymbolTable::is_excluded(std::string_view name) {
  const auto at = rows_.find(name);
  if (at == rows_.end() || !is_excluded_) return false;
  Row& row = at->second;
  const std::uint64_t changes = exclusion_changes_ ? exclusion_changes_() : 0;
  if (row.excluded_as_of != changes) {
    row.is_excluded = is_excluded_(at->first);
    row.excluded_as_of = changes;
  }
  return row.is_excluded;
}

void SymbolTable::add_to(ByName<Counts>& sums, const std::string& name, const Counts& counts) {
  const auto at = sums.find(name);
  if (at == sums.end()) {
    sums.emplace(name, to_keep(counts));
  } else {
    at->second.add(to_keep(counts));
  }
}

void SymbolTable::merge(Tally::Batch batch) {
  totals_.add(batch.nameless.counts);
  unsaved_totals_.add(to_keep(batch.nameless.counts));
  for (auto& [name, count] : batch.names) {
    Row& row = row_of(name);
    Counts& counts = count.counts;
    if (counts.failures != 0 && is_excluded(name)) {
      counts.excluded = std::exchange(counts.failures, 0);
      counts.misses = 0;
      counts.hits -= count.failed_hits;
    }
    row.counts.add(counts);
    totals_.add(counts);
    unsaved_totals_.add(to_keep(counts));
    add_to(unsaved_, name, counts);
  }
  if (rows_.size() > names_max_) drop_oldest();
}

void SymbolTable::drop_oldest() {
  std::vector<std::int64_t> times;
  times.reserve(rows_.size());
  for (const auto& [name, row] : rows_) times.push_back(row.counts.last_at.us);
  const std::size_t surplus =
      std::min(rows_.size() - names_max_ + names_max_ / kDroppedShare, times.size() - 1);
  const auto last = times.begin() + static_cast<std::ptrdiff_t>(surplus);
  std::nth_element(times.begin(), last, times.end());
  for (auto at = rows_.begin(); at != rows_.end();) {
    if (at->second.counts.last_at.us > *last || rows_.size() <= names_max_ / 2) {
      ++at;
      continue;
    }
    if (const auto unsaved = unsaved_.find(at->first); unsaved != unsaved_.end()) {
      unsaved_.erase(unsaved);
    }
    // What is not told of here is left out when the table is read again.
    if (gone_.size() < names_max_) gone_.push_back(at->first);
    at = rows_.erase(at);
  }
}

std::shared_ptr<const std::vector<SymbolRow>> SymbolTable::copy() const {
  auto copied = std::make_shared<std::vector<SymbolRow>>();
  copied->reserve(rows_.size());
  for (const auto& [name, row] : rows_) copied->push_back({name, row.counts});
  return copied;
}

SymbolTable::Unsaved SymbolTable::take_unsaved() {
  Unsaved unsaved;
  unsaved.gone = std::exchange(gone_, {});
  unsaved.rows.reserve(unsaved_.size());
  for (auto& [name, counts] : unsaved_) unsaved.rows.push_back({name, std::move(counts)});
  unsaved_.clear();
  if (unsaved.rows.size() > kWrittenMax) {
    const auto last = unsaved.rows.begin() + kWrittenMax;
    std::nth_element(unsaved.rows.begin(), last, unsaved.rows.end(),
                     [](const SymbolRow& a, const SymbolRow& b) {
                       return a.counts.requests > b.counts.requests;
                     });
    unsaved.rows.erase(last, unsaved.rows.end());
  }
  unsaved.totals = std::exchange(unsaved_totals_, Counts());
  return unsaved;
}

void SymbolTable::give_back(Unsaved unsaved) {
  gone_.insert(gone_.begin(), unsaved.gone.begin(), unsaved.gone.end());
  unsaved_totals_.add(unsaved.totals);
  for (const SymbolRow& row : unsaved.rows) {
    if (rows_.contains(row.name)) add_to(unsaved_, row.name, row.counts);
  }
}

}  // namespace statistics
