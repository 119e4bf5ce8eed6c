// Who asked for which symbol files, and what came of it: the room's face. Requests are counted as
// they are answered; a thread of its own brings the counts together twice a second, writes
// them to the database now and then and at the end, and takes what has come off the list of
// missing symbols.
// Not the server's own work: that is /metrics.
//   answered(), waits(), upstream_said(), arrived()   any thread, also a network loop
//   the others                                        block for a lock, or where said for the
//                                                     database: never on a loop
// open() fails as the database does; what cannot be written later is tried again and logged.
// Format: docs/protocols/statistics.md, missing-symbols.md
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "db/database.h"
#include "ident/paths.h"
#include "statistics/missing_symbols.h"
#include "statistics/suggestions.h"
#include "statistics/symbol_table.h"
#include "statistics/tally.h"

namespace statistics {

struct Options {
  std::vector<std::string> servers;  // upstream, by name, as Counts::servers has them
  // Whether nobody may be asked for a file of that name. Null: never.
  std::function<bool(std::string_view name)> is_excluded = nullptr;
  // Another number after each change of what that says. Null: it never changes.
  std::function<std::uint64_t()> exclusion_changes = nullptr;
  // Whether we have what a request wants, by the catalogue. Null: nothing is taken off the list.
  std::function<base::Result<bool>(const ident::SymbolRequest&)> is_here = nullptr;
  // Bytes that the files take; asked for on our thread, since it may take long. Null: 0.
  std::function<std::uint64_t()> disk_usage = nullptr;
  std::size_t names_max = 200'000;
  std::chrono::milliseconds gather_every{500};
  std::chrono::milliseconds save_every{30'000};
  std::chrono::milliseconds measure_every{600'000};
};

class Statistics {
 public:
  static base::Result<std::unique_ptr<Statistics>> open(db::Database& database, Options options);
  Statistics(const Statistics&) = delete;
  Statistics& operator=(const Statistics&) = delete;
  ~Statistics() { stop(); }

  void answered(const Asked& asked) { tally_.answered(asked); }
  void waits(std::string_view name, std::int64_t change) { tally_.waits(name, change); }
  void upstream_said(std::string_view name, std::size_t server, bool has_it) {
    tally_.upstream_said(name, server, has_it);
  }
  // The catalogue has files with these ids now.
  void arrived(const std::vector<std::string>& ids);

  struct Totals {
    Counts counts;
    std::uint64_t names = 0;
    std::uint64_t disk_usage = 0;
  };
  Totals totals();
  // One row for each name, in no order. Of many rows a copy is up to two seconds old.
  std::shared_ptr<const std::vector<SymbolRow>> symbols();
  // Drawn from these; of many rows up to a minute old.
  std::vector<Suggestion> suggestions();
  const std::vector<std::string>& servers() const { return options_.servers; }

  // Writes what is counted, unless that was done within the last second. Asks the database.
  base::Result<void> save_soon();
  MissingSymbols& missing() { return missing_; }

  // Writes what is counted; nothing is counted from then on.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  Statistics(db::Database& database, Options options);
  void run();
  void gather();  // REQUIRES: mutex_ held, as the next does
  void add_miss(Miss miss);
  base::Result<void> save();
  base::Result<void> save_misses();
  void take_off_what_came();
  base::Result<void> take_off(const std::vector<std::string>& ids);
  void save_and_log();
  void measure();

  db::Database& database_;
  const Options options_;
  MissingSymbols missing_;
  Tally tally_;
  std::atomic<std::uint64_t> disk_usage_ = 0;

  std::mutex saving_;             // one writer at a time; taken before mutex_
  Clock::time_point saved_at_{};  // guarded by saving_

  std::mutex mutex_;
  std::condition_variable wake_;
  // All guarded by mutex_.
  SymbolTable table_;
  std::unordered_map<std::string, Miss, FoldedHash, FoldedEqual> misses_;  // not yet written
  std::shared_ptr<const std::vector<SymbolRow>> copy_;
  Clock::time_point copied_at_{};
  std::vector<Suggestion> suggestions_;
  Clock::time_point suggested_at_{};
  std::set<std::string> arrived_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace statistics
