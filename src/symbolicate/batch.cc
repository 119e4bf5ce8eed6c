#include "symbolicate/batch.h"

#include <algorithm>
#include <tuple>
#include <vector>

namespace symbolicate {

void find_all(std::span<const std::shared_ptr<const symbols::Map>> modules,
              std::span<const Place> places,
              const std::function<void(std::size_t, const symbols::Hit*)>& sink) {
  std::vector<std::size_t> order(places.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(places[a].module, places[a].rva, a) <
           std::tie(places[b].module, places[b].rva, b);
  });
  std::vector<base::Rva> rvas;
  for (std::size_t from = 0; from < order.size();) {
    const std::uint32_t module = places[order[from]].module;
    rvas.clear();
    std::size_t to = from;
    for (; to < order.size() && places[order[to]].module == module; ++to) {
      rvas.push_back(places[order[to]].rva);
    }
    if (module < modules.size() && modules[module] != nullptr) {
      modules[module]->find_many(rvas, [&](std::size_t index, const symbols::Hit* hit) {
        sink(order[from + index], hit);
      });
    } else {
      for (std::size_t i = from; i < to; ++i) sink(order[i], nullptr);
    }
    from = to;
  }
}

}  // namespace symbolicate
