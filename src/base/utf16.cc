#include "base/utf16.h"

#include "base/text.h"

namespace base {

std::optional<std::string> utf8_from_utf16(Bytes utf16, Endian endian) {
  if (utf16.size() % 2 != 0) return std::nullopt;
  std::string text;
  text.reserve(utf16.size() / 2);
  Reader reader(utf16, endian);
  while (!reader.at_end()) {
    const std::uint32_t unit = reader.u16();
    if (unit < 0xd800 || unit > 0xdfff) {
      append_utf8(text, unit);
      continue;
    }
    if (unit > 0xdbff || reader.at_end()) return std::nullopt;
    const std::uint32_t low = reader.u16();
    if (low < 0xdc00 || low > 0xdfff) return std::nullopt;
    append_utf8(text, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
  }
  return text;
}

}  // namespace base
