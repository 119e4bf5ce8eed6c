// A report as text for a terminal: what happened, and the stack of the crashing thread with its
// inlined calls. Reads the JSON of docs/protocols/reports-api.md. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace cli {

std::string report_as_text(const base::JsonValue& report);

// One line for a list: time, state, id, signature, reason.
std::string summary_as_text(const base::JsonValue& summary);

// Control characters of strangers do not reach the terminal.
std::string printable(std::string_view text);

}  // namespace cli
