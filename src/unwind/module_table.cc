#include "unwind/module_table.h"

#include <algorithm>
#include <tuple>

namespace unwind {
namespace {

// Hostile dumps pile up unloaded modules over one address; real ones have a few hundred in all.
constexpr std::size_t kUnloadedLooksMax = 1024;

std::optional<std::uint64_t> last_address(base::Address start, std::uint64_t size) {
  if (size == 0) return std::nullopt;
  return base::checked_add(start.value, size - 1);
}

}  // namespace

ModuleTable::ModuleTable(const snapshot::Crash& crash, SymbolSource& source)
    : crash_(crash), source_(source), slots_(std::make_unique<Slot[]>(crash.modules.size())) {
  for (std::uint32_t i = 0; i < crash.modules.size(); ++i) {
    const snapshot::Module& module = crash.modules[i];
    const auto last = last_address(module.base, module.size);
    if (!last) continue;
    ranges_.push_back({module.base.value, *last, i});
    highest_end_ = std::max(highest_end_, *last + 1);
  }
  std::ranges::sort(ranges_, {},
                    [](const Range& r) { return std::tie(r.start, r.last, r.module); });
  std::size_t kept = 0;
  for (const Range& range : ranges_) {
    if (kept != 0 && range.start <= ranges_[kept - 1].last) continue;
    ranges_[kept++] = range;
  }
  ranges_.resize(kept);

  for (std::uint32_t i = 0; i < crash.unloaded_modules.size(); ++i) {
    const snapshot::UnloadedModule& module = crash.unloaded_modules[i];
    const auto last = last_address(module.base, module.size);
    if (last) unloaded_.push_back({module.base.value, *last, 0, i});
  }
  std::ranges::sort(unloaded_, {}, &Unloaded::start);
  std::uint64_t last_so_far = 0;
  for (Unloaded& unloaded : unloaded_) {
    last_so_far = std::max(last_so_far, unloaded.last);
    unloaded.last_so_far = last_so_far;
  }
}

std::uint32_t ModuleTable::find(base::Address address) const {
  const auto after = std::ranges::upper_bound(ranges_, address.value, {}, &Range::start);
  if (after == ranges_.begin()) return kNoModule;
  const Range& range = *std::prev(after);
  return address.value <= range.last ? range.module : kNoModule;
}

const symbols::Map* ModuleTable::find_map(std::uint32_t module) {
  Slot& slot = slots_[module];
  std::call_once(slot.once, [&] { slot.symbols = source_.find_symbols(module); });
  return slot.symbols.state == SymbolState::loaded ? slot.symbols.map.get() : nullptr;
}

bool ModuleTable::may_be_code(base::Address address) {
  const std::uint32_t module = find(address);
  if (module == kNoModule) return false;
  const symbols::Map* map = find_map(module);
  return map == nullptr || map->has_name_at(rva_of(module, address));
}

std::vector<UnloadedHit> ModuleTable::find_unloaded(base::Address address) const {
  std::vector<UnloadedHit> hits;
  auto at = std::ranges::upper_bound(unloaded_, address.value, {}, &Unloaded::start);
  for (std::size_t looks = 0; at != unloaded_.begin() && looks < kUnloadedLooksMax; ++looks) {
    --at;
    if (at->last_so_far < address.value) break;
    if (address.value > at->last) continue;
    hits.push_back({at->module, address.value - at->start});
  }
  const auto key = [this](const UnloadedHit& hit) {
    return std::tuple<std::string_view, std::uint64_t>(crash_.unloaded_modules[hit.module].name,
                                                       hit.offset);
  };
  std::ranges::sort(hits, {}, key);
  const auto repeated = std::ranges::unique(hits, {}, key);
  hits.erase(repeated.begin(), repeated.end());
  return hits;
}

std::vector<ModuleSymbols> ModuleTable::modules() const {
  std::vector<ModuleSymbols> out(crash_.modules.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = slots_[i].symbols;
  return out;
}

}  // namespace unwind
