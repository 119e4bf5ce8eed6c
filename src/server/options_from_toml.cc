// TOML → settings. The only file that sees toml++.
#include <algorithm>
#include <stdexcept>

// toml++ 3.3 asserts where some broken files lead it ("[[[" at the start of a line). A wrong
// configuration is no reason to abort: the assertion becomes an exception, caught below.
#define TOML_ASSERT(condition) \
  ((condition) ? static_cast<void>(0) : throw std::logic_error("broken syntax"))
#define TOML_EXCEPTIONS 1
#define TOML_HEADER_ONLY 1
#ifndef __clang__  // g++ rightly says that some of these are inside noexcept functions
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wterminate"
#endif
#include <toml++/toml.h>
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

#include "server/options.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

std::string place_of(const toml::node& node, const std::string& file_name) {
  return file_name + ":" + std::to_string(node.source().begin.line);
}

bool is_texts(const toml::array& list) {
  return std::all_of(list.begin(), list.end(), [](const toml::node& node) {
    return node.is_string() && node.as_string()->get().find('\n') == std::string::npos;
  });
}

// A list is one text with a line for each item.
std::string joined(const toml::array& list) {
  std::string text;
  for (const toml::node& node : list) {
    if (!text.empty()) text += '\n';
    text += node.as_string()->get();
  }
  return text;
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
    } else if (const auto* list = node.as_array(); list != nullptr && is_texts(*list)) {
      settings.push_back({key, joined(*list), place});
    } else if (list != nullptr && list->is_array_of_tables()) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        std::string inner = key;
        inner.append(".").append(std::to_string(i)).append(".");
        TRY(add_settings(*list->get(i)->as_table(), inner, file_name, settings));
      }
    } else {
      std::string what = place;
      what.append(": ").append(key).append(
          " is neither a text, a list of texts nor a whole number");
      return Error{Fault::malformed, std::move(what)};
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Setting>> settings_from_toml(std::string_view text,
                                                const std::string& file_name) {
  toml::table parsed;
  try {
    parsed = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return Error{Fault::malformed, file_name + ":" + std::to_string(error.source().begin.line) +
                                       ": " + std::string(error.description())};
  } catch (const std::exception& error) {
    return Error{Fault::malformed, file_name + ": " + error.what()};
  }
  std::vector<Setting> settings;
  TRY(add_settings(parsed, "", file_name, settings));
  return settings;
}

}  // namespace server
