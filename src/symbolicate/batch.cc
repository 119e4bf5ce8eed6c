#include "symbolicate/batch.h"

#include <algorithm>
#include <vector>

namespace symbolicate {

void find_all(std::span<const std::shared_ptr<const symbols::Map>> modules,
              std::span<const Place> places,
              const std::function<void(std::size_t, const symbols::Hit*)>& sink,
              symbols::Map::Mangled mangled) {
  struct Asked {
    Place place;
    std::size_t index;
  };
  std::vector<Asked> order;
  order.reserve(places.size());
  for (const Place& place : places) order.push_back({place, order.size()});
  std::sort(order.begin(), order.end(), [](const Asked& a, const Asked& b) {
    if (a.place.module != b.place.module) return a.place.module < b.place.module;
    return a.place.rva < b.place.rva;
  });
  std::vector<base::Rva> rvas;
  rvas.reserve(places.size());
  for (std::size_t from = 0; from < order.size();) {
    const std::uint32_t module = order[from].place.module;
    rvas.clear();
    std::size_t to = from;
    for (; to < order.size() && order[to].place.module == module; ++to) {
      rvas.push_back(order[to].place.rva);
    }
    if (module < modules.size() && modules[module] != nullptr) {
      const auto place = [&](std::size_t index, const symbols::Hit* hit) {
        sink(order[from + index].index, hit);
      };
      modules[module]->find_many(rvas, place, mangled);
    } else {
      for (std::size_t i = from; i < to; ++i) sink(order[i].index, nullptr);
    }
    from = to;
  }
}

}  // namespace symbolicate
