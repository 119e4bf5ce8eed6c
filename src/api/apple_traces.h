// Apple's crash report as a question of Symbolicator's protocol, with what that protocol says of
// the crash besides.
// A pure function; fails as apple_report::parse() does.
// Format: docs/protocols/symbolicator.md
#pragma once

#include <string_view>

#include "base/result.h"
#include "symbolicate/trace_question.h"

namespace api {

base::Result<symbolicate::TraceQuestion> traces_of_apple_report(std::string_view text);

}  // namespace api
