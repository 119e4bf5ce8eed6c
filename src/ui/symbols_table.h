// The table of symbols: a row for each file name, columns that sort by links in their heads, a
// filter, pages.
// Plain functions from values to text.
#pragma once

#include <string>

#include "ui/html.h"
#include "ui/symbols_page.h"

namespace ui {

void add_symbols_table(Html& html, const SymbolsPage& shown);

// The page's own address with that view.
std::string symbols_url(const statistics::SymbolView& view, bool shows_servers);

// "12 (80%)"
std::string with_share(std::int64_t count, std::int64_t of);
std::int64_t percent_of(std::int64_t count, std::int64_t of);
std::string seconds_text(std::int64_t us);  // "3.2 s"

}  // namespace ui
