// What every page shares: head, navigation, security headers, sizes and times as people read them.
// One thread per page; pure otherwise.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/fault.h"
#include "net/http.h"
#include "ui/html.h"

namespace ui {

enum class Section : std::uint8_t { crashes, symbols, status, settings, none };

struct PageHead {
  std::string title;
  Section section = Section::none;
  bool refresh = false;  // without script, the browser asks again in a few seconds
};

// The whole document around what `body` writes into <main>.
std::string page(const PageHead& head, const std::function<void(Html&)>& body);

// The page as an answer, with the headers that keep strangers' text from becoming code.
net::Answer page_answer(int status, std::string html);
net::Answer error_page(int status, std::string_view title, std::string_view what);

// <time datetime="…">2026-11-24 19:30:07</time>, UTC.
void add_time(Html& html, base::Time time);

// A state told by shape, word and colour: never by colour alone.
void add_mark(Html& html, std::string_view kind, std::string_view shape, std::string_view word);

}  // namespace ui
