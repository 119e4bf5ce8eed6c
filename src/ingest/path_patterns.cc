#include "ingest/path_patterns.h"

namespace ingest {

using base::Error;
using base::Fault;
using base::Result;

Result<std::unique_ptr<PathPatterns>> PathPatterns::compile(const std::string& include,
                                                            const std::string& exclude) {
  auto patterns = std::make_unique<PathPatterns>();
  for (const auto& [text, slot] :
       {std::pair(&include, &patterns->include_), std::pair(&exclude, &patterns->exclude_)}) {
    if (text->empty()) continue;
    slot->emplace();
    if (::regcomp(&**slot, text->c_str(), REG_EXTENDED | REG_NOSUB) != 0) {
      slot->reset();
      return Error{Fault::malformed, "\"" + *text + "\" is no regular expression"};
    }
  }
  return patterns;
}

PathPatterns::~PathPatterns() {
  if (include_) ::regfree(&*include_);
  if (exclude_) ::regfree(&*exclude_);
}

bool PathPatterns::wants(const std::string& path) const {
  const auto matches = [&](const regex_t& regex) {
    return ::regexec(&regex, path.c_str(), 0, nullptr, 0) == 0;
  };
  return (!include_ || matches(*include_)) && (!exclude_ || !matches(*exclude_));
}

}  // namespace ingest
