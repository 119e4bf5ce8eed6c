// Paths of source files as compilers write them, made comparable: `.`, `..` and doubled slashes
// folded, as debuginfod does; Windows paths without case and with forward slashes.
// Text only: no file system is asked, so links are not followed.
// Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace sources {

// "C:\x", "\\server\x", or a relative path with backslashes only.
bool is_windows_path(std::string_view path);

// Two spellings of one path give one text. ".." above the root of an absolute path is dropped.
std::string canonical(std::string_view path);

// "/a/b" is beneath "/a" and "/a/b", not beneath "/a/bc". REQUIRES: both canonical.
bool is_beneath(std::string_view path, std::string_view directory);

}  // namespace sources
