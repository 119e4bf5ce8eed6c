// Who asks, when reverse proxies stand between: those that the operator trusts say so in
// X-Forwarded-For and X-Forwarded-Proto. From anybody else these headers are only text.
// An AddressSet is immutable: any thread. parse() fails with malformed and names the entry.
// Source: docs/reverse-proxy.md
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http.h"

namespace net {

class AddressSet {
 public:
  // "10.0.0.0/8", "192.0.2.7", "fd00::/8"; bits beyond the prefix are ignored.
  static base::Result<AddressSet> parse(const std::vector<std::string>& entries);

  bool empty() const { return ranges_.empty(); }
  // An address as text, without port; false for what is none. IPv4 inside IPv6 is IPv4.
  bool contains(std::string_view address) const;

 private:
  struct Range {
    std::array<std::uint8_t, 16> first;
    unsigned bits;
  };
  std::vector<Range> ranges_;
};

// Puts the client's address in the place of a trusted proxy's in request.peer (its port is not
// known: 0), and sets request.secure as the proxy says. Of several entries the last one counts that
// no trusted proxy made: what the client itself wrote stands before it.
void apply_forwarded(Request& request, const AddressSet& trusted);

}  // namespace net
