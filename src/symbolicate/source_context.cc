#include "symbolicate/source_context.h"

#include "base/assert.h"
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

// `rest` begins with line `number`, which is not behind `line`.
std::optional<SourceContext> context_of(std::string_view rest, std::uint32_t number,
                                        std::uint32_t line) {
  SourceContext context;
  context.before.reserve(line - number);
  context.after.reserve(kSourceContextLines);
  for (; number < line; ++number) {
    const auto before = take_line(rest);
    if (!before) return std::nullopt;
    context.before.push_back(shown(*before));
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

}  // namespace

std::uint64_t SourceContext::memory_size() const {
  std::uint64_t size = sizeof(*this) + line.capacity();
  for (const std::string& one : before) size += sizeof(std::string) + one.capacity();
  for (const std::string& one : after) size += sizeof(std::string) + one.capacity();
  return size;
}

std::vector<std::optional<SourceContext>> find_source_contexts(
    std::string_view file, const std::vector<std::uint32_t>& lines) {
  std::vector<std::optional<SourceContext>> contexts;
  contexts.reserve(lines.size());
  std::string_view rest = file;  // from the first line that is shown
  std::uint32_t number = 1;
  std::uint32_t last = 0;
  for (const std::uint32_t line : lines) {
    ASSERT(line >= last);
    last = line;
    while (number + kSourceContextLines < line && take_line(rest)) ++number;
    const bool is_there = line != 0 && line - number <= kSourceContextLines;
    contexts.push_back(is_there ? context_of(rest, number, line) : std::nullopt);
  }
  return contexts;
}

}  // namespace symbolicate
