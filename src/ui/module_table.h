// The modules of a processed report, each with the state of its symbols, and the commands that
// would bring what is missing. Reads "modules" (docs/formats/processed-json.md). Pure.
#pragma once

#include <string_view>

#include "base/json.h"
#include "ui/html.h"

namespace ui {

// `server_url` is this server as the reader sees it, for the commands.
void add_modules(Html& html, const base::JsonValue& modules, std::string_view server_url);

}  // namespace ui
