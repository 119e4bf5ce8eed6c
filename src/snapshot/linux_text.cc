#include "snapshot/linux_text.h"

#include <algorithm>

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

// Two hex numbers apart by a separator; what follows a second separator is nobody's.
struct HexPair {
  std::uint64_t first = 0, second = 0;
};
std::optional<HexPair> find_hex_pair(std::string_view text, char separator) {
  const std::vector<std::string_view> parts = base::split(text, separator);
  if (parts.size() < 2) return std::nullopt;
  const auto first = base::parse_hex(parts[0]);
  const auto second = base::parse_hex(parts[1]);
  if (!first || !second) return std::nullopt;
  return HexPair{*first, *second};
}

// "[stack:123]", as kernels before 4.5 named a thread's stack: the number must be one.
bool is_odd_stack_name(std::string_view file) {
  if (!file.starts_with("[stack:")) return false;
  const std::string_view rest = file.substr(7);
  if (!rest.ends_with(']')) return true;
  const auto number = base::parse_decimal(rest.substr(0, rest.size() - 1));
  return !number || *number > 0xffffffff;
}

// "55c0d000-55c0e000 rw-p 00001000 08:01 1234    /usr/bin/x". An anonymous mapping ends in the
// kernel's blank; a line that lost it was edited by somebody, and is odd.
std::optional<MemoryInfo> find_mapping(std::string_view line) {
  if (!base::is_utf8(line)) return std::nullopt;
  const auto range_text = cut_field(line);
  const auto permissions = range_text ? cut_field(line) : std::nullopt;
  const auto offset = permissions ? cut_field(line) : std::nullopt;
  const auto device_text = offset ? cut_field(line) : std::nullopt;
  const auto inode = device_text ? cut_field(line) : std::nullopt;
  if (!inode) return std::nullopt;
  const auto range = find_hex_pair(*range_text, '-');
  const auto device = find_hex_pair(*device_text, ':');
  if (!range || !device || !base::parse_hex(*offset) || !base::parse_decimal(*inode)) {
    return std::nullopt;
  }
  if (device->first > 0x7fffffff || device->second > 0x7fffffff) return std::nullopt;
  MemoryInfo info;
  info.base = {range->first};
  info.size = range->second >= range->first ? range->second - range->first : 0;
  info.readable = permissions->find('r') != std::string_view::npos;
  info.writable = permissions->find('w') != std::string_view::npos;
  info.executable = permissions->find('x') != std::string_view::npos;
  info.shared = permissions->find('s') != std::string_view::npos;
  info.file = base::trim(line);
  if (is_odd_stack_name(info.file)) return std::nullopt;
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
  while (!line.empty()) {
    const std::size_t gap = std::min(line.find("  "), line.size());
    const std::string_view column = base::trim(line.substr(0, gap));
    if (!column.empty()) columns.emplace_back(column);
    line.remove_prefix(std::min(gap + 2, line.size()));
  }
  return columns;
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
    std::vector<std::string> columns = columns_of(line);
    if (columns.size() < 3) continue;
    if (columns.size() == 3) columns.emplace_back("n/a");  // a priority has no unit
    rows.push_back({columns[0], columns[1], columns[2], columns[3]});
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
