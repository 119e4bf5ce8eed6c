#include "formats/srcsrv/source_link.h"

#include <algorithm>
#include <tuple>

#include "base/json.h"
#include "base/text.h"

namespace srcsrv {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// "../../other-repository" in the part behind '*' would leave the place that the rule names.
bool leaves_its_place(std::string_view rest) {
  std::string_view left = rest;
  while (!left.empty()) {
    const auto end = std::min(left.find_first_of("\\/"), left.size());
    if (left.substr(0, end) == "..") return true;
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return false;
}

}  // namespace

Result<SourceLink> SourceLink::parse(std::string_view json) {
  if (json.size() > kMaxTextSize) return Error{Fault::too_large, "Source Link: over 64 MiB"};
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (json.starts_with(kByteOrderMark)) json.remove_prefix(kByteOrderMark.size());
  const base::JsonValue value = TRY(base::JsonValue::parse(json));
  const base::JsonValue& list = value["documents"];
  const auto* documents = list.object();
  if (documents == nullptr) {
    return Error{Fault::malformed, "Source Link: no object \"documents\""};
  }
  if (documents->size() > kMaxRules) {
    return Error{Fault::too_large, "Source Link: more than 100000 rules"};
  }
  SourceLink map;
  for (const auto& [path, target] : *documents) {
    const std::string* url = target.string();
    if (url == nullptr || path.empty()) continue;
    const auto star = path.find('*');
    const auto url_stars = std::count(url->begin(), url->end(), '*');
    // One star at most, at the very end of the path; the URL has one exactly if the path has.
    if (star == std::string::npos) {
      if (url_stars == 0) map.exact_.push_back({base::lower_ascii(path), *url});
    } else if (star + 1 == path.size() && url_stars == 1) {
      map.prefixes_.push_back({base::lower_ascii(path.substr(0, star)), *url});
    }
  }
  std::sort(map.exact_.begin(), map.exact_.end(), [](const Rule& a, const Rule& b) {
    return std::tie(a.path, a.url) < std::tie(b.path, b.url);
  });
  std::sort(map.prefixes_.begin(), map.prefixes_.end(), [](const Rule& a, const Rule& b) {
    if (a.path.size() != b.path.size()) return a.path.size() > b.path.size();
    return std::tie(a.path, a.url) < std::tie(b.path, b.url);
  });
  return map;
}

std::optional<Location> SourceLink::find(std::string_view path) const {
  const std::string lower = base::lower_ascii(path);
  const auto exact =
      std::lower_bound(exact_.begin(), exact_.end(), lower,
                       [](const Rule& rule, const std::string& text) { return rule.path < text; });
  std::string url;
  if (exact != exact_.end() && exact->path == lower) {
    url = exact->url;
  } else {
    const auto rule = std::find_if(prefixes_.begin(), prefixes_.end(),
                                   [&](const Rule& one) { return lower.starts_with(one.path); });
    if (rule == prefixes_.end()) return std::nullopt;
    const std::string_view rest = path.substr(rule->path.size());
    if (leaves_its_place(rest)) return std::nullopt;
    url = rule->url;
    url.replace(url.find('*'), 1, escaped_path(rest));
  }
  if (!is_web_url(url)) return std::nullopt;
  return location_of(std::move(url));
}

}  // namespace srcsrv
