// A report as JSON, byte for byte what rust-minidump's `minidump-stackwalk --json` prints:
// sorted keys, explicit nulls, addresses padded to the CPU's width. Compact or pretty, without a
// newline at the end.
// Pure; any thread.
// Keys and rules: docs/report-json.md
#pragma once

#include <string>

#include "analyze/report.h"
#include "base/json.h"

namespace analyze {

std::string report_json(const Report& report,
                        base::JsonWriter::Style style = base::JsonWriter::Style::compact);

}  // namespace analyze
