#include "handler/upload_policy.h"

#include <algorithm>

#include "base/text.h"

namespace handler {

namespace {
constexpr std::size_t kRemoteIdMax = 200;
constexpr std::string_view kMalformed = "Discarded=malformed";
}  // namespace

Verdict verdict_of(const ServerAnswer& answer) {
  const int status = answer.status;
  if (status == 0 || status == 408 || status == 425 || status == 429 || status >= 500) {
    return Verdict::retry;
  }
  const bool malformed = answer.body.find(kMalformed) != std::string::npos;
  return status >= 200 && status < 300 && !malformed ? Verdict::sent : Verdict::rejected;
}

std::string remote_id_in(std::string_view body) {
  std::string_view first;
  for (const std::string_view piece : base::split(body, '\n')) {
    const std::string_view line = base::trim(piece);
    constexpr std::string_view kCrashId = "CrashID=";
    if (line.starts_with(kCrashId)) return std::string(line.substr(kCrashId.size(), kRemoteIdMax));
    if (first.empty()) first = line;
  }
  return std::string(first.substr(0, kRemoteIdMax));
}

std::int64_t retry_delay_s(std::uint32_t tries, std::int64_t retry_after_s, std::uint32_t dice,
                           std::int64_t first_s) {
  if (retry_after_s > 0) return std::min(retry_after_s, kRetryMostS);
  const std::uint32_t doublings = std::min(tries > 0 ? tries - 1 : 0, 20u);
  const std::int64_t delay = std::min(first_s << doublings, kRetryMostS);
  const std::int64_t percent = 80 + static_cast<std::int64_t>(dice % 41);
  return std::min(delay * percent / 100, kRetryMostS);
}

bool is_hopeless(const Report& report, std::int64_t now_s) {
  return report.tries >= kTriesMax ||
         (report.time_s != 0 && now_s - report.time_s > kReportAgeMaxS);
}

}  // namespace handler
