#include "api/json_members.h"

#include <cstdint>

#include "base/text.h"

namespace api {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr int kDepthMax = 200;

// Walks over JSON text. Every skip_ moves past one thing, or fails and says so.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  std::size_t at() const { return at_; }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  std::string_view between(std::size_t from, std::size_t to) const {
    return text_.substr(from, to - from);
  }

  void skip_blanks() {
    while (!at_end() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }
  bool skip(char c) {
    if (peek() != c || at_end()) return false;
    ++at_;
    return true;
  }
  bool skip_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool skip_value(int depth) {
    skip_blanks();
    switch (peek()) {
      case '{':
        return skip_container('{', '}', depth);
      case '[':
        return skip_container('[', ']', depth);
      case '"':
        return skip_string(nullptr);
      case 't':
        return skip_word("true");
      case 'f':
        return skip_word("false");
      case 'n':
        return skip_word("null");
      default:
        return skip_number();
    }
  }

  // Decodes into `out` when it is given.
  bool skip_string(std::string* out) {
    if (!skip('"')) return false;
    while (!at_end()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        if (out != nullptr) *out += c;
      } else if (!skip_escape(out)) {
        return false;
      }
    }
    return false;
  }

 private:
  bool skip_container(char open, char close, int depth) {
    if (depth >= kDepthMax || !skip(open)) return false;
    skip_blanks();
    if (skip(close)) return true;
    for (;;) {
      skip_blanks();
      if (open == '{') {
        if (!skip_string(nullptr)) return false;
        skip_blanks();
        if (!skip(':')) return false;
      }
      if (!skip_value(depth + 1)) return false;
      skip_blanks();
      if (skip(close)) return true;
      if (!skip(',')) return false;
    }
  }

  bool skip_digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ != start;
  }

  bool skip_number() {
    skip('-');
    if (peek() == '0') {
      ++at_;
    } else if (!skip_digits()) {
      return false;
    }
    if (skip('.') && !skip_digits()) return false;
    if (peek() == 'e' || peek() == 'E') {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      return skip_digits();
    }
    return true;
  }

  bool skip_hex4(std::uint32_t& unit) {
    const auto number = base::parse_hex(text_.substr(at_, 4));
    if (!number || text_.size() - at_ < 4) return false;
    unit = static_cast<std::uint32_t>(*number);
    at_ += 4;
    return true;
  }

  bool skip_escape(std::string* out) {
    constexpr std::string_view kLetters = "\"\\/bfnrt", kPlain = "\"\\/\b\f\n\r\t";
    if (at_end()) return false;
    const char letter = text_[at_++];
    if (const auto found = kLetters.find(letter); found != std::string_view::npos) {
      if (out != nullptr) *out += kPlain[found];
      return true;
    }
    std::uint32_t unit = 0;
    if (letter != 'u' || !skip_hex4(unit)) return false;
    if (unit >= 0xd800 && unit < 0xdc00 && text_.substr(at_, 2) == "\\u") {
      const std::size_t back = at_;
      std::uint32_t low = 0;
      at_ += 2;
      if (!skip_hex4(low)) return false;
      if (low >= 0xdc00 && low < 0xe000) {
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
      } else {
        at_ = back;  // an escape of its own
      }
    }
    if (unit >= 0xd800 && unit < 0xe000) unit = 0xfffd;
    if (out != nullptr) base::append_utf8(*out, unit);
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool is_json(std::string_view text) {
  Walker walker(text);
  if (!walker.skip_value(0)) return false;
  walker.skip_blanks();
  return walker.at_end();
}

}  // namespace

Result<std::vector<JsonMember>> split_json_object(std::string_view text) {
  if (!base::is_utf8(text) || !is_json(text)) {
    return Error{Fault::malformed, "the annotations are no JSON document"};
  }
  // From here on the text is known to be well-formed.
  Walker walker(text);
  walker.skip_blanks();
  if (!walker.skip('{')) return Error{Fault::unsupported, "the annotations are no JSON object"};
  std::vector<JsonMember> members;
  for (walker.skip_blanks(); !walker.skip('}'); walker.skip_blanks()) {
    walker.skip(',');
    walker.skip_blanks();
    JsonMember member;
    walker.skip_string(&member.name);
    walker.skip_blanks();
    walker.skip(':');
    walker.skip_blanks();
    if (walker.peek() == '"') {
      walker.skip_string(&member.value);
    } else {
      const std::size_t start = walker.at();
      walker.skip_value(1);
      member.value = walker.between(start, walker.at());
    }
    members.push_back(std::move(member));
  }
  return members;
}

}  // namespace api
