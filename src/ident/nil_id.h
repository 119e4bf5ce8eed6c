// The id of zeros by which tools ask for a module that has none. Nobody else's file is that one.
#pragma once

#include <string_view>

namespace ident {

// GUID and age, as a path spells them.
inline bool is_nil_id(std::string_view id) {
  constexpr std::size_t kGuidDigits = 32;
  return id.size() >= kGuidDigits && id.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace ident
