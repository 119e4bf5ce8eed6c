#include "upstream/file_filter.h"

#include <algorithm>

namespace upstream {

using base::Result;

namespace {

Result<std::vector<Pattern>> compile(const std::vector<std::string>& texts) {
  std::vector<Pattern> patterns;
  patterns.reserve(texts.size());
  for (const std::string& text : texts) {
    Pattern pattern = TRY(Pattern::compile(text));
    patterns.push_back(std::move(pattern));
  }
  return patterns;
}

}  // namespace

Result<FileFilter> FileFilter::make(const std::vector<std::string>& allow,
                                    const std::vector<std::string>& deny) {
  FileFilter filter;
  filter.allow_ = TRY(compile(allow));
  filter.deny_ = TRY(compile(deny));
  filter.allowed_ = allow;
  filter.denied_ = deny;
  return filter;
}

bool FileFilter::allows(std::string_view name) const {
  return std::any_of(allow_.begin(), allow_.end(),
                     [&](const Pattern& one) { return one.match(name) == Match::yes; }) &&
         std::all_of(deny_.begin(), deny_.end(),
                     [&](const Pattern& one) { return one.match(name) == Match::no; });
}

}  // namespace upstream
