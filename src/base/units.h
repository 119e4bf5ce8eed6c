// Numbers that look alike and must not be mixed: places in memory, in an image, in a file.
// In simple binaries they coincide, and that is where the bugs hide; so they are types.
//   Address     a place in a process
//   Rva         a place relative to the image base of a module
//   FileOffset  a place in a file
//   Size        a distance between two places of one kind
// Arithmetic wraps as unsigned integers do; checked_add() is for numbers from files.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

namespace base {

struct Size {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(Size, Size) = default;
};

template <class Tag>
struct Place {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(Place, Place) = default;
  friend constexpr Place operator+(Place place, Size size) { return {place.value + size.value}; }
  friend constexpr Place operator-(Place place, Size size) { return {place.value - size.value}; }
  friend constexpr Size operator-(Place a, Place b) { return {a.value - b.value}; }
};

using Address = Place<struct AddressTag>;
using Rva = Place<struct RvaTag>;
using FileOffset = Place<struct FileOffsetTag>;

constexpr std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
  if (a + b < a) return std::nullopt;
  return a + b;
}

}  // namespace base
