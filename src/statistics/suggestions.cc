#include "statistics/suggestions.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/text.h"

namespace statistics {
namespace {

constexpr std::size_t kPrefixMin = 3;  // letters that names must share to be one family
constexpr std::size_t kFamilyMin = 3;  // names; fewer are named each
constexpr std::int64_t kRequestsMin = 10;

struct Name {
  std::string folded;
  const SymbolRow* row;
};

std::size_t common_prefix(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first -
                                  a.begin());
}

// How many letters of `name` no name that was found begins with; more than it has, when one begins
// with the whole of it.
std::size_t distinguishing(std::string_view name, const std::vector<std::string>& found) {
  const auto after = std::lower_bound(found.begin(), found.end(), name);
  std::size_t shared = 0;
  if (after != found.end()) shared = common_prefix(name, *after);
  if (after != found.begin()) shared = std::max(shared, common_prefix(name, *std::prev(after)));
  return shared + 1;
}

std::string escaped(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view("\\.^$*+?()[]{}|").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

class Families {
 public:
  explicit Families(const std::vector<std::string>& found) : found_(found) {}

  // Sorted names that begin alike stand together: each family is a run of them.
  std::vector<Suggestion> make(const std::vector<Name>& lost) {
    for (std::size_t begin = 0; begin < lost.size();) {
      const std::string_view first = lost[begin].folded;
      const std::size_t length = std::max(kPrefixMin, distinguishing(first, found_));
      std::size_t end = begin + 1;
      while (end < lost.size() && length <= first.size() &&
             lost[end].folded.compare(0, length, first, 0, length) == 0) {
        ++end;
      }
      add(lost, begin, end);
      begin = end;
    }
    return std::move(suggestions_);
  }

 private:
  void add(const std::vector<Name>& lost, std::size_t begin, std::size_t end) {
    if (end - begin < kFamilyMin) {
      for (std::size_t i = begin; i < end; ++i) add_family(lost, i, i + 1, escaped_name(lost[i]));
      return;
    }
    // As narrow as the family allows: it may get successful relatives one day.
    const std::size_t shared = common_prefix(lost[begin].folded, lost[end - 1].folded);
    add_family(lost, begin, end, escaped(lost[begin].folded.substr(0, shared)));
  }

  static std::string escaped_name(const Name& name) { return escaped(name.folded) + "$"; }

  void add_family(const std::vector<Name>& lost, std::size_t begin, std::size_t end,
                  std::string pattern) {
    Suggestion suggestion;
    bool has_capitals = false;
    for (std::size_t i = begin; i < end; ++i) {
      const SymbolRow& row = *lost[i].row;
      has_capitals = has_capitals || row.name != lost[i].folded;
      ++suggestion.names;
      suggestion.requests += row.counts.misses;
      suggestion.waiting_us += row.counts.us;
    }
    if (suggestion.requests < kRequestsMin) return;
    suggestion.pattern = (has_capitals ? "(?i)" : "") + std::move(pattern);
    suggestions_.push_back(std::move(suggestion));
  }

  const std::vector<std::string>& found_;
  std::vector<Suggestion> suggestions_;
};

}  // namespace

std::vector<Suggestion> suggest_patterns(
    const std::vector<SymbolRow>& rows, std::size_t count,
    const std::function<bool(std::string_view name)>& is_excluded) {
  std::vector<std::string> found;
  std::vector<Name> lost;
  for (const SymbolRow& row : rows) {
    const Counts& counts = row.counts;
    if (counts.successes != 0) {
      found.push_back(base::lower_ascii(row.name));
    } else if (counts.misses != 0 && !row.name.starts_with("buildid/") &&
               !(is_excluded && is_excluded(row.name))) {
      lost.push_back({base::lower_ascii(row.name), &row});
    }
  }
  std::sort(found.begin(), found.end());
  std::sort(lost.begin(), lost.end(),
            [](const Name& a, const Name& b) { return a.folded < b.folded; });
  std::vector<Suggestion> best = Families(found).make(lost);
  const auto middle = best.begin() + static_cast<std::ptrdiff_t>(std::min(count, best.size()));
  std::partial_sort(best.begin(), middle, best.end(), [](const Suggestion& a, const Suggestion& b) {
    if (a.waiting_us != b.waiting_us) return a.waiting_us > b.waiting_us;
    return a.requests != b.requests ? a.requests > b.requests : a.pattern < b.pattern;
  });
  best.resize(static_cast<std::size_t>(middle - best.begin()));
  return best;
}

}  // namespace statistics
