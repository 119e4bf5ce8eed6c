#include "ui/stack_table.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "ui/layout.h"

namespace ui {
namespace {

using base::JsonValue;

// Up to here a name stays on one line where there is room.
constexpr std::size_t kShortName = 40;
constexpr std::size_t kFramesShownMax = 1000;  // endless recursion

struct Trust {
  std::string_view name, shape, word;
};
// From certain to guessed: the shape opens as the trust goes.
constexpr Trust kTrusts[] = {
    {"context", "●", "context"},         {"cfi", "◆", "CFI"},
    {"prewalked", "◆", "walked before"}, {"frame_pointer", "◈", "frame pointer"},
    {"cfi_scan", "◇", "CFI scan"},       {"scan", "○", "scan"},
};

void add_trust(Html& html, std::string_view name) {
  for (const Trust& trust : kTrusts) {
    if (trust.name == name) {
      return add_mark(html, name == "scan" || name == "cfi_scan" ? "guess" : "plain", trust.shape,
                      trust.word);
    }
  }
  add_mark(html, "guess", "?", "unknown");
}

// "hg:host/repo:path:revision", as symbol files of mapped sources say it: the path.
std::string_view path_in_repository(std::string_view file) {
  const auto parts = base::split(file, ':');
  return parts.size() == 4 && parts[0].size() > 1 ? parts[2] : file;
}

// Where the part of a path begins that is shown: two folders and the name.
std::size_t shown_from(std::string_view path) {
  std::size_t cut = path.size() - base::basename_of(path).size();
  for (int i = 0; i < 3 && cut > 0; ++i) {
    const auto slash = path.find_last_of("/\\", cut - 1);
    cut = slash == std::string_view::npos ? 0 : slash;
  }
  return cut;
}

std::size_t shown_length(std::string_view file) {
  const std::string_view path = path_in_repository(file);
  return path.size() - shown_from(path);
}

// The last two folders dimmed, name and line plain: that is what one reads. All of it is in the
// title, and in the processed JSON.
void add_source(Html& html, const JsonValue& place) {
  html.open("td", {{"class", shown_length(place["file"].text_or("")) <= kShortName ? "source short"
                                                                                   : "source"}});
  if (const std::string* file = place["file"].string()) {
    const std::string_view path = path_in_repository(*file);
    const std::string_view name = base::basename_of(path);
    const std::size_t cut = shown_from(path);
    const std::string_view folders = path.substr(cut, path.size() - name.size() - cut);
    html.open("bdi", {{"title", *file}}).open("span", {{"class", "folder"}});
    if (cut > 0) html.text("…");
    html.text(folders).close();
    html.text(name);
    if (place["line"].integer() != nullptr || place["line"].unsigned_integer() != nullptr) {
      html.text(":").text(std::to_string(place["line"].integer_or(0)));
    }
    html.close();
  }
  html.close();
}

void add_function(Html& html, std::string_view name) {
  html.open("td", {{"class", "function"}}).element("bdi", name);
}

void add_inline_row(Html& html, const JsonValue& inlined, std::string_view number) {
  html.open("tr", {{"class", "inlined"}});
  html.element("th", {{"scope", "row"}}, number);
  add_function(html, inlined["function"].text_or("unknown"));
  html.close();
  add_source(html, inlined);
  html.open("td", {{"class", "place"}}).close();
  html.open("td", {{"class", "trust"}});
  add_mark(html, "inline", "↳", "inlined");
  html.close().close();
}

void add_place(Html& html, const JsonValue& frame) {
  html.open("td", {{"class",
                    frame["module"].text_or("").size() <= kShortName ? "place short" : "place"}});
  const std::string address(frame["offset"].text_or(""));
  if (const std::string* module = frame["module"].string()) {
    html.open("bdi", {{"title", address}}).text(*module);
    html.element("span", {{"class", "folder"}},
                 "+" + short_hex(frame["module_offset"].text_or("0x0")));
    html.close();
  } else {
    const JsonValue& unloaded = frame["unloaded_modules"].at(0);
    if (unloaded["module"].string() != nullptr) {
      html.element("bdi", base::basename_of(unloaded["module"].text_or(""))).text(" (unloaded)");
    } else {
      html.text(short_hex(address));
    }
  }
  html.close();
}

void add_frame(Html& html, const JsonValue& frame) {
  const JsonValue& inlines = frame["inlines"];
  const std::string number = std::to_string(frame["frame"].integer_or(0));
  for (std::size_t i = 0; i < inlines.size(); ++i) add_inline_row(html, inlines.at(i), number);

  const bool named = frame["function"].string() != nullptr;
  const std::string_view trust = frame["trust"].text_or("");
  html.open("tr", {{"class", named ? (trust == "scan" ? "scanned" : "frame") : "nameless"}});
  html.element("th", {{"scope", "row"}}, number);
  if (named) {
    add_function(html, frame["function"].text_or(""));
  } else {
    html.open("td", {{"class", "function"}});
    html.element("span", {{"class", "folder"}},
                 frame["module"].string() != nullptr ? "no symbols" : "outside every module");
  }
  html.close();
  add_source(html, frame);
  add_place(html, frame);
  html.open("td", {{"class", "trust"}});
  add_trust(html, trust);
  html.close().close();
}

}  // namespace

std::string short_hex(std::string_view hex) {
  if (hex.substr(0, 2) != "0x") return std::string(hex);
  const auto digits = hex.find_first_not_of('0', 2);
  return "0x" + std::string(digits == std::string_view::npos ? "0" : hex.substr(digits));
}

void add_stack(Html& html, const JsonValue& thread, std::string_view caption) {
  const JsonValue& frames = thread["frames"];
  if (frames.size() == 0) {
    html.element("p", {{"class", "quiet"}}, "This thread has no frames.");
    return;
  }
  html.open("div",
            {{"class", "wide"}, {"role", "region"}, {"aria-label", caption}, {"tabindex", "0"}});
  html.open("table", {{"class", "stack"}});
  html.element("caption", {{"class", "unseen"}}, caption);
  html.markup(
      "<thead><tr><th scope=\"col\">#</th><th scope=\"col\">Function</th><th "
      "scope=\"col\">Source</th><th scope=\"col\">Module</th><th scope=\"col\">Found "
      "by</th></tr></thead>");
  html.open("tbody");
  for (std::size_t i = 0; i < std::min(frames.size(), kFramesShownMax); ++i) {
    add_frame(html, frames.at(i));
  }
  html.close().close().close();
  if (frames.size() > kFramesShownMax) {
    html.open("p", {{"class", "quiet"}}).number(frames.size() - kFramesShownMax);
    html.text(" more frames are in the processed JSON.").close();
  }
}

std::string stack_key(const JsonValue& thread) {
  std::string key;
  for (std::size_t i = 0; i < thread["frames"].size(); ++i) {
    const JsonValue& frame = thread["frames"].at(i);
    key += frame["module"].text_or("");
    key += frame["module_offset"].text_or(frame["offset"].text_or(""));
    key += '\n';
  }
  return key;
}

std::string top_of_stack(const JsonValue& thread) {
  const JsonValue& frames = thread["frames"];
  for (std::size_t i = 0; i < std::min<std::size_t>(frames.size(), 20); ++i) {
    const JsonValue& frame = frames.at(i);
    if (const std::string* name = frame["inlines"].at(0)["function"].string()) return *name;
    if (const std::string* name = frame["function"].string()) return *name;
  }
  if (frames.size() == 0) return "no frames";
  const JsonValue& first = frames.at(0);
  const std::string* module = first["module"].string();
  if (module == nullptr) return short_hex(first["offset"].text_or(""));
  return *module + "+" + short_hex(first["module_offset"].text_or("0x0"));
}

}  // namespace ui
