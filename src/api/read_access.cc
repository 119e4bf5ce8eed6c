#include "api/read_access.h"

#include <algorithm>
#include <string>

#include "api/clients.h"
#include "base/text.h"

namespace api {
namespace {

// The same time for every wrong token of a length.
bool equal_secrets(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |= static_cast<unsigned>(a[i] ^ b[i]);
  }
  return difference == 0;
}

}  // namespace

bool may_read_sources(const net::Request& request, std::string_view token) {
  if (token.empty() || is_local(request)) return true;
  std::string_view given = request.header("Auth-Token");
  if (given.empty()) {
    given = request.header("Authorization");
    if (!given.starts_with("Bearer ")) return false;
    given.remove_prefix(7);
  }
  return equal_secrets(base::trim(given), token);
}

}  // namespace api
