#include "handler/stack_capture.h"

#include <algorithm>

namespace handler {

std::optional<Range> find_stack(const std::vector<Mapping>& maps, std::uint64_t sp,
                                std::uint64_t arg_start) {
  const Mapping* stack = find_mapping_from(maps, sp);
  // A guard page is a mapping that cannot be read.
  while (stack != nullptr && !(stack->readable && stack->writable)) {
    stack = stack->end - sp > kGuardGapMax ? nullptr : find_mapping_from(maps, stack->end);
  }
  if (stack == nullptr) return std::nullopt;
  if (stack->begin > sp && stack->begin - sp > kGuardGapMax) return std::nullopt;
  Range range{sp - std::min(kRedZone, sp), stack->end};
  range.begin = std::max(range.begin, stack->begin);
  if (arg_start > sp && arg_start < range.end) range.end = arg_start;
  return range;
}

std::uint64_t stack_limit(std::uint64_t budget, std::size_t threads) {
  if (threads == 0) return kStackMax;
  return std::clamp(budget / threads, kStackLeast, kStackMax);
}

snapshot::MemoryRegion Arena::copy(const ProcessMemory& memory, Range range) {
  const auto size = static_cast<std::size_t>(range.size());
  auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(size);
  const std::size_t got = memory.read(range.begin, {bytes.get(), size});
  if (got == 0) return {};
  const snapshot::MemoryRegion region{{range.begin}, {bytes.get(), got}};
  blocks_.push_back({std::move(bytes)});
  size_ += got;
  return region;
}

base::Bytes Arena::keep(base::Bytes bytes) {
  auto kept = std::make_unique_for_overwrite<std::uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), kept.get());
  const base::Bytes view(kept.get(), bytes.size());
  blocks_.push_back({std::move(kept)});
  return view;
}

std::vector<Range> join_ranges(std::vector<Range> ranges, const std::vector<Range>& taken) {
  std::sort(ranges.begin(), ranges.end(),
            [](const Range& a, const Range& b) { return a.begin < b.begin; });
  std::vector<Range> joined;
  for (const Range& range : ranges) {
    const auto overlaps = [&range](const Range& other) {
      return range.begin < other.end && other.begin < range.end;
    };
    if (std::any_of(taken.begin(), taken.end(), overlaps)) continue;
    if (!joined.empty() && range.begin <= joined.back().end) {
      joined.back().end = std::max(joined.back().end, range.end);
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

std::optional<Range> find_surroundings(const std::vector<Mapping>& maps, std::uint64_t address,
                                       std::uint64_t around) {
  const Mapping* const mapping = find_mapping(maps, address);
  if (mapping == nullptr || !mapping->readable) return std::nullopt;
  return Range{std::max(mapping->begin, address - std::min(address, around)),
               std::min(mapping->end, address + around)};
}

}  // namespace handler
