#include "net/forwarded.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace net {

using base::Error;
using base::Fault;
using base::Result;

namespace {

using Address = std::array<std::uint8_t, 16>;
constexpr unsigned kBits6 = 128;
constexpr unsigned kBits4 = 32;
constexpr std::size_t kHopsMax = 32;

// IPv4 as IPv6 has it: ::ffff:a.b.c.d.
std::optional<Address> find_address(std::string_view text) {
  const std::string copy(text);
  Address address{};
  if (::inet_pton(AF_INET6, copy.c_str(), address.data()) == 1) return address;
  address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (::inet_pton(AF_INET, copy.c_str(), &address[12]) == 1) return address;
  return std::nullopt;
}

// "1.2.3.4:80", "[::1]:80", "[::1]", "::1" → the address.
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    return end == std::string_view::npos ? text : text.substr(1, end - 1);
  }
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos
             ? text.substr(0, colon)
             : text;
}

bool is_in(const Address& address, const Address& first, unsigned bits) {
  const std::size_t bytes = bits / 8;
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(bytes),
                  first.begin())) {
    return false;
  }
  const unsigned rest = bits % 8;
  return rest == 0 || (address[bytes] ^ first[bytes]) >> (8 - rest) == 0;
}

// All entries of a header that may stand there more than once, the last ones first.
std::vector<std::string_view> entries_backwards(const Headers& headers, std::string_view name) {
  std::vector<std::string_view> entries;
  for (const auto& [field, value] : headers.all()) {
    if (!base::equal_ignoring_case(field, name)) continue;
    for (const std::string_view entry : base::split(value, ',')) {
      if (!base::trim(entry).empty()) entries.push_back(base::trim(entry));
    }
  }
  std::reverse(entries.begin(), entries.end());
  if (entries.size() > kHopsMax) entries.resize(kHopsMax);
  return entries;
}

}  // namespace

Result<AddressSet> AddressSet::parse(const std::vector<std::string>& entries) {
  AddressSet set;
  for (const std::string& entry : entries) {
    const std::size_t slash = entry.find('/');
    const std::string_view text = std::string_view(entry).substr(0, slash);
    const auto address = find_address(base::trim(text));
    const bool is_v4 = text.find(':') == std::string_view::npos;
    const unsigned bits_max = is_v4 ? kBits4 : kBits6;
    std::optional<std::uint64_t> bits = bits_max;
    if (slash != std::string::npos) {
      bits = base::parse_decimal(std::string_view(entry).substr(slash + 1));
    }
    if (!address || !bits || *bits > bits_max) {
      return Error{Fault::malformed,
                   entry + ": expected an address, or a range such as 10.0.0.0/8 or fd00::/8"};
    }
    set.ranges_.push_back({*address, static_cast<unsigned>(*bits) + (is_v4 ? kBits6 - kBits4 : 0)});
  }
  return set;
}

bool AddressSet::contains(std::string_view text) const {
  const auto address = find_address(text);
  return address && std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
           return is_in(*address, range.first, range.bits);
         });
}

void apply_forwarded(Request& request, const AddressSet& trusted) {
  if (trusted.empty() || !trusted.contains(without_port(request.peer))) return;
  const auto protocols = entries_backwards(request.headers, "X-Forwarded-Proto");
  if (!protocols.empty()) request.secure = base::equal_ignoring_case(protocols.front(), "https");
  std::string_view client;
  for (const std::string_view entry : entries_backwards(request.headers, "X-Forwarded-For")) {
    const std::string_view address = without_port(entry);
    if (!find_address(address)) break;
    client = address;
    if (!trusted.contains(address)) break;
  }
  if (client.empty()) return;
  const bool is_v6 = client.find(':') != std::string_view::npos;
  request.peer = is_v6 ? "[" + std::string(client) + "]:0" : std::string(client) + ":0";
}

}  // namespace net
