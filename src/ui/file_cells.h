// Cells about a stored file that several pages have: what it is, and the keys that find it.
// Plain functions from values to text.
#pragma once

#include <cstdint>
#include <string>

#include "store/file_list.h"
#include "ui/html.h"

namespace ui {

void add_format_cell(Html& html, const store::FileRecord& file);
// Folded behind their number, or told at once.
enum class Keys : std::uint8_t { folded, open };
void add_keys_cell(Html& html, const store::FileKeys& keys, Keys shown);
// "default project, game (try builds)"
std::string projects_of(const store::FileKeys& keys);

}  // namespace ui
