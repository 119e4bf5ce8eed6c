// A report as text for a person, line for line what `minidump-stackwalk --human` prints.
// Pure; any thread.
#pragma once

#include <string>

#include "analyze/report.h"

namespace analyze {

enum class TextLength : std::uint8_t { full, brief };  // brief: the requesting thread only

std::string report_text(const Report& report, TextLength length = TextLength::full);

}  // namespace analyze
