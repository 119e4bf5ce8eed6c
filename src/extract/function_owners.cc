#include "extract/function_owners.h"

#include <algorithm>

namespace extract {
namespace {

// Whether `a` gives way to `b`: the order of the heap, whose top is the winner.
bool weaker(const Owned& a, const Owned& b) {
  return a.unit != b.unit ? a.unit > b.unit : a.function < b.function;
}

// Claims of one range become one: the strongest, `multiple` if their names differ.
std::vector<Owned> join_equal(std::vector<Claim>& claims) {
  std::sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) {
    if (a.start != b.start) return a.start < b.start;
    if (a.end != b.end) return a.end < b.end;
    return a.unit != b.unit ? a.unit < b.unit : a.function > b.function;
  });
  std::vector<Owned> joined;
  const Claim* first = nullptr;
  for (const Claim& claim : claims) {
    if (first != nullptr && first->start == claim.start && first->end == claim.end) {
      joined.back().multiple |= first->name != claim.name;
      continue;
    }
    joined.push_back({claim.start, claim.end, claim.unit, claim.function, false});
    first = &claim;
  }
  return joined;
}

}  // namespace

std::vector<Owned> find_owners(std::vector<Claim> claims) {
  const std::vector<Owned> joined = join_equal(claims);
  std::vector<Owned> owners;
  std::vector<Owned> active;
  std::uint64_t at = 0;
  const auto own = [&](const Owned& winner, std::uint64_t stop) {
    if (!owners.empty() && owners.back().end == at && owners.back().unit == winner.unit &&
        owners.back().function == winner.function) {
      owners.back().end = stop;
    } else {
      owners.push_back(winner);
      owners.back().start = at;
      owners.back().end = stop;
    }
  };
  const auto advance = [&](std::uint64_t until) {
    while (!active.empty() && at < until) {
      const Owned& top = active.front();
      if (top.end <= at) {
        std::pop_heap(active.begin(), active.end(), weaker);
        active.pop_back();
        continue;
      }
      const std::uint64_t stop = std::min(top.end, until);
      own(top, stop);
      at = stop;
    }
  };
  for (const Owned& claim : joined) {
    advance(claim.start);
    at = claim.start;
    active.push_back(claim);
    std::push_heap(active.begin(), active.end(), weaker);
  }
  advance(~std::uint64_t{0});
  return owners;
}

}  // namespace extract
