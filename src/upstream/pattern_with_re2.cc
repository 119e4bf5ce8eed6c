#include <re2/re2.h>

#include "upstream/pattern.h"

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

namespace {

class Re2Engine : public Pattern::Engine {
 public:
  explicit Re2Engine(std::unique_ptr<re2::RE2> expression) : expression_(std::move(expression)) {}

  Match match(std::string_view name) const override {
    const re2::StringPiece text(name.data(), name.size());
    return expression_->Match(text, 0, text.size(), re2::RE2::ANCHOR_START, nullptr, 0) ? Match::yes
                                                                                        : Match::no;
  }

 private:
  const std::unique_ptr<re2::RE2> expression_;
};

}  // namespace

Result<std::unique_ptr<Pattern::Engine>> pattern_with_re2(const std::string& text) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(re2::RE2::Options::EncodingLatin1);  // names are bytes
  auto expression = std::make_unique<re2::RE2>(text, options);
  if (!expression->ok()) return Error{Fault::unsupported, expression->error()};
  return std::unique_ptr<Pattern::Engine>(std::make_unique<Re2Engine>(std::move(expression)));
}

}  // namespace upstream
