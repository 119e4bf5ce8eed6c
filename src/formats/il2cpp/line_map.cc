#include "formats/il2cpp/line_map.h"

#include <algorithm>

namespace il2cpp {
namespace {

constexpr std::string_view kSentinel = "__debug-id__";

// Takes JSON apart from its start; once something is not as expected, all that follows fails.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  bool take(char wanted) {
    skip_blanks();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // A text as it stands between its quotes; escapes are passed over, not undone.
  std::optional<std::string_view> take_text() {
    if (!take('"')) return std::nullopt;
    const std::size_t limit = std::min(rest_.size(), kNameSizeMax);
    for (std::size_t i = 0; i < limit; ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == '"') {
        const std::string_view text = rest_.substr(0, i);
        rest_.remove_prefix(i + 1);
        return text;
      }
    }
    return std::nullopt;
  }
  bool take_number() {
    skip_blanks();
    const auto end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    rest_.remove_prefix(end);
    return end != 0;
  }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }
  std::string_view rest_;
};

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "A.cs": {"12": 3
bool takes_lines(Cursor& cursor) {
  if (!cursor.take_text() || !cursor.take(':') || !cursor.take('{')) return false;
  const auto line = cursor.take_text();
  return line && is_number(*line) && cursor.take(':') && cursor.take_number();
}

// {"__debug-id__": {"ID": {}}, "a.cpp": {"A.cs": …, or without the first entry.
bool has_shape(std::string_view text) {
  Cursor cursor(text);
  if (!cursor.take('{')) return false;
  auto name = cursor.take_text();
  if (!name || !cursor.take(':') || !cursor.take('{')) return false;
  if (*name == kSentinel) {
    const bool taken = cursor.take_text() && cursor.take(':') && cursor.take('{') &&
                       cursor.take('}') && cursor.take('}') && cursor.take(',');
    if (!taken || !cursor.take_text() || !cursor.take(':') || !cursor.take('{')) return false;
  }
  return takes_lines(cursor);
}

}  // namespace

std::optional<LineMapHead> find_line_map_head(base::Bytes bytes) {
  std::string_view text = base::text_of(bytes);
  if (!has_shape(text)) return std::nullopt;
  LineMapHead head;
  // Entries are sorted, so it may stand anywhere; between quotes of its own it is no part of a
  // name.
  text = text.substr(0, kSearchSizeMax);
  constexpr std::string_view kEntry = "\"__debug-id__\":{\"";
  const auto at = text.find(kEntry);
  if (at == std::string_view::npos) return head;
  const auto end = text.find('"', at + kEntry.size());
  if (end == std::string_view::npos) return head;
  head.debug_id = text.substr(at + kEntry.size(), end - at - kEntry.size());
  return head;
}

}  // namespace il2cpp
