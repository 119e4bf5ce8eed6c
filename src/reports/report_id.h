// The id of a crash report, in Socorro's form: a random UUID whose last seven digits are a 0 (its
// throttle result: accepted) and the date of receipt, yymmdd.
//   2f1a7f0e-7b0c-4c3e-9a55-1d2e30261124        written "bp-2f1a…" in replies and links
// It is made before anything is stored. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace reports {

std::string make_report_id(base::Time received);

// The id without "bp-" and in lower case; nothing when the text is not one.
std::optional<std::string> parse_report_id(std::string_view text);

}  // namespace reports
