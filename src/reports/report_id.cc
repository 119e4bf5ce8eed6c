#include "reports/report_id.h"

#include <array>

#include "base/random.h"
#include "base/text.h"

namespace reports {

std::string make_report_id(base::Time received) {
  std::array<std::uint8_t, 16> bytes{};
  base::fill_random(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);  // RFC 4122
  std::string hex = base::hex_of(bytes);
  hex.replace(25, 7, "0" + base::yymmdd(received));
  for (const unsigned at : {20u, 16u, 12u, 8u}) hex.insert(at, 1, '-');
  return hex;
}

std::optional<std::string> parse_report_id(std::string_view text) {
  if (text.substr(0, 3) == "bp-") text.remove_prefix(3);
  if (text.size() != 36) return std::nullopt;
  std::string id = base::lower_ascii(text);
  for (std::size_t i = 0; i < id.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool digit = (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'a' && id[i] <= 'f');
    if (dash ? id[i] != '-' : !digit) return std::nullopt;
  }
  return id;
}

}  // namespace reports
