#include "ui/html.h"

#include "base/assert.h"
#include "base/text.h"

namespace ui {
namespace {

// The code point of a well-formed sequence of `length` bytes.
std::uint32_t code_point_of(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  std::uint32_t code = sequence.size() == 1   ? byte(0)
                       : sequence.size() == 2 ? byte(0) & 0x1fu
                       : sequence.size() == 3 ? byte(0) & 0x0fu
                                              : byte(0) & 0x07u;
  for (std::size_t i = 1; i < sequence.size(); ++i) code = code << 6 | (byte(i) & 0x3fu);
  return code;
}

// Invisible, or able to reorder what is around it.
bool is_treacherous(std::uint32_t code) {
  if (code == '\n' || code == '\t' || code == '\r') return false;
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c || code == 0x200e ||
         code == 0x200f || (code >= 0x202a && code <= 0x202e) ||
         (code >= 0x2066 && code <= 0x2069) || code == 0xfeff || code == 0x200b;
}

void append_visible(std::string& out, std::uint32_t code) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  out += "[U+";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[code >> shift & 0xf];
  out += ']';
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = base::utf8_length_at(text, at);
    if (length == 0) {
      out += "\xef\xbf\xbd";
      ++at;
      continue;
    }
    const std::string_view sequence = text.substr(at, length);
    at += length;
    switch (sequence[0]) {
      case '<':
        out += "&lt;";
        continue;
      case '>':
        out += "&gt;";
        continue;
      case '&':
        out += "&amp;";
        continue;
      case '"':
        out += "&quot;";
        continue;
      case '\'':
        out += "&#39;";
        continue;
      default:
        break;
    }
    const std::uint32_t code = code_point_of(sequence);
    if (is_treacherous(code)) {
      append_visible(out, code);
    } else {
      out += sequence;
    }
  }
}

void Html::open_tag(Literal tag, Attributes attributes) {
  out_ += '<';
  out_ += tag.view();
  for (const Attribute& attribute : attributes) {
    out_ += ' ';
    out_ += attribute.name.view();
    out_ += "=\"";
    append_escaped(out_, attribute.value);
    out_ += '"';
  }
  out_ += '>';
}

Html& Html::open(Literal tag, Attributes attributes) {
  open_tag(tag, attributes);
  open_.push_back(tag.view());
  return *this;
}

Html& Html::close() {
  ASSERT(!open_.empty());
  out_ += "</";
  out_ += open_.back();
  out_ += '>';
  open_.pop_back();
  return *this;
}

Html& Html::text(std::string_view text) {
  append_escaped(out_, text);
  return *this;
}

Html& Html::number(std::uint64_t value) {
  out_ += std::to_string(value);
  return *this;
}

Html& Html::element(Literal tag, Attributes attributes, std::string_view content) {
  return open(tag, attributes).text(content).close();
}

Html& Html::leaf(Literal tag, Attributes attributes) {
  open_tag(tag, attributes);
  return *this;
}

Html& Html::markup(Literal markup) {
  out_ += markup.view();
  return *this;
}

std::string Html::take() {
  ASSERT(open_.empty());
  return std::move(out_);
}

std::string url_path(std::initializer_list<std::string_view> segments) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  static constexpr std::string_view kPlain = "-._~";
  std::string url;
  for (const std::string_view segment : segments) {
    url += '/';
    for (const char c : segment) {
      const auto byte = static_cast<unsigned char>(c);
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || kPlain.find(c) != std::string_view::npos;
      if (plain) {
        url += c;
      } else {
        url += '%';
        url += kDigits[byte >> 4];
        url += kDigits[byte & 0xf];
      }
    }
  }
  return url;
}

}  // namespace ui
