// The statistics as they stand: a row of counts for each file name, and their totals, in memory,
// bounded; the names that were asked for longest ago go first. And what of it is not yet written
// to the database: sums since the last time, so that several servers may write to one.
// Not for the network's loops (tally.h); one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "statistics/folded.h"
#include "statistics/tally.h"

namespace statistics {

class SymbolTable {
 public:
  // Names that are written at a time; of more, those that were asked for most since the last time.
  static constexpr std::size_t kWrittenMax = 20'000;

  // `is_excluded`: nobody may be asked for a file of that name, so that its failures are counted
  // as excluded; asked once for each name (of its row), and again when `exclusion_changes` has
  // another number. Null: none is; it never changes.
  SymbolTable(std::size_t names_max, std::function<bool(std::string_view)> is_excluded,
              std::function<std::uint64_t()> exclusion_changes = nullptr)
      : names_max_(names_max),
        is_excluded_(std::move(is_excluded)),
        exclusion_changes_(std::move(exclusion_changes)) {}

  // What was kept; before anything else.
  void load(SymbolRow row);
  void load_totals(const Counts& totals);

  void merge(Tally::Batch batch);
  bool is_excluded(std::string_view name);  // now; false of a name without a row

  const Counts& totals() const { return totals_; }
  std::size_t size() const { return rows_.size(); }
  // All rows, in no order.
  std::shared_ptr<const std::vector<SymbolRow>> copy() const;

  // To be written: first the names that went, then what is to be added to the others.
  struct Unsaved {
    std::vector<std::string> gone;
    std::vector<SymbolRow> rows;
    Counts totals;
    bool empty() const { return gone.empty() && rows.empty() && totals.last_at.us == 0; }
  };
  Unsaved take_unsaved();
  void give_back(Unsaved unsaved);  // it could not be written

 private:
  struct Row {
    Counts counts;
    // As it was said at that number of exclusion_changes_; nothing: not asked yet.
    bool is_excluded = false;
    std::optional<std::uint64_t> excluded_as_of = {};
  };
  template <class T>
  using ByName = std::unordered_map<std::string, T, FoldedHash, FoldedEqual>;

  Row& row_of(const std::string& name);
  void add_to(ByName<Counts>& sums, const std::string& name, const Counts& counts);
  void drop_oldest();

  const std::size_t names_max_;
  const std::function<bool(std::string_view)> is_excluded_;
  const std::function<std::uint64_t()> exclusion_changes_;
  ByName<Row> rows_;
  Counts totals_;
  ByName<Counts> unsaved_;
  Counts unsaved_totals_;
  std::vector<std::string> gone_;
};

}  // namespace statistics
