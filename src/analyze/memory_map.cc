#include "analyze/memory_map.h"

#include <algorithm>

namespace analyze {

using snapshot::MemoryInfo;

namespace {

std::uint64_t last_of(const MemoryInfo& info) { return info.base.value + (info.size - 1); }

bool has_access(const MemoryInfo& info) {
  return info.readable || info.writable || info.executable;
}

bool permits_in(const MemoryInfo& info, Wish wish) {
  switch (wish) {
    case Wish::undetermined:
      return true;
    case Wish::read:
      return info.readable;
    case Wish::write:
      return info.writable;
    case Wish::execute:
      return info.executable;
  }
  return false;
}

}  // namespace

MemoryMap::MemoryMap(const snapshot::Crash& crash) {
  for (const MemoryInfo& info : crash.memory_info) {
    if (info.size != 0 && last_of(info) >= info.base.value) regions_.push_back(&info);
  }
  std::sort(regions_.begin(), regions_.end(), [](const MemoryInfo* a, const MemoryInfo* b) {
    if (a->base != b->base) return a->base < b->base;
    return a->size != b->size ? a->size < b->size : a < b;
  });
  std::vector<const MemoryInfo*> apart;
  for (const MemoryInfo* info : regions_) {
    if (apart.empty() || info->base.value > last_of(*apart.back())) apart.push_back(info);
  }
  regions_ = std::move(apart);
}

const MemoryInfo* MemoryMap::find(std::uint64_t address) const {
  const auto after = std::upper_bound(
      regions_.begin(), regions_.end(), address,
      [](std::uint64_t value, const MemoryInfo* info) { return value < info->base.value; });
  if (after == regions_.begin()) return nullptr;
  const MemoryInfo* info = *(after - 1);
  return address <= last_of(*info) ? info : nullptr;
}

bool MemoryMap::permits(std::uint64_t address, Wish wish) const {
  const MemoryInfo* info = find(address);
  return info != nullptr && permits_in(*info, wish);
}

std::optional<std::uint64_t> MemoryMap::find_distance(std::uint64_t address, Wish wish) const {
  std::optional<std::uint64_t> nearest;
  for (const MemoryInfo* info : regions_) {
    if (!permits_in(*info, wish)) continue;
    std::uint64_t distance = 0;
    if (address < info->base.value) distance = info->base.value - address;
    if (address > last_of(*info)) distance = address - last_of(*info);
    if (!nearest || distance < *nearest) nearest = distance;
  }
  return nearest;
}

bool MemoryMap::is_likely_guard_page(std::uint64_t address) const {
  constexpr std::uint64_t kGuardSizeMax = 0x8000;
  const MemoryInfo* info = find(address);
  if (info == nullptr || has_access(*info) || info->size > kGuardSizeMax) return false;
  const MemoryInfo* before = info->base.value == 0 ? nullptr : find(info->base.value - 1);
  const MemoryInfo* after = find(last_of(*info) + 1);
  return (before != nullptr && has_access(*before)) || (after != nullptr && has_access(*after));
}

}  // namespace analyze
