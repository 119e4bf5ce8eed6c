#include "ui/module_table.h"

#include <algorithm>
#include <string>
#include <vector>

#include "ui/layout.h"
#include "ui/stack_table.h"

namespace ui {
namespace {

using base::JsonValue;

constexpr std::size_t kHintsMax = 12;

enum class SymbolState : std::uint8_t { missing, corrupt, loaded, unused };

bool is_true(const JsonValue& value) { return value.boolean() != nullptr && *value.boolean(); }

SymbolState state_of(const JsonValue& module) {
  if (is_true(module["corrupt_symbols"])) return SymbolState::corrupt;
  if (is_true(module["missing_symbols"])) return SymbolState::missing;
  return is_true(module["loaded_symbols"]) ? SymbolState::loaded : SymbolState::unused;
}

void add_state(Html& html, SymbolState state) {
  switch (state) {
    case SymbolState::missing:
      return add_mark(html, "bad", "✕", "missing");
    case SymbolState::corrupt:
      return add_mark(html, "warn", "▲", "corrupt");
    case SymbolState::loaded:
      return add_mark(html, "good", "✓", "loaded");
    case SymbolState::unused:
      return add_mark(html, "plain", "–", "not needed");
  }
}

// What a shell takes as one word, however odd the name.
std::string shell_word(std::string_view name) {
  constexpr std::string_view kPlain = "-._+@/";
  const bool plain = std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPlain.find(c) != std::string_view::npos;
  });
  if (plain && !name.empty()) return std::string(name);
  std::string word = "'";
  for (const char c : name) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

void add_hints(Html& html, const std::vector<const JsonValue*>& missing,
               std::string_view server_url) {
  if (missing.empty()) return;
  html.open("div", {{"class", "hint"}});
  html.open("p").element("strong", "Symbols are missing.");
  html.text(
      " Upload the files with these debug ids; the report is then processed again by itself.");
  html.close();
  std::string commands;
  for (std::size_t i = 0; i < std::min(missing.size(), kHintsMax); ++i) {
    const JsonValue& module = *missing[i];
    const std::string_view file = module["debug_file"].text_or(module["filename"].text_or(""));
    commands += "faultline upload-symbols --url " + std::string(server_url) + " " +
                shell_word(file) + "   # " + std::string(module["debug_id"].text_or("")) + "\n";
  }
  html.element("pre", commands);
  if (missing.size() > kHintsMax) {
    html.open("p", {{"class", "quiet"}})
        .number(missing.size() - kHintsMax)
        .text(" more below.")
        .close();
  }
  html.close();
}

void add_row(Html& html, const JsonValue& module, SymbolState state) {
  html.open("tr");
  html.open("th", {{"scope", "row"}}).element("bdi", module["filename"].text_or("")).close();
  html.open("td");
  add_state(html, state);
  html.close();
  html.element("td", module["version"].text_or(""));
  html.open("td", {{"class", "code"}}).text(module["debug_id"].text_or(""));
  html.close();
  html.open("td", {{"class", "code"}}).text(module["code_id"].text_or("")).close();
  html.open("td", {{"class", "code"}});
  html.text(short_hex(module["base_addr"].text_or(""))).text("–");
  html.text(short_hex(module["end_addr"].text_or(""))).close();
  html.close();
}

using Rows = std::vector<std::pair<SymbolState, const JsonValue*>>;

// Those in these states, in this order; otherwise the dump's order stays. What no stack touches
// is folded away.
void add_table(Html& html, const Rows& rows, std::initializer_list<SymbolState> states,
               std::string_view caption) {
  const auto wanted = [&](const auto& row) {
    return std::find(states.begin(), states.end(), row.first) != states.end();
  };
  const auto count = std::count_if(rows.begin(), rows.end(), wanted);
  if (count == 0) return;
  const bool folded = *states.begin() == SymbolState::unused;
  if (folded) {
    html.open("details", {{"class", "more"}})
        .open("summary")
        .number(static_cast<std::uint64_t>(count));
    html.text(" more that no stack touches").close();
  }
  html.open("div",
            {{"class", "wide"}, {"role", "region"}, {"aria-label", caption}, {"tabindex", "0"}});
  html.open("table", {{"class", "modules"}});
  html.element("caption", {{"class", "unseen"}}, caption);
  html.markup(
      "<thead><tr><th scope=\"col\">Module</th><th scope=\"col\">Symbols</th><th "
      "scope=\"col\">Version</th><th scope=\"col\">Debug id</th><th scope=\"col\">Code id</th><th "
      "scope=\"col\">Addresses</th></tr></thead>");
  html.open("tbody");
  for (const SymbolState state : states) {
    for (const auto& [its_state, module] : rows) {
      if (its_state == state) add_row(html, *module, state);
    }
  }
  html.close().close().close();
  if (folded) html.close();
}

}  // namespace

void add_modules(Html& html, const JsonValue& modules, std::string_view server_url) {
  Rows rows;
  std::vector<const JsonValue*> missing;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const JsonValue& module = modules.at(i);
    rows.emplace_back(state_of(module), &module);
    if (rows.back().first == SymbolState::missing) missing.push_back(&module);
  }
  add_hints(html, missing, server_url);
  add_table(html, rows, {SymbolState::missing, SymbolState::corrupt, SymbolState::loaded},
            "Modules that a stack touches");
  add_table(html, rows, {SymbolState::unused}, "Modules that no stack touches");
}

}  // namespace ui
