#include "upstream/file_filter.h"

#include <re2/re2.h>

#include <algorithm>

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

namespace {

using Expressions = std::vector<std::unique_ptr<re2::RE2>>;

Result<Expressions> compile(const std::vector<std::string>& patterns) {
  Expressions compiled;
  for (const std::string& pattern : patterns) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);  // names are bytes
    auto expression = std::make_unique<re2::RE2>(pattern, options);
    if (!expression->ok()) {
      return Error{Fault::malformed, "the pattern " + pattern + ": " + expression->error()};
    }
    compiled.push_back(std::move(expression));
  }
  return compiled;
}

bool any_matches(const Expressions& expressions, std::string_view name) {
  const re2::StringPiece text(name.data(), name.size());
  return std::any_of(expressions.begin(), expressions.end(), [&](const auto& expression) {
    return expression->Match(text, 0, text.size(), re2::RE2::ANCHOR_START, nullptr, 0);
  });
}

}  // namespace

struct FileFilter::Patterns {
  Expressions allow, deny;
};

FileFilter::FileFilter(std::unique_ptr<Patterns> patterns) : patterns_(std::move(patterns)) {}
FileFilter::FileFilter(FileFilter&&) noexcept = default;
FileFilter& FileFilter::operator=(FileFilter&&) noexcept = default;
FileFilter::~FileFilter() = default;

Result<FileFilter> FileFilter::make(const std::vector<std::string>& allow,
                                    const std::vector<std::string>& deny) {
  auto patterns = std::make_unique<Patterns>();
  patterns->allow = TRY(compile(allow));
  patterns->deny = TRY(compile(deny));
  return FileFilter(std::move(patterns));
}

bool FileFilter::allows(std::string_view name) const {
  return any_matches(patterns_->allow, name) && !any_matches(patterns_->deny, name);
}

}  // namespace upstream
