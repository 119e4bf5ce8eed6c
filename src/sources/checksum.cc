#include "sources/checksum.h"

#include <optional>
#include <string>

#include "base/digest.h"
#include "base/text.h"

namespace sources {
namespace {

std::optional<base::DigestKind> find_kind(std::string_view name) {
  if (name == "md5") return base::DigestKind::md5;
  if (name == "sha1") return base::DigestKind::sha1;
  if (name == "sha256") return base::DigestKind::sha256;
  return std::nullopt;
}

bool has_digest(std::string_view bytes, base::DigestKind kind, std::string_view hex) {
  return base::equal_ignoring_case(base::hex_digest_of(base::bytes_of(bytes), kind), hex);
}

std::string without_returns(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    out += text[i];
  }
  return out;
}

std::string with_returns(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

}  // namespace

Fit fit_of(std::string_view bytes, std::string_view checksum) {
  const auto colon = checksum.find(':');
  if (colon == std::string_view::npos) return Fit::unknown;
  const auto digest = find_kind(checksum.substr(0, colon));
  if (!digest) return Fit::unknown;
  const std::string_view hex = checksum.substr(colon + 1);
  if (has_digest(bytes, *digest, hex)) return Fit::yes;
  const std::string plain = without_returns(bytes);
  if (has_digest(plain, *digest, hex) || has_digest(with_returns(plain), *digest, hex)) {
    return Fit::yes;
  }
  return Fit::no;
}

}  // namespace sources
