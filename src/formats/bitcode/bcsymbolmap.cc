#include "formats/bitcode/bcsymbolmap.h"

#include <algorithm>

#include "base/text.h"

namespace bitcode {

std::optional<SymbolMapHead> find_symbol_map_head(base::Bytes bytes) {
  constexpr std::string_view kMagic = "BCSymbolMap Version:";
  std::string_view text = base::text_of(bytes);
  if (!text.starts_with(kMagic)) return std::nullopt;
  text.remove_prefix(kMagic.size());
  text = text.substr(0, kVersionSizeMax);
  const std::string_view version = base::trim(text.substr(0, text.find('\n')));
  const bool is_number =
      !version.empty() && std::all_of(version.begin(), version.end(),
                                      [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  if (!is_number) return std::nullopt;
  return SymbolMapHead{version};
}

}  // namespace bitcode
