// What the operator's pages share: their head and links to each other, tables, paging, and words
// that several of them use.
// One thread per page; pure otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "ui/html.h"

namespace ui {

enum class SettingsPart : std::uint8_t {
  overview,
  projects,
  tokens,
  uploads,
  files,
  upstreams,
  storage
};

// The whole document; `body` writes what comes below the heading and the links.
std::string settings_page(SettingsPart part, std::string_view title,
                          const std::function<void(Html&)>& body);

// A table up to its rows, and its end. A name that begins with '#' is of a column of numbers.
void open_listing(Html& html, Literal label, std::initializer_list<Literal> columns);
void close_listing(Html& html);

void add_cell(Html& html, std::string_view text);        // strangers' text
void add_long_cell(Html& html, std::string_view text);   // may be cut anywhere to fit
void add_number_cell(Html& html, std::uint64_t number);  // "1234"
void add_quiet(Html& html, std::string_view text);       // a paragraph that explains
void add_note(Html& html, std::string_view text);        // what came of a button; "": nothing
void add_fact(Html& html, Literal name, std::string_view value);  // of a <dl class="facts">

// Links to the first and to the next page; "" where there is none.
void add_paging(Html& html, const std::string& first_url, const std::string& next_url);
// "41 in all, page 1 of 3", with links to the neighbours: `url` and "?page=N".
void add_numbered_paging(Html& html, const std::string& url, std::uint64_t total,
                         std::uint64_t page, std::uint64_t page_size);

// One of a <select>.
void add_option(Html& html, std::string_view value, std::string_view text, bool is_chosen = false);

std::string project_text(std::string_view project);  // "default project" for ""
std::string count_text(std::uint64_t count, std::string_view one, std::string_view many);

}  // namespace ui
