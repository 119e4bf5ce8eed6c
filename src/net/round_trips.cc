#include "net/round_trips.h"

#include <algorithm>

#include "base/text.h"

namespace net {
namespace {

constexpr std::ptrdiff_t kServersMax = 8;  // as debuginfod
constexpr std::string_view kCircle =
    "we have asked for it ourselves: servers that ask one another in a circle have not what nobody "
    "of them has";

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

bool gives_way(std::string_view asked_by, std::string_view own_name) {
  return own_name < base::trim(asked_by.substr(asked_by.rfind(',') + 1));
}

base::Error came_round() { return {base::Fault::not_found, std::string(kCircle)}; }

bool says_came_round(const base::Error& miss) {
  return miss.fault == base::Fault::not_found && miss.what == kCircle;
}

}  // namespace net
