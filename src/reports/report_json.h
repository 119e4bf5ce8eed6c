// Reports as JSON documents: what the REST interface answers and `faultline report` reads.
// Keys stay, new ones may come. Pure; the text is always valid JSON and UTF-8: bytes that are not
// become U+FFFD, and an annotation has them in "value_hex" as well.
// Format: docs/protocols/reports-api.md
#pragma once

#include <string>
#include <string_view>

#include "reports/archive.h"

namespace reports {

// {"reports": [summary…], "next": "/api/v1/reports?before=…" or null}
std::string page_as_json(const Page& page, std::int64_t limit);

// Summary, annotations, files, notes, and "processed": the document of that name, or null when
// `processed_json` is empty.
std::string report_as_json(const Report& report, std::string_view processed_json);

}  // namespace reports
