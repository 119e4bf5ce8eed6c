// A regular expression of an operator, anchored at the start of the name but not at its end, as
// Python's re.match is. Names are bytes. RE2 runs it, in time linear in the name; what RE2 refuses
// (look-around, references back to a group) runs under PCRE2, and is given up after so many steps.
// Immutable; any thread. compile() fails with malformed and names the pattern.
// Why two: docs/decisions/regular-expressions.md
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace upstream {

enum class Match : unsigned char {
  no,
  yes,
  unknown,  // given up
};

class Pattern {
 public:
  static base::Result<Pattern> compile(const std::string& text);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  Match match(std::string_view name) const;

  class Engine;

 private:
  explicit Pattern(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

// The two behind it: one file each, so that each library has one.
class Pattern::Engine {
 public:
  virtual ~Engine() = default;
  virtual Match match(std::string_view name) const = 0;
};
base::Result<std::unique_ptr<Pattern::Engine>> pattern_with_re2(const std::string& text);
base::Result<std::unique_ptr<Pattern::Engine>> pattern_with_pcre2(const std::string& text);

}  // namespace upstream
