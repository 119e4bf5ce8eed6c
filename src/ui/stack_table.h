// The frames of one thread as a table: inlined calls first, innermost on top, as they ran.
// Reads the "frames" of a processed report (docs/formats/processed-json.md). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "ui/html.h"

namespace ui {

// `caption` names the table for those who do not see it.
void add_stack(Html& html, const base::JsonValue& thread, std::string_view caption);

// Threads with equal keys stand at the same places: "32 threads waiting here".
std::string stack_key(const base::JsonValue& thread);

// One line for a folded thread: the first function that has a name, else the first place.
std::string top_of_stack(const base::JsonValue& thread);

// "0x00007f0012345678" → "0x7f0012345678".
std::string short_hex(std::string_view hex);

}  // namespace ui
