#include "snapshot/linux_text.h"

#include <charconv>

#include "base/text.h"

namespace snapshot {

namespace {

// Lines without their newline; the empty piece after a last newline is no line.
std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines = base::split(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// "KEY<separator>VALUE" with blanks around either; nothing without a separator.
struct Pair {
  std::string_view key, value;
};
std::optional<Pair> find_pair(std::string_view line, char separator) {
  const std::size_t at = line.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return Pair{base::trim(line.substr(0, at)), base::trim(line.substr(at + 1))};
}

// Cuts the part up to the next blank off the front; nothing when there is no blank.
std::optional<std::string_view> cut_field(std::string_view& rest) {
  const std::size_t blank = rest.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const std::string_view field = rest.substr(0, blank);
  rest.remove_prefix(blank + 1);
  return field;
}

// "55c0d000-55c0e000 rw-p 00001000 08:01 1234    /usr/bin/x". An anonymous mapping ends in the
// kernel's blank; a line that lost it was edited by somebody, and is odd.
std::optional<MemoryInfo> find_mapping(std::string_view line) {
  const auto range = cut_field(line);
  const auto permissions = range ? cut_field(line) : std::nullopt;
  const auto offset = permissions ? cut_field(line) : std::nullopt;
  const auto device = offset ? cut_field(line) : std::nullopt;
  const auto inode = device ? cut_field(line) : std::nullopt;
  if (!inode) return std::nullopt;
  const std::size_t dash = range->find('-');
  const std::size_t colon = device->find(':');
  if (dash == std::string_view::npos || colon == std::string_view::npos) return std::nullopt;
  const auto begin = base::parse_hex(range->substr(0, dash));
  const auto end = base::parse_hex(range->substr(dash + 1));
  const bool numbers = begin && end && base::parse_hex(*offset) && base::parse_decimal(*inode) &&
                       base::parse_hex(device->substr(0, colon)) &&
                       base::parse_hex(device->substr(colon + 1));
  if (!numbers) return std::nullopt;
  MemoryInfo info;
  info.base = {*begin};
  info.size = *end >= *begin ? *end - *begin : 0;
  info.readable = permissions->find('r') != std::string_view::npos;
  info.writable = permissions->find('w') != std::string_view::npos;
  info.executable = permissions->find('x') != std::string_view::npos;
  info.shared = permissions->find('s') != std::string_view::npos;
  info.file = base::trim(line);
  return info;
}

}  // namespace

std::optional<std::vector<MemoryInfo>> find_maps(std::string_view maps) {
  std::vector<MemoryInfo> mappings;
  for (const std::string_view line : lines_of(maps)) {
    auto mapping = find_mapping(line);
    if (!mapping) return std::nullopt;
    mappings.push_back(std::move(*mapping));
  }
  return mappings;
}

std::map<std::string, std::string> lsb_release_of(std::string_view text) {
  std::map<std::string, std::string> release{
      {"codename", ""}, {"description", ""}, {"id", ""}, {"release", ""}};
  for (const std::string_view line : lines_of(text)) {
    auto pair = find_pair(line, '=');
    if (!pair) continue;
    auto& [key, value] = *pair;
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
      value = value.substr(1, value.size() - 2);
    }
    if (key == "DISTRIB_ID" || key == "ID") release["id"] = value;
    if (key == "DISTRIB_RELEASE" || key == "VERSION_ID") release["release"] = value;
    if (key == "DISTRIB_CODENAME" || key == "VERSION_CODENAME") release["codename"] = value;
    if (key == "DISTRIB_DESCRIPTION" || key == "PRETTY_NAME") release["description"] = value;
  }
  return release;
}

namespace {

// Columns are apart by two blanks or more, since names and units have single ones.
std::vector<std::string> columns_of(std::string_view line) {
  std::vector<std::string> columns;
  std::size_t start = 0;
  while (true) {
    const std::size_t gap = line.find("  ", start);
    columns.emplace_back(line.substr(start, gap == std::string_view::npos ? gap : gap - start));
    if (gap == std::string_view::npos) return columns;
    start = line.find_first_not_of(' ', gap);
    if (start == std::string_view::npos) start = line.size();
  }
}

}  // namespace

std::vector<ProcLimit> proc_limits_of(std::string_view limits) {
  std::vector<ProcLimit> rows;
  bool seen_header = false;
  for (const std::string_view line : lines_of(limits)) {
    if (base::trim(line).empty()) continue;
    if (!seen_header) {
      seen_header = true;
      continue;
    }
    const std::vector<std::string> columns = columns_of(line);
    const auto column = [&](std::size_t i) { return i < columns.size() ? columns[i] : ""; };
    rows.push_back({column(0), column(1), column(2), columns.size() > 3 ? columns[3] : "n/a"});
  }
  return rows;
}

std::uint32_t pid_of_status(std::string_view status) {
  for (const std::string_view line : lines_of(status)) {
    const auto pair = find_pair(line, ':');
    if (!pair || pair->key != "Pid") continue;
    const auto number = base::parse_decimal(pair->value);
    return number && *number <= 0xffffffff ? static_cast<std::uint32_t>(*number) : 0;
  }
  return 0;
}

}  // namespace snapshot
