// The walked stacks of a report as a question of Symbolicator's protocol, with what else that
// protocol says of a dump in a member "facts":
//   {"facts": {"timestamp": …, "system_info": {…}, "crashed": true, …},
//    "stacktraces": […], "modules": […]}
// Frames are return addresses, as that protocol has them, and no names: who answers looks those up.
// The thread that wrote the dump is left out, and so are modules without a debug id.
// A pure function.
// Format: docs/protocols/symbolicator.md
#pragma once

#include <string>

#include "analyze/report.h"

namespace analyze {

std::string traces_json(const Report& report);

}  // namespace analyze
