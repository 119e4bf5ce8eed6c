#include "symbolicate/shared_frames.h"

#include "base/sha256.h"

namespace symbolicate {
namespace {

constexpr std::size_t kKeyMax = 250;  // memcached's

bool stays(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         c == '.' || c == '-';
}

// As Python's quote_plus().
void append_coded(std::string& out, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (stays(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
}

}  // namespace

std::string frame_key(const AskedModule& module, const AskedFrame& frame,
                      std::string_view content) {
  std::string key;
  append_coded(key, module.name);
  key += '/';
  append_coded(key, module.id);
  key += frame.is_negative ? "/-" : "/";
  key += std::to_string(frame.offset);
  if (!content.empty()) key.append("/").append(content);
  if (key.size() <= kKeyMax) return key;
  return "sha256/" + base::sha256_of(base::bytes_of(key)).hex();
}

std::optional<std::string_view> nearest_name(const symbols::Map& map, const AskedFrame& frame) {
  if (frame.is_negative) return std::nullopt;
  auto name = map.find_nearest_name(base::Rva{frame.offset});
  if (name) name->remove_suffix(name->size() - (name->find_last_not_of(' ') + 1));
  if (name && name->empty()) return std::nullopt;
  return name;
}

std::optional<std::string> frame_text(const symbols::Map& map, const AskedModule& module,
                                      const AskedFrame& frame) {
  const auto name = nearest_name(map, frame);
  if (!name) return std::nullopt;
  std::string text(*name);
  return text.append(" (in ").append(module.name).append(")");
}

}  // namespace symbolicate
