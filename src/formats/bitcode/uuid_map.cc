#include "formats/bitcode/uuid_map.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace bitcode {
namespace {

// What stands between `begin` and `end` from `at` on; `at` moves behind it. Nothing at the end.
std::optional<std::string_view> take_between(std::string_view text, std::string_view begin,
                                             std::string_view end, std::size_t& at) {
  const auto from = text.find(begin, at);
  if (from == std::string_view::npos) return std::nullopt;
  const auto to = text.find(end, from + begin.size());
  if (to == std::string_view::npos) return std::nullopt;
  at = to + end.size();
  return text.substr(from + begin.size(), to - from - begin.size());
}

std::string without_comments(std::string_view text) {
  std::string plain;
  for (;;) {
    const auto from = text.find("<!--");
    plain += text.substr(0, from);
    if (from == std::string_view::npos) return plain;
    const auto to = text.find("-->", from);
    if (to == std::string_view::npos) return plain;
    text.remove_prefix(to + 3);
  }
}

// 32 digits, dashes anywhere between them.
std::optional<UuidMap> map_of(std::string_view uuid) {
  std::string digits(base::trim(uuid));
  std::erase(digits, '-');
  const auto bytes = base::bytes_from_hex(digits);
  UuidMap map;
  if (!bytes || bytes->size() != map.original.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), map.original.begin());
  return map;
}

}  // namespace

std::optional<UuidMap> find_uuid_map(base::Bytes bytes) {
  std::string_view head = base::text_of(bytes);
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  const bool is_plist = head.starts_with("<?xml") || head.starts_with("<!DOCTYPE plist") ||
                        head.starts_with("<plist");
  if (!is_plist || head.size() > kUuidMapSizeMax) return std::nullopt;
  const std::string text = without_comments(head);
  std::size_t at = 0;
  while (const auto key = take_between(text, "<key>", "</key>", at)) {
    if (base::trim(*key) != "DBGOriginalUUID") continue;
    const auto value = text.find_first_not_of(" \t\r\n", at);
    if (value == std::string::npos) return std::nullopt;
    if (!std::string_view(text).substr(value).starts_with("<string>")) return std::nullopt;
    const auto uuid = take_between(text, "<string>", "</string>", at);
    return uuid ? map_of(*uuid) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace bitcode
