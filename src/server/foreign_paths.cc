#include "server/foreign_paths.h"

#include <algorithm>
#include <filesystem>

namespace server {

bool is_of_windows(std::string_view path) {
  const bool has_drive = path.size() > 1 && path[1] == ':';
  return has_drive || path.starts_with("\\\\") || path.starts_with("//");
}

std::string absolute_path(std::string_view given, const std::string& directory) {
  if (is_of_windows(given)) return std::string(given);
  std::string path(given);
  std::replace(path.begin(), path.end(), '\\', '/');
  std::string normal = (std::filesystem::path(directory) / path).lexically_normal().string();
  while (normal.size() > 1 && normal.ends_with('/')) normal.pop_back();
  return normal;
}

}  // namespace server
