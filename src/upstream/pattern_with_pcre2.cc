#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <atomic>

#include "base/log.h"
#include "upstream/pattern.h"

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// Per name and pattern. Lists in use need some hundred steps; this many take a few milliseconds.
constexpr std::uint32_t kStepsMax = 100'000;
constexpr std::uint32_t kDepthMax = 10'000;
constexpr std::uint32_t kHeapKibMax = 4'096;
constexpr std::size_t kPatternMax = 16'384;

std::string text_of(int error) {
  std::array<PCRE2_UCHAR, 256> text{};
  if (pcre2_get_error_message(error, text.data(), text.size()) < 0) return std::to_string(error);
  return reinterpret_cast<const char*>(text.data());
}

PCRE2_SPTR units_of(std::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

class Pcre2Engine : public Pattern::Engine {
 public:
  explicit Pcre2Engine(const std::string& text)
      : text_(text), limits_(pcre2_match_context_create(nullptr)) {}
  ~Pcre2Engine() override {
    pcre2_code_free(code_);
    pcre2_match_context_free(limits_);
  }
  Pcre2Engine(const Pcre2Engine&) = delete;
  Pcre2Engine& operator=(const Pcre2Engine&) = delete;

  Result<void> compile() {
    if (text_.size() > kPatternMax) return Error{Fault::too_large, "is too long"};
    int error = 0;
    PCRE2_SIZE at = 0;
    // A pattern may not switch to UTF-8: then a name that is none would be an error.
    code_ = pcre2_compile(units_of(text_), text_.size(),
                          PCRE2_ANCHORED | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP, &error, &at, nullptr);
    if (code_ == nullptr) {
      return Error{Fault::malformed, text_of(error) + ", at " + std::to_string(at)};
    }
    if (limits_ == nullptr) return Error{Fault::internal, "there is no memory"};
    pcre2_set_match_limit(limits_, kStepsMax);
    pcre2_set_depth_limit(limits_, kDepthMax);
    pcre2_set_heap_limit(limits_, kHeapKibMax);
    return {};
  }

  Match match(std::string_view name) const override {
    pcre2_match_data* const found = pcre2_match_data_create(1, nullptr);
    if (found == nullptr) return Match::unknown;
    const int end = pcre2_match(code_, units_of(name), name.size(), 0, 0, found, limits_);
    pcre2_match_data_free(found);
    if (end >= 0) return Match::yes;
    if (end == PCRE2_ERROR_NOMATCH) return Match::no;
    if (!has_given_up_.exchange(true)) {
      base::log::warning("the pattern {} is given up for some names, which are not asked for: {}",
                         text_, text_of(end));
    }
    return Match::unknown;
  }

 private:
  const std::string text_;
  pcre2_match_context* const limits_;
  pcre2_code* code_ = nullptr;
  mutable std::atomic<bool> has_given_up_ = false;
};

}  // namespace

Result<std::unique_ptr<Pattern::Engine>> pattern_with_pcre2(const std::string& text) {
  auto engine = std::make_unique<Pcre2Engine>(text);
  TRY(engine->compile());
  return std::unique_ptr<Pattern::Engine>(std::move(engine));
}

}  // namespace upstream
