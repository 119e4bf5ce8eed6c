#include "symbolicate/undecorate.h"

#include "base/text.h"

namespace symbolicate {

std::string_view undecorated(std::string_view name) {
  if (name.starts_with('?') || name.find_first_of(":(<") != std::string_view::npos) return name;
  const std::size_t at = name.rfind('@');
  if (at == std::string_view::npos) {
    return name.starts_with('_') && name.size() > 1 ? name.substr(1) : name;
  }
  const auto size = base::parse_decimal(name.substr(at + 1));
  const std::string_view before = name.substr(0, at);
  if (!size || *size % 4 != 0 || before.size() < 2) return name;
  if (before.ends_with('@')) return before.substr(0, before.size() - 1);
  if (before.starts_with('_') || before.starts_with('@')) return before.substr(1);
  return name;
}

}  // namespace symbolicate
