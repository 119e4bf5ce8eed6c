// The frames of one thread as text. Part of report_text.h.
#pragma once

#include <string>

#include "analyze/report.h"

namespace analyze {

void append_frames(std::string& out, const Report& report, const unwind::Stack& stack);

}  // namespace analyze
