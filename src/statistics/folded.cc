#include "statistics/folded.h"

#include <algorithm>
#include <array>

#include "base/hash64.h"
#include "base/random.h"
#include "base/text.h"

namespace statistics {
namespace {

constexpr std::size_t kHashedMax = 1024;  // longer texts are told apart by comparing them

std::uint64_t seed() {
  static const std::uint64_t random = [] {
    std::array<std::uint8_t, 8> bytes{};
    base::fill_random(bytes);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return value;
  }();
  return random;
}

std::uint8_t lower(char c) {
  const auto byte = static_cast<std::uint8_t>(c);
  return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte + ('a' - 'A')) : byte;
}

}  // namespace

std::size_t FoldedHash::operator()(std::string_view text) const {
  std::array<std::uint8_t, kHashedMax> folded;  // NOLINT(*-member-init): only what is filled counts
  const std::size_t size = std::min(text.size(), folded.size());
  std::transform(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(size), folded.begin(),
                 lower);
  return base::hash64(base::Bytes(folded.data(), size), seed());
}

bool FoldedEqual::operator()(std::string_view a, std::string_view b) const {
  return base::equal_ignoring_case(a, b);
}

}  // namespace statistics
