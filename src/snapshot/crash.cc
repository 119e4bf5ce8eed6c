#include "snapshot/crash.h"

namespace snapshot {

namespace {

// Whether [base, base + size) holds all of [address, address + length), without wrapping.
bool holds(base::Address base, std::uint64_t size, base::Address address, std::uint64_t length) {
  if (address < base) return false;
  const std::uint64_t offset = (address - base).value;
  return offset < size && length <= size - offset;
}

}  // namespace

const Module* Crash::find_module(base::Address address) const {
  const Module* best = nullptr;
  for (const Module& module : modules) {
    if (!holds(module.base, module.size, address, 1)) continue;
    const bool earlier = best == nullptr || module.base < best->base ||
                         (module.base == best->base && module.size < best->size);
    if (earlier) best = &module;
  }
  return best;
}

const MemoryRegion* Crash::find_memory(base::Address address, std::uint64_t size) const {
  // Blocks are sorted by address, but may overlap: look from the last that starts at or before
  // the address backwards, a few steps, since overlaps of more than a few blocks are nonsense.
  constexpr std::size_t kStepsMax = 64;
  std::size_t low = 0;
  std::size_t high = memory.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (memory[middle].base <= address) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  for (std::size_t i = low, steps = 0; i-- > 0 && steps < kStepsMax; ++steps) {
    if (holds(memory[i].base, memory[i].bytes.size(), address, size)) return &memory[i];
  }
  return nullptr;
}

std::optional<std::size_t> Crash::requesting_thread() const {
  const std::optional<std::uint32_t> id =
      exception ? std::optional(exception->thread_id) : requesting_thread_id;
  if (!id || id == dump_thread_id) return std::nullopt;
  for (std::size_t i = threads.size(); i-- > 0;) {
    if (threads[i].id == *id) return i;
  }
  return std::nullopt;
}

bool Crash::is_dump_thread(std::size_t thread_index) const {
  return dump_thread_id && threads[thread_index].id == *dump_thread_id;
}

const Registers* Crash::start_registers(std::size_t thread_index) const {
  if (exception && exception->registers && requesting_thread() == thread_index) {
    return &*exception->registers;
  }
  const auto& own = threads[thread_index].registers;
  return own ? &*own : nullptr;
}

}  // namespace snapshot
