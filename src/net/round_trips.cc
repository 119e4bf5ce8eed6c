#include "net/round_trips.h"

#include <algorithm>

#include "base/text.h"

namespace net {
namespace {

constexpr std::ptrdiff_t kServersMax = 8;  // as debuginfod

bool is_too_long(std::string_view list) {
  return std::count(list.begin(), list.end(), ',') >= kServersMax;
}

}  // namespace

bool comes_round(const Request& request, std::string_view own_name) {
  if (is_too_long(request.header("X-Forwarded-For"))) return true;
  const std::string_view asked_by = request.header(kAskedBy);
  if (asked_by.empty()) return false;
  if (is_too_long(asked_by)) return true;
  const auto names = base::split(asked_by, ',');
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view name) { return base::trim(name) == own_name; });
}

std::string asked_by_too(std::string_view asked_by, std::string_view own_name) {
  std::string all(asked_by);
  if (!all.empty()) all += ", ";
  all += own_name;
  return all;
}

}  // namespace net
