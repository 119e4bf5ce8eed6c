// One log for the whole program: a line has a time, a level and a text, on stderr, and in a
// file if the operator wants one; for people, or as JSON for what collects logs.
// Any thread may log. Not for what a command prints as its result, and never for secrets.
// Messages are built with fmt; spdlog stands behind log.cc and nowhere else.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "base/result.h"

namespace base::log {

enum class Level : unsigned char { debug, info, warning, error, off };

enum class Format : unsigned char {
  text,  // 2025-01-31T12:00:00.000Z info a text
  json   // {"time":"2025-01-31T12:00:00.000Z","level":"info","message":"a text"}
};

// What a line says beside its text: name=value, in JSON a member each.
struct Field {
  enum class Kind : unsigned char { text, word, number };  // a text stands in quotation marks
  std::string_view name;
  Kind kind = Kind::word;
  std::string value;
};

void set_level(Level level);
void set_format(Format format);  // REQUIRES: no other threads yet
bool enabled(Level level);
void write(Level level, std::string_view text);  // if that level is enabled
void write(Level level, std::string_view event, const std::vector<Field>& fields);

// What stands behind the level in either format. Texts are made one line of valid UTF-8.
std::string text_of(std::string_view event, const std::vector<Field>& fields);
// The members from "message" on, without the braces. REQUIRES: numbers are numbers in JSON.
std::string json_members_of(std::string_view event, const std::vector<Field>& fields);

// From now on lines go to this file as well, which is appended to. When a line would make it
// larger than `size_max` it becomes FILE.1, that one FILE.2 and so on up to `count`, the names that
// Python's RotatingFileHandler gives. With a size or count of 0 it grows without end.
// REQUIRES: no other threads yet. Fails with what the disk says; later trouble with the file costs
// its lines and nothing else.
struct LogFile {
  std::string path;
  std::uint64_t size_max = 0;
  std::uint64_t count = 0;
};
Result<void> add_file(const LogFile& file);
// Those that there may be, the one that is written first.
std::vector<std::string> paths_of(const LogFile& file);
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
