#include "sources/path.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace sources {
namespace {

bool has_drive(std::string_view path) {
  if (path.size() < 3 || path[1] != ':' || (path[2] != '\\' && path[2] != '/')) return false;
  return (path[0] >= 'a' && path[0] <= 'z') || (path[0] >= 'A' && path[0] <= 'Z');
}

// Folds the segments behind the root.
std::string folded(std::string_view root, std::string_view rest) {
  std::vector<std::string_view> kept;
  for (const std::string_view part : base::split(rest, '/')) {
    if (part.empty() || part == ".") continue;
    if (part != "..") {
      kept.push_back(part);
    } else if (!kept.empty() && kept.back() != "..") {
      kept.pop_back();
    } else if (root.empty()) {
      kept.push_back(part);
    }
  }
  std::string path(root);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i != 0) path += '/';
    path += kept[i];
  }
  return path;
}

}  // namespace

bool is_windows_path(std::string_view path) {
  if (has_drive(path) || path.starts_with("\\\\")) return true;
  return path.find('\\') != std::string_view::npos && path.find('/') == std::string_view::npos;
}

std::string canonical(std::string_view path) {
  if (!is_windows_path(path)) {
    const bool absolute = path.starts_with('/');
    return folded(absolute ? "/" : "", path);
  }
  std::string text = base::lower_ascii(path);
  std::replace(text.begin(), text.end(), '\\', '/');
  if (has_drive(text)) return folded(text.substr(0, 3), std::string_view(text).substr(3));
  if (text.starts_with("//")) return folded("//", std::string_view(text).substr(2));
  return folded(text.starts_with('/') ? "/" : "", text);
}

bool is_beneath(std::string_view path, std::string_view directory) {
  if (!path.starts_with(directory)) return false;
  return path.size() == directory.size() || directory.ends_with('/') ||
         path[directory.size()] == '/';
}

}  // namespace sources
