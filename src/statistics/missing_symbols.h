// What was asked for and nobody had, in the database: NAME/ID/FILE, how often, when first and
// last, on which days, and the module's code file and code id when a client said them. Bounded in
// number and age; what was not asked for longest goes first.
// Not the statistics' totals (statistics.h), and not how misses are remembered so that nobody is
// asked again (supply, upstream).
// Any thread may call; calls block. Fails as the database does.
// Format: docs/protocols/missing-symbols.md
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "ident/paths.h"
#include "statistics/tally.h"

namespace statistics {

struct MissingSymbol {
  std::int64_t id = 0;
  std::string name;  // "" of a request for /buildid/ID/FILE
  std::string debug_id;
  std::string file;
  std::string code_file, code_id;  // "": not known
  std::int64_t times = 0;
  base::Time created_at;   // first asked for
  base::Time modified_at;  // last
};

// What a GET of it wants; nothing when its path is none any more.
std::optional<ident::SymbolRequest> request_of(const MissingSymbol& symbol);

struct MissingQuery {
  enum class Order : std::uint8_t { modified, created, times, name, debug_id, file };
  enum class Relation : std::uint8_t { less, at_most, equal, at_least, greater };
  struct Bound {
    Order of = Order::modified;  // or created
    Relation relation = Relation::at_least;
    base::Time time;
  };
  std::string name, debug_id, file;  // parts of these, in any case; "": all
  std::vector<Bound> bounds;
  Order order = Order::modified;
  bool descending = true;
  std::uint64_t offset = 0;
  std::uint64_t limit = 100;
};

struct MissingPage {
  std::vector<MissingSymbol> rows;
  std::uint64_t total = 0;  // that the query names
};

class MissingSymbols {
 public:
  static constexpr std::int64_t kSymbolsMax = 200'000;
  static constexpr std::int64_t kDaysKept = 30;         // of the counts by day
  static constexpr std::int64_t kForgottenAfter = 180;  // days without a request

  explicit MissingSymbols(db::Database& database) : database_(database) {}
  MissingSymbols(const MissingSymbols&) = delete;
  MissingSymbols& operator=(const MissingSymbols&) = delete;

  // In portions; what was written is taken out of `misses`.
  base::Result<void> add(std::vector<Miss>& misses);
  base::Result<MissingPage> list(const MissingQuery& query);
  // Those that were asked for on that day, UTC's, counted from 1970: by name and id.
  base::Result<void> list_day(std::int64_t day,
                              const std::function<void(const MissingSymbol&)>& sink);
  // Those that a file with one of these ids may answer.
  base::Result<std::vector<MissingSymbol>> with_ids(const std::vector<std::string>& ids);
  base::Result<void> remove(const std::vector<std::int64_t>& symbols);
  base::Result<void> remove(const ident::StorePath& path);  // name "": /buildid/ID/FILE
  base::Result<void> drop_old(base::Time now);

 private:
  db::Database& database_;
};

// Days since 1970.
std::int64_t day_of(base::Time time);

}  // namespace statistics
