// Time as the catalogue keeps it: integer microseconds since 1970, UTC.
#pragma once

#include <cstdint>
#include <string>

namespace base {

struct Time {
  std::int64_t us = 0;
  friend auto operator<=>(Time, Time) = default;
};

Time now();                      // the wall clock
std::int64_t monotonic_us();     // for measuring only
std::string iso8601(Time time);  // 2026-11-24T19:30:07Z
std::string yymmdd(Time time);   // 261124, as in report ids

}  // namespace base
