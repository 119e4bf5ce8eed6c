// Builds HTML in which strangers' text cannot become markup: text and attribute values are
// escaped always, tags and attribute names can only be literals of ours.
//
//   Html html;
//   html.open("p", {{"class", "reason"}}).text(reason).close();
//   html.element("a", {{"href", url}}, name);
//
// Beyond <>&"': bytes that are not UTF-8 become U+FFFD; control characters and those that turn the
// direction of writing become visible, as [U+202E], since they can make a line lie.
// URLs are made with url_path(), so that "javascript:" cannot be one.
// One thread.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace ui {

// A text of our own source: only a literal converts to it.
class Literal {
 public:
  template <std::size_t N>
  consteval Literal(const char (&text)[N]) : text_(text, N - 1) {}  // NOLINT(*-explicit-*)
  std::string_view view() const { return text_; }

 private:
  std::string_view text_;
};

struct Attribute {
  Literal name;
  std::string_view value;
};
using Attributes = std::initializer_list<Attribute>;

class Html {
 public:
  Html& open(Literal tag, Attributes attributes = {});
  Html& close();
  Html& text(std::string_view text);
  Html& number(std::uint64_t value);
  Html& element(Literal tag, Attributes attributes, std::string_view text);
  Html& element(Literal tag, std::string_view text) { return element(tag, {}, text); }
  Html& leaf(Literal tag, Attributes attributes = {});  // <meta …>, without an end
  Html& markup(Literal markup);                         // ours, as it stands

  std::string take();  // REQUIRES: everything closed

 private:
  void open_tag(Literal tag, Attributes attributes);
  std::string out_;
  std::vector<std::string_view> open_;
};

// Appends `text` so that it is inert between tags and inside double quotes.
void append_escaped(std::string& out, std::string_view text);

// "/crashes/" + percent-encoded segments, joined by '/'.
std::string url_path(std::initializer_list<std::string_view> segments);

}  // namespace ui
