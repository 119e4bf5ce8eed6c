// What a processed report says in one line: its signature, reason, address, system, and which
// symbols were missing. Read from the processed JSON (docs/formats/processed-json.md), so that
// it can be derived again whenever the rules change.
// The signature is the first named frames of the crashing thread, joined; not yet Socorro's
// algorithm, which comes into this file.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "reports/queue.h"

namespace reports {

// Everything but `processed_sha256`. malformed when the text is not such a document.
base::Result<Outcome> outcome_from_processed(std::string_view json);

// "operator()(int) const" → "operator()": what a list can show of a function's name.
std::string_view without_arguments(std::string_view function);

}  // namespace reports
