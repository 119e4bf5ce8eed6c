// Where requests are counted as they are answered, on whatever thread: made so that counting costs
// a network loop next to nothing. Each thread has a part with a lock of its own, which it nearly
// always finds free, and a name that was counted lately is counted again without allocating.
// Not the statistics: those take everything out twice a second (symbol_table.h).
// What does not fit in a part until then is counted without its name.
// Any thread may call.
#pragma once

#include <array>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "statistics/counts.h"
#include "statistics/folded.h"

namespace statistics {

enum class Outcome : std::uint8_t {
  here,
  missing,  // nobody has it
  failed,   // trouble on our side or upstream, or still being made
  invalid
};

// One answered request. Views need live for the call only.
struct Asked {
  std::string_view name;  // of the row; "": counted in the totals alone
  Outcome outcome = Outcome::here;
  bool from_memory = false;  // answered at once
  std::int64_t us = 0;
  // Of a miss that is to be told of: the path's parts; `path_name` is "" for /buildid/ID/FILE.
  bool is_told = false;
  std::string_view path_name, id, file;
  std::string_view code_file, code_id;
};

// What somebody asked for and nobody had, some times.
struct Miss {
  std::string name, id, file;
  std::string code_file, code_id;  // "": not known
  std::int64_t count = 0;
  base::Time first_at, last_at;
};

class Tally {
 public:
  static constexpr std::size_t kNamesMax = 8192;  // in one part
  static constexpr std::size_t kMissesMax = 2048;

  struct Count {
    Counts counts;
    std::int64_t failed_hits = 0;  // of counts.hits, those of failures
    base::Time first_at = {};      // when it was first counted since the last take()
  };
  struct Batch {
    std::vector<std::pair<std::string, Count>> names;  // by first_at
    Count nameless;
    std::vector<Miss> misses;
  };

  Tally() = default;
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  void answered(const Asked& asked);
  void waits(std::string_view name, std::int64_t change);  // 1 when it begins, -1 at its end
  void upstream_said(std::string_view name, std::size_t server, bool has_it);

  Batch take();

 private:
  static constexpr std::size_t kParts = 16;
  struct Entry {
    Count count;
    bool is_used = false;  // since the last take()
  };
  template <class T>
  using ByText = std::unordered_map<std::string, T, FoldedHash, FoldedEqual>;
  struct alignas(64) Part {
    std::mutex mutex;
    // All guarded by mutex.
    ByText<Entry> names;
    ByText<Miss> misses;
    Count nameless;
  };

  Part& own_part();
  Count& find(Part& part, std::string_view name);  // REQUIRES: its lock held
  void note_miss(Part& part, const Asked& asked, base::Time now);

  std::array<Part, kParts> parts_;
};

}  // namespace statistics
