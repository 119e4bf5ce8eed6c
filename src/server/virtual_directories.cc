#include "server/virtual_directories.h"

#include <algorithm>

#include "api/symbols.h"
#include "base/text.h"
#include "ident/paths.h"
#include "ident/scope.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::size_t kDirectoriesMax = 100;
constexpr std::size_t kFileParts = 3;  // NAME/ID/FILE

// The parts of a path that are not empty.
std::vector<std::string_view> parts_of(std::string_view path) {
  std::vector<std::string_view> parts = base::split(path, '/');
  std::erase(parts, "");
  return parts;
}

// What there is below such a directory. Nothing else of ours has a second name: who locks a path up
// in front of us need not think of these.
bool is_of_a_store(std::string_view rest) {
  const std::vector<std::string_view> parts = parts_of(rest);
  if (parts.size() == 1) {
    return base::equal_ignoring_case(parts[0], "index2.txt") ||
           base::equal_ignoring_case(parts[0], "pingme.txt");
  }
  return parts.size() >= kFileParts && (!api::is_reserved(parts[0]) || parts[0] == "buildid");
}

Error wrong(std::string_view line, std::string_view why) {
  return {Fault::malformed,
          std::string("virtual_directories: ").append(line).append(": ").append(why)};
}

}  // namespace

Result<VirtualDirectories> VirtualDirectories::from(const std::vector<std::string>& items) {
  VirtualDirectories made;
  for (const std::string& line : items) {
    const std::size_t equals = std::min(line.find('='), line.size());
    const std::vector<std::string_view> parts = parts_of(std::string_view(line).substr(0, equals));
    if (parts.empty()) return wrong(line, "say NAME or NAME=PROJECT");
    if (api::is_reserved(parts[0])) return wrong(line, "that path is one of our own");
    Directory directory;
    for (const std::string_view part : parts) {
      if (!ident::is_allowed_name(part)) return wrong(line, "that cannot be part of a path");
      if (!directory.name.empty()) directory.name += '/';
      directory.name += base::lower_ascii(part);
    }
    directory.project = base::lower_ascii(line.substr(std::min(equals + 1, line.size())));
    if (!directory.project.empty() && !ident::is_project_name(directory.project)) {
      return wrong(line, "that is no project's name");
    }
    if (made.directories_.size() == kDirectoriesMax) return wrong(line, "these are too many");
    made.directories_.push_back(std::move(directory));
  }
  std::sort(made.directories_.begin(), made.directories_.end(),
            [](const Directory& a, const Directory& b) {
              return a.name.size() != b.name.size() ? a.name.size() > b.name.size()
                                                    : a.name < b.name;
            });
  const auto twice =
      std::adjacent_find(made.directories_.begin(), made.directories_.end(),
                         [](const Directory& a, const Directory& b) { return a.name == b.name; });
  if (twice != made.directories_.end()) return wrong(twice->name, "is named twice");
  return made;
}

std::vector<std::string> VirtualDirectories::projects() const {
  std::vector<std::string> projects;
  for (const Directory& directory : directories_) {
    if (!directory.project.empty()) projects.push_back(directory.project);
  }
  std::sort(projects.begin(), projects.end());
  projects.erase(std::unique(projects.begin(), projects.end()), projects.end());
  return projects;
}

std::optional<std::string> VirtualDirectories::find(std::string_view path) const {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  for (const Directory& directory : directories_) {
    if (path.size() <= directory.name.size() || path[directory.name.size()] != '/') continue;
    if (!base::equal_ignoring_case(path.substr(0, directory.name.size()), directory.name)) continue;
    const std::vector<std::string_view> parts = parts_of(path);
    if (parts.size() == kFileParts && base::equal_ignoring_case(parts[0], parts[2])) continue;
    std::string_view rest = path.substr(directory.name.size());
    rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
    if (!is_of_a_store(rest)) continue;
    std::string found = directory.project.empty() ? "/" : "/p/" + directory.project + "/";
    return found.append(rest);
  }
  return std::nullopt;
}

}  // namespace server
