#include "symbolicate/source_context.h"

#include "base/text.h"

namespace symbolicate {
namespace {

// Symbolicator's own bounds, in characters there and in bytes here.
constexpr std::size_t kLineSizeMax = 150;
constexpr std::size_t kCutSize = 140;
constexpr std::string_view kCutMark = " {snip}";

std::string shown(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() <= kLineSizeMax) return base::to_valid_utf8(line);
  // Not in the middle of a character.
  std::size_t size = kCutSize;
  while (size > kCutSize - 4 && (static_cast<unsigned char>(line[size]) & 0xc0) == 0x80) --size;
  return base::to_valid_utf8(line.substr(0, size)).append(kCutMark);
}

// The next line of the text, without its end; nothing behind the last one.
std::optional<std::string_view> take_line(std::string_view& rest) {
  if (rest.empty()) return std::nullopt;
  const std::size_t end = rest.find('\n');
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return line;
}

}  // namespace

std::uint64_t SourceContext::memory_size() const {
  std::uint64_t size = sizeof(*this) + line.capacity();
  for (const std::string& one : before) size += sizeof(std::string) + one.capacity();
  for (const std::string& one : after) size += sizeof(std::string) + one.capacity();
  return size;
}

std::optional<SourceContext> find_source_context(std::string_view file, std::uint32_t line) {
  if (line == 0) return std::nullopt;
  SourceContext context;
  context.before.reserve(kSourceContextLines);
  context.after.reserve(kSourceContextLines);
  std::string_view rest = file;
  for (std::uint32_t number = 1; number < line; ++number) {
    const auto before = take_line(rest);
    if (!before) return std::nullopt;
    if (line - number <= kSourceContextLines) context.before.push_back(shown(*before));
  }
  const auto middle = take_line(rest);
  if (!middle) return std::nullopt;
  context.line = shown(*middle);
  while (context.after.size() < kSourceContextLines) {
    const auto after = take_line(rest);
    if (!after) break;
    context.after.push_back(shown(*after));
  }
  return context;
}

}  // namespace symbolicate
