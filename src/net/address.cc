#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace net {
namespace {

struct Range4 {
  std::uint32_t first;
  int bits;
};

// IANA's special-purpose registry, what is not globally reachable.
constexpr std::array<Range4, 15> kNotPublic4{{{0x00000000, 8},    // this network
                                              {0x0a000000, 8},    // private
                                              {0x64400000, 10},   // shared
                                              {0x7f000000, 8},    // loopback
                                              {0xa9fe0000, 16},   // link-local, cloud metadata
                                              {0xac100000, 12},   // private
                                              {0xc0000000, 24},   // protocol assignments
                                              {0xc0000200, 24},   // documentation
                                              {0xc0586300, 24},   // 6to4 relays
                                              {0xc0a80000, 16},   // private
                                              {0xc6120000, 15},   // benchmarks
                                              {0xc6336400, 24},   // documentation
                                              {0xcb007100, 24},   // documentation
                                              {0xe0000000, 4},    // multicast
                                              {0xf0000000, 4}}};  // reserved, broadcast

bool is_public4(std::uint32_t address) {
  return std::none_of(kNotPublic4.begin(), kNotPublic4.end(), [&](const Range4& range) {
    return (address ^ range.first) >> (32 - range.bits) == 0;
  });
}

std::uint32_t word_at(const std::uint8_t* bytes) {
  return static_cast<std::uint32_t>(bytes[0]) << 24 | static_cast<std::uint32_t>(bytes[1]) << 16 |
         static_cast<std::uint32_t>(bytes[2]) << 8 | bytes[3];
}

bool is_public6(const std::array<std::uint8_t, 16>& a) {
  const auto starts = [&](std::initializer_list<std::uint8_t> bytes) {
    return std::equal(bytes.begin(), bytes.end(), a.begin());
  };
  if (starts({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff})) return is_public4(word_at(&a[12]));
  if (starts({0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0})) return is_public4(word_at(&a[12]));
  if (starts({0x20, 0x02})) return is_public4(word_at(&a[2]));  // 6to4
  if (starts({0x20, 0x01, 0x0d, 0xb8})) return false;           // documentation
  if (starts({0x20, 0x01, 0x00, 0x00})) return false;           // Teredo hides an IPv4 address
  return (a[0] & 0xe0) == 0x20;                                 // only 2000::/3 is given out
}

}  // namespace

bool is_public_address(std::string_view text) {
  const std::string address(text);
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return is_public4(ntohl(v4.s_addr));
  std::array<std::uint8_t, 16> v6{};
  if (::inet_pton(AF_INET6, address.c_str(), v6.data()) != 1) return false;
  return is_public6(v6);
}

}  // namespace net
