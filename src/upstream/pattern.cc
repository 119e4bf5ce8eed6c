#include "upstream/pattern.h"

#include <utility>

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

Pattern::Pattern(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(const std::string& text) {
  auto engine = pattern_with_re2(text);
  if (!engine.ok()) engine = pattern_with_pcre2(text);
  if (!engine.ok()) {
    return Error{Fault::malformed, "the pattern " + text + ": " + engine.error().what};
  }
  return Pattern(std::move(*engine));
}

Match Pattern::match(std::string_view name) const { return engine_->match(name); }

}  // namespace upstream
