#include "ident/scope.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace ident {
namespace {

constexpr std::size_t kProjectSizeMax = 64;
constexpr std::size_t kTokenSizeMax = 256;
// Prefixes of clients that ask for everybody's files: "proxy" is Symbolicator's, the products are
// Tecken's oldest paths.
constexpr std::array<std::string_view, 10> kPlainPrefixes{
    "symbols", "symbols.",    "proxy",     "firefox", "seamonkey",
    "sunbird", "thunderbird", "xulrunner", "fennec",  "b2g"};
constexpr std::size_t kFilePartsMin = 3;  // NAME/ID/FILE

bool is_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
  });
}

void skip_slashes(std::string_view& path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
}

// Takes the first part off, with the slashes around it.
std::string_view take_part(std::string_view& path) {
  skip_slashes(path);
  const std::string_view part = path.substr(0, path.find('/'));
  path.remove_prefix(part.size());
  skip_slashes(path);
  return part;
}

bool has_parts(std::string_view path, std::size_t count) {
  for (; count > 0; --count) {
    if (take_part(path).empty()) return false;
  }
  return true;
}

// "ab/cdef…" with an ending: a tree of ids, where a path has two parts only.
bool is_id_path(std::string_view path) {
  constexpr std::size_t kDigitsMin = 6;
  const auto is_digit = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  const std::string_view first = take_part(path);
  const auto digits = std::find_if_not(path.begin(), path.end(), is_digit) - path.begin();
  return first.size() == 2 && std::all_of(first.begin(), first.end(), is_digit) &&
         static_cast<std::size_t>(digits) >= kDigitsMin;
}

}  // namespace

bool is_project_name(std::string_view name) {
  return !name.empty() && name.size() <= kProjectSizeMax && name[0] != '.' && is_word(name) &&
         name.find('~') == std::string_view::npos;
}

std::optional<ScopedPath> split_scope(std::string_view path) {
  ScopedPath found;
  skip_slashes(path);
  std::string_view after = path;
  if (take_part(after) == "p") {
    const std::string_view project = take_part(after);
    if (!is_project_name(project)) return std::nullopt;
    found.scope.project = base::lower_ascii(project);
    path = after;
    if (take_part(after) == "t") {
      found.token = take_part(after);
      const bool sound = !found.token.empty() && found.token.size() <= kTokenSizeMax;
      if (!sound || !is_word(found.token)) return std::nullopt;
      path = after;
    }
  }
  after = path;
  const std::string_view first = take_part(after);
  const bool is_try = first == "try";
  const bool is_plain =
      std::find(kPlainPrefixes.begin(), kPlainPrefixes.end(), first) != kPlainPrefixes.end();
  if ((is_try || is_plain) && (has_parts(after, kFilePartsMin) || is_id_path(after))) {
    found.scope.include_try = is_try;
    path = after;
  }
  found.rest = path;
  return found;
}

std::string without_token(std::string_view path) {
  std::string_view rest = path;
  if (take_part(rest) != "p") return std::string(path);
  take_part(rest);  // the project
  if (take_part(rest) != "t" || rest.empty()) return std::string(path);
  std::string text(path.substr(0, path.size() - rest.size()));
  take_part(rest);
  return text.append("***/").append(rest);
}

}  // namespace ident
