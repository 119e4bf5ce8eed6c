// Paths as programs on Windows were told them. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace server {

// \\server\share, //server/share, C:\directory: where that is on this machine only [unc] can say.
bool is_of_windows(std::string_view path);

// Relative paths begin at `directory`, which is absolute, and have slashes of either kind. Those of
// Windows' shares and drives are left as they are.
std::string absolute_path(std::string_view given, const std::string& directory);

}  // namespace server
