#include "base/clock.h"

#include <fmt/core.h>

#include <chrono>
#include <ctime>

namespace base {
namespace {
std::tm utc(Time time) {
  std::int64_t seconds = time.us / 1'000'000;
  if (time.us % 1'000'000 < 0) --seconds;
  const std::time_t value = seconds;
  std::tm parts{};
  gmtime_r(&value, &parts);
  return parts;
}
}  // namespace

Time now() {
  using namespace std::chrono;
  return {duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

std::int64_t monotonic_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

std::string iso8601(Time time) {
  const std::tm t = utc(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", t.tm_year + 1900, t.tm_mon + 1,
                     t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

std::string yymmdd(Time time) {
  const std::tm t = utc(time);
  return fmt::format("{:02}{:02}{:02}", t.tm_year % 100, t.tm_mon + 1, t.tm_mday);
}

}  // namespace base
