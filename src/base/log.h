// One log for the whole program: a line has a time, a level and a text, on stderr.
// Any thread may log. Not for what a command prints as its result, and never for secrets.
// Messages are built with fmt; spdlog stands behind log.cc and nowhere else.
#pragma once

#include <fmt/core.h>

#include <string_view>

#include "base/fault.h"

namespace base::log {

enum class Level : unsigned char { debug, info, warning, error, off };

void set_level(Level level);
bool enabled(Level level);
void write(Level level, std::string_view text);  // if that level is enabled
Level level_of(Loudness loudness);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::debug)) write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::info)) write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::warning)) {
    write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <class... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::error)) write(Level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace base::log
