// Mozilla's `.extra` file beside a dump (`--evil-json`): the annotations that matter to a report.
// Reads ModuleSignatureInfo (certificate → names of the modules it signed; an object, or a text
// that holds one) and CPUMicrocodeVersion ("0x…"). Other keys are of no concern here.
// Pure; any thread. malformed when the text is no JSON object; an odd value is left out.
#pragma once

#include <string_view>

#include "analyze/report.h"
#include "base/result.h"

namespace analyze {

base::Result<Extra> extra_from_json(std::string_view text);

}  // namespace analyze
