// What an answer means for a report, and when to try again.
// Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "handler/post_report.h"
#include "handler/spool.h"

namespace handler {

constexpr std::int64_t kRetryFirstS = 60;  // then doubled with each try
constexpr std::int64_t kRetryMostS = 24 * 3600;
constexpr std::uint32_t kTriesMax = 10;
constexpr std::int64_t kReportAgeMaxS = 30 * 24 * 3600;

enum class Verdict : unsigned char { sent, rejected, retry };

// No answer, 408, 425, 429 and 5xx are for later; 2xx is success, unless the server says that the
// report was malformed; all else is final.
Verdict verdict_of(const ServerAnswer& answer);

// The id that the server gave, from any of the collectors' forms: "CrashID=bp-…" in a line, or
// the first line as it is.
std::string remote_id_in(std::string_view body);

// Seconds until the next try: what the server asked for, else doubling, give or take 20 % so that
// a fleet does not come back in step. `dice` is any number.
std::int64_t retry_delay_s(std::uint32_t tries, std::int64_t retry_after_s, std::uint32_t dice,
                           std::int64_t first_s = kRetryFirstS);

// Whether the report has been tried often and long enough.
bool is_hopeless(const Report& report, std::int64_t now_s);

}  // namespace handler
