// Styles, script and icon, bundled by esbuild at build time and embedded in the program.
// Their URLs carry the content's hash, so clients may keep them for ever.
// Immutable; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ui {

struct Asset {
  std::string url;  // "/static/style-1f2e3d4c5b.css"
  std::string_view content_type;
  std::string_view bytes;
};

const Asset& style_asset();
const Asset& script_asset();
const Asset& icon_asset();

// By the part of the URL after "/static/".
const Asset* find_asset(std::string_view name);

}  // namespace ui
