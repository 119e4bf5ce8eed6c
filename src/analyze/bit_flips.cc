#include "analyze/bit_flips.h"

#include <algorithm>

namespace analyze {

using snapshot::Cpu;

namespace {

constexpr std::uint64_t kLow = 0x2000;  // below it an address was probably null and an offset
constexpr std::uint64_t kNearby = 0x1000;

struct Bits {
  unsigned first = 0, last = 0;
};

// Bytes that debug allocators and sanitizers fill memory with.
bool is_poison(std::uint64_t value) {
  constexpr std::uint8_t kPoison[] = {0x2b, 0x2d, 0x2f, 0x49, 0x4b, 0x4d, 0x4f, 0x6b, 0x8b,
                                      0x9b, 0x9f, 0xa5, 0xbb, 0xcc, 0xcd, 0xce, 0xdb, 0xe5};
  const auto byte = static_cast<std::uint8_t>(value);
  if (value != byte * 0x0101010101010101ull) return false;
  return std::find(std::begin(kPoison), std::end(kPoison), byte) != std::end(kPoison);
}

// All in 32-bit floats, since the digits that come out are compared.
float confidence_of(const BitFlip& flip) {
  float doubt = 1.0f - 0.25f;
  if (flip.was_non_canonical) doubt *= 1.0f - 0.9f;
  if (flip.is_null) doubt *= 1.0f - (flip.was_low ? 0.25f : 0.5f);
  constexpr float kByNearby[] = {0.0f, 0.5f, 0.55f, 0.6f, 0.65f};
  doubt *= 1.0f - kByNearby[std::min(flip.nearby_registers, 4u)];
  const float confidence = 1.0f - doubt;
  return flip.poison_registers ? confidence * 0.5f : confidence;
}

class Finder {
 public:
  Finder(const snapshot::Crash& crash, const MemoryMap& map, Wish wish, bool was_non_canonical,
         std::vector<BitFlip>& out)
      : map_(map), wish_(wish), was_non_canonical_(was_non_canonical), out_(out) {
    if (!crash.exception->registers) return;
    const snapshot::Registers& registers = *crash.exception->registers;
    const std::size_t printed = snapshot::register_names(registers.cpu).printed;
    for (std::size_t i = 0; i < printed; ++i) {
      if (registers.valid[i]) registers_.push_back(registers.values[i]);
    }
  }

  void try_all(std::uint64_t value, std::uint64_t access_size, Bits bits, std::string_view source) {
    if (map_.permits(value, wish_)) return;
    const auto distance = map_.find_distance(value, wish_);
    if (distance && *distance < access_size) return;  // one step too far, and no flip
    for (unsigned bit = bits.first; bit <= bits.last; ++bit) {
      const std::uint64_t candidate = value ^ std::uint64_t{1} << bit;
      if (candidate == 0) add(value, candidate, source);
      if (map_.permits(candidate, wish_)) add(value, candidate, source);
    }
  }

 private:
  void add(std::uint64_t value, std::uint64_t candidate, std::string_view source) {
    BitFlip flip;
    flip.address = candidate;
    flip.was_non_canonical = was_non_canonical_;
    flip.is_null = candidate == 0;
    flip.was_low = flip.is_null && value <= kLow;
    flip.source_register = source;
    for (const std::uint64_t other : registers_) {
      const std::uint64_t apart = other > candidate ? other - candidate : candidate - other;
      if (candidate > kLow && apart <= kNearby) ++flip.nearby_registers;
      if (is_poison(other)) flip.poison_registers = true;
    }
    flip.confidence = confidence_of(flip);
    out_.push_back(std::move(flip));
  }

  const MemoryMap& map_;
  Wish wish_;
  bool was_non_canonical_;
  std::vector<BitFlip>& out_;
  std::vector<std::uint64_t> registers_;
};

bool contains(const MemoryAccess& access, std::uint64_t address) {
  return address >= access.address && address - access.address < access.size.value_or(1);
}

}  // namespace

std::vector<BitFlip> find_bit_flips(const snapshot::Crash& crash, const CrashInfo& info,
                                    const CrashOperation* operation, const MemoryMap& map,
                                    Wish wish) {
  std::vector<BitFlip> flips;
  const Cpu cpu = crash.system.cpu;
  if (snapshot::address_width(cpu) != 8 || cpu == Cpu::arm64 || cpu == Cpu::unknown) return flips;
  const auto& adjusted = info.adjusted_address;
  if (adjusted && adjusted->kind == AdjustedAddress::Kind::null_pointer) return flips;

  std::uint64_t value = adjusted ? adjusted->value : *info.address;
  std::uint64_t size = 1;
  if (info.memory_accesses) {
    for (const MemoryAccess& access : *info.memory_accesses) {
      if (!contains(access, value)) continue;
      value = access.address;
      size = access.size.value_or(1);
      break;
    }
  }
  Bits bits{0, cpu == Cpu::amd64 ? 47u : 63u};
  if (adjusted) bits = {48, 63};
  Finder finder(crash, map, wish, adjusted.has_value(), flips);
  finder.try_all(value, size, bits, "");
  if (operation == nullptr || !crash.exception->registers) return flips;
  for (const std::string_view name : operation->registers) {
    if (name == "rip") continue;
    const auto known = crash.exception->registers->find(name);
    if (known) finder.try_all(*known, size, bits, name);
  }
  return flips;
}

}  // namespace analyze
