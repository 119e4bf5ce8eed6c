// /crashes: the reports, newest first.
#pragma once

#include <string>
#include <string_view>

#include "reports/archive.h"

namespace ui {

// `server_url` for the first steps, shown while there is no report.
std::string crash_list_page(const reports::Page& page, std::string_view server_url);

}  // namespace ui
