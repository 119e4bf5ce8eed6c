#include "symbols/nearest.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <tuple>

namespace symbols {
namespace {

constexpr std::uint64_t kLast = std::numeric_limits<std::uint64_t>::max();

// In order of address, those at one address in that of the text.
template <class Record>
std::vector<std::uint32_t> in_order(const std::vector<Record>& records) {
  std::vector<std::uint32_t> order(records.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto less = [&](std::uint32_t a, std::uint32_t b) {
    return std::tie(records[a].rva, a) < std::tie(records[b].rva, b);
  };
  if (!std::is_sorted(order.begin(), order.end(), less)) {
    std::sort(order.begin(), order.end(), less);
  }
  return order;
}

// Records of one kind in order of address, taken an address at a time.
template <class Record>
class Walk {
 public:
  Walk(const std::vector<Record>& records, std::span<const std::uint32_t> order)
      : records_(records), order_(order) {}

  std::optional<std::uint64_t> next() const {
    if (at_ == order_.size()) return std::nullopt;
    return records_[order_[at_]].rva;
  }
  // Calls `take` with the names of the records at the address.
  template <class Take>
  void pass(std::uint64_t rva, const Take& take) {
    for (; at_ < order_.size() && records_[order_[at_]].rva == rva; ++at_) {
      take(records_[order_[at_]].name);
    }
  }

 private:
  const std::vector<Record>& records_;
  std::span<const std::uint32_t> order_;
  std::size_t at_ = 0;
};

}  // namespace

// One sweep over the addresses: what should be told from each on, beside what the tables tell with
// what was added so far. A table's record without a name tells that there is none.
std::vector<NearestName> other_nearest_names(const Model& model,
                                             std::span<const std::uint32_t> functions,
                                             std::span<const std::uint32_t> publics) {
  const std::vector<std::uint32_t> function_order = in_order(model.functions);
  const std::vector<std::uint32_t> public_order = in_order(model.publics);
  Walk all_functions(model.functions, function_order);
  Walk all_publics(model.publics, public_order);
  Walk kept_functions(model.functions, functions);
  Walk kept_publics(model.publics, publics);
  std::vector<NearestName> others;
  StringId wanted = 0;
  StringId told = 0;
  const auto want = [&](StringId name) {
    if (!model.strings[name].empty()) wanted = name;
  };
  const auto tell = [&](StringId name) { told = name; };
  while (all_functions.next() || all_publics.next()) {
    const std::uint64_t rva =
        std::min(all_functions.next().value_or(kLast), all_publics.next().value_or(kLast));
    all_functions.pass(rva, want);
    all_publics.pass(rva, want);
    kept_functions.pass(rva, tell);
    kept_publics.pass(rva, tell);
    if (told == wanted || model.strings[told] == model.strings[wanted]) continue;
    others.push_back({rva, wanted});
    told = wanted;
  }
  return others;
}

}  // namespace symbols
