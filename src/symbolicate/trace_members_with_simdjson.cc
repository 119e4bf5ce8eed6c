#include "symbolicate/trace_members_with_simdjson.h"

#include <fmt/format.h>

namespace symbolicate {

using base::Error;
using base::Fault;
using base::Result;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

Error wrong(std::string_view where, std::string_view expected) {
  return {Fault::unsupported, fmt::format("{}: expected {}", where, expected)};
}

// The member, unless it is absent or null.
std::optional<element> find_member(const object& members, std::string_view name) {
  element value;
  if (members.at_key(name).get(value) || value.is_null()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> find_number(element value) {
  std::string_view text;
  if (!value.get(text)) return find_trace_number(text);
  std::uint64_t number = 0;
  if (value.get(number)) return std::nullopt;
  return number;
}

Result<void> read_text(const object& members, std::string_view name, std::string_view where,
                       std::string& out) {
  const auto value = find_member(members, name);
  if (!value) return {};
  std::string_view text;
  if (value->get(text)) return wrong(fmt::format("{}.{}", where, name), "a string");
  out = text;
  return {};
}

Result<void> read_text(const object& members, std::string_view name, std::string_view where,
                       std::optional<std::string>& out) {
  if (!find_member(members, name)) return {};
  out.emplace();
  return read_text(members, name, where, *out);
}

Result<void> read_flag(const object& members, std::string_view name, std::string_view where,
                       std::optional<bool>& out) {
  const auto value = find_member(members, name);
  if (!value) return {};
  bool flag = false;
  if (value->get(flag)) return wrong(fmt::format("{}.{}", where, name), "a boolean");
  out = flag;
  return {};
}

Result<void> read_number(const object& members, std::string_view name, std::string_view where,
                         std::optional<std::uint64_t>& out) {
  const auto value = find_member(members, name);
  if (!value) return {};
  out = find_number(*value);
  if (!out) return wrong(fmt::format("{}.{}", where, name), "an integer, or a hex string");
  return {};
}

Result<void> read_texts(const object& members, std::string_view name, std::string_view where,
                        std::vector<std::string>& out) {
  const auto value = find_member(members, name);
  if (!value) return {};
  array list;
  if (value->get(list)) return wrong(fmt::format("{}.{}", where, name), "a list of strings");
  if (list.size() > kTraceListMax) {
    return wrong(fmt::format("{}.{}", where, name),
                 fmt::format("at most {} strings", kTraceListMax));
  }
  for (const element entry : list) {
    std::string_view text;
    if (entry.get(text)) return wrong(fmt::format("{}.{}", where, name), "a list of strings");
    out.emplace_back(text);
  }
  return {};
}

}  // namespace symbolicate
