// /crashes/{id}: one crash, as one reads it at three in the morning. What happened and where
// stands first: reason, address, the crashing thread with its inlined calls. All else is folded
// or below.
#pragma once

#include <string>
#include <string_view>

#include "reports/report.h"
#include "ui/html.h"

namespace ui {

// `processed_json` is "" while the report waits, or when its dump could not be read.
std::string report_page(const reports::Report& report, std::string_view processed_json,
                        std::string_view server_url);

void add_state_mark(Html& html, const reports::Summary& report);

}  // namespace ui
