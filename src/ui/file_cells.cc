#include "ui/file_cells.h"

#include <set>

#include "ui/layout.h"
#include "ui/settings_parts.h"

namespace ui {
namespace {

void add_key(Html& html, const store::ScopedKey& key) {
  html.open("li").text(ident::name_of(key.record.key.kind)).text(" ");
  html.open("code").element("bdi", key.record.key.id).close();
  if (!key.record.key.name.empty()) {
    html.text(" as ").element("bdi", key.record.key.name);
  }
  if (!key.record.verified) html.text(", not verified: only its path says so");
  if (!key.project.empty()) html.text(", project ").element("bdi", key.project);
  if (key.record.is_try) html.text(", of a try build");
  html.close();
}

void add_list(Html& html, const store::FileKeys& keys) {
  html.open("ul", {{"class", "keys"}});
  for (const store::ScopedKey& key : keys.keys) add_key(html, key);
  if (keys.all > keys.keys.size()) {
    html.element("li", "and " + std::to_string(keys.all - keys.keys.size()) + " more");
  }
  html.close();
}

}  // namespace

void add_format_cell(Html& html, const store::FileRecord& file) {
  html.open("td").element("bdi", file.format.empty() ? "not readable for us" : file.format);
  if (!file.os.empty()) html.text(", ").element("bdi", file.os);
  if (!file.arch.empty()) html.text(", ").element("bdi", file.arch);
  std::string holds;
  if (file.has_code) holds += ", code";
  if (file.has_debug) holds += ", debug information";
  if (file.has_symbols) holds += ", symbol table";
  html.text(holds).close();
}

void add_keys_cell(Html& html, const store::FileKeys& keys, Keys shown) {
  html.open("td", {{"class", "long"}});
  if (keys.all == 0) {
    html.text("none: nobody can ask for it");
  } else if (shown == Keys::open) {
    add_list(html, keys);
  } else {
    html.open("details").element("summary", count_text(keys.all, "key", "keys"));
    add_list(html, keys);
    html.close();
  }
  html.close();
}

std::string projects_of(const store::FileKeys& keys) {
  std::set<std::string> names;
  for (const store::ScopedKey& key : keys.keys) {
    names.insert(project_text(key.project) + (key.record.is_try ? " (try builds)" : ""));
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace ui
