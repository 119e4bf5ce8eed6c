#include "ui/assets.h"

#include <array>

#include "base/sha256.h"

extern "C" {
extern const char faultline_style_begin[], faultline_style_end[];
extern const char faultline_script_begin[], faultline_script_end[];
extern const char faultline_icon_begin[], faultline_icon_end[];
}

namespace ui {
namespace {

constexpr std::string_view kPrefix = "/static/";

Asset make(std::string_view stem, std::string_view suffix, std::string_view type, const char* begin,
           const char* end) {
  const std::string_view bytes(begin, static_cast<std::size_t>(end - begin));
  std::string url(kPrefix);
  url += stem;
  url += '-' + base::sha256_of(base::bytes_of(bytes)).hex().substr(0, 12);
  url += suffix;
  return {std::move(url), type, bytes};
}

const std::array<Asset, 3>& all() {
  static const std::array<Asset, 3> assets = {
      make("style", ".css", "text/css; charset=utf-8", faultline_style_begin, faultline_style_end),
      make("app", ".js", "text/javascript; charset=utf-8", faultline_script_begin,
           faultline_script_end),
      make("icon", ".svg", "image/svg+xml", faultline_icon_begin, faultline_icon_end)};
  return assets;
}

}  // namespace

const Asset& style_asset() { return all()[0]; }
const Asset& script_asset() { return all()[1]; }
const Asset& icon_asset() { return all()[2]; }

const Asset* find_asset(std::string_view name) {
  for (const Asset& asset : all()) {
    if (std::string_view(asset.url).substr(kPrefix.size()) == name) return &asset;
  }
  return nullptr;
}

}  // namespace ui
