#include "server/toml_from_settings.h"

#include <fmt/format.h>

#include <map>

#include "base/text.h"

namespace server {

namespace {

constexpr std::string_view kUpstream = "upstream.";
constexpr std::string_view kShare = "unc.";

// A basic string of TOML.
std::string as_toml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append("\\") += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string list_of(std::string_view lines) {
  std::string out = "[";
  for (const std::string_view line : base::split(lines, '\n')) {
    if (out.size() > 1) out += ", ";
    out += as_toml(line);
  }
  return out + "]";
}

std::string value_as_toml(const Setting& setting) {
  if (takes_number(setting.key)) {
    // As others write it, it may begin with zeros, which TOML forbids.
    if (const auto number = base::parse_decimal(setting.value)) return std::to_string(*number);
  }
  const bool has_lines = setting.value.find('\n') != std::string::npos;
  return has_lines ? list_of(setting.value) : as_toml(setting.value);
}

// Table ("" for what stands in none) → name → value, both in the order of their names: servers have
// numbers, so a map with texts as keys would put the tenth before the second.
struct Tables {
  std::map<std::string, std::map<std::string, std::string>> named;
  std::map<std::uint64_t, std::map<std::string, std::string>> upstreams;
};

void add(Tables& tables, const Setting& setting) {
  const std::string& key = setting.key;
  if (key.starts_with(kShare)) {
    tables.named["unc"][as_toml(key.substr(kShare.size()))] = value_as_toml(setting);
    return;
  }
  if (key.starts_with(kUpstream)) {
    const std::size_t dot = key.find('.', kUpstream.size());
    const auto number = base::parse_decimal(key.substr(kUpstream.size(), dot - kUpstream.size()));
    tables.upstreams[number.value_or(0)][key.substr(dot + 1)] = value_as_toml(setting);
    return;
  }
  const std::size_t dot = key.find('.');
  const bool is_bare = dot == std::string::npos;
  tables.named[is_bare ? "" : key.substr(0, dot)][is_bare ? key : key.substr(dot + 1)] =
      value_as_toml(setting);
}

void append_lines(std::string& out, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values) {
    out.append(name).append(" = ").append(value).append("\n");
  }
}

}  // namespace

std::string toml_from_settings(const std::vector<Setting>& settings) {
  Tables tables;
  for (const Setting& setting : settings) add(tables, setting);
  std::string out;
  for (const auto& [name, values] : tables.named) {
    if (!name.empty()) out += "\n[" + name + "]\n";
    append_lines(out, values);
  }
  for (const auto& [number, values] : tables.upstreams) {
    out += "\n[[upstream]]\n";
    append_lines(out, values);
  }
  return out;
}

}  // namespace server
