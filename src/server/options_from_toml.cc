// TOML → settings. The only file that sees toml++.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <sstream>

#include "server/options.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

std::string place_of(const toml::node& node, const std::string& file_name) {
  return file_name + ":" + std::to_string(node.source().begin.line);
}

Result<void> add_settings(const toml::table& table, const std::string& prefix,
                          const std::string& file_name, std::vector<Setting>& settings) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string(name.str());
    const std::string place = place_of(node, file_name);
    if (const toml::table* inner = node.as_table()) {
      TRY(add_settings(*inner, key + ".", file_name, settings));
    } else if (const auto* text = node.as_string()) {
      settings.push_back({key, text->get(), place});
    } else if (const auto* number = node.as_integer()) {
      settings.push_back({key, std::to_string(number->get()), place});
    } else {
      return Error{Fault::malformed, place + ": " + key + " is neither a text nor a whole number"};
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Setting>> settings_from_toml(std::string_view text,
                                                const std::string& file_name) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    return Error{Fault::malformed,
                 file_name + ":" + std::to_string(parsed.error().source().begin.line) + ": " +
                     std::string(parsed.error().description())};
  }
  std::vector<Setting> settings;
  TRY(add_settings(parsed.table(), "", file_name, settings));
  return settings;
}

}  // namespace server
