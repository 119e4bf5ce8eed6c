#include "api/for_strangers.h"

#include <string_view>

#include "base/log.h"

namespace api {
namespace {

// "/data/x.idx" at the beginning of a word; in a URL, a relative path or a fraction it stands
// within one.
bool names_path(std::string_view text) {
  for (std::size_t at = 0; (at = text.find('/', at)) != std::string_view::npos; ++at) {
    const bool begins =
        at == 0 || std::string_view(" \t\n'\"(=").find(text[at - 1]) != std::string_view::npos;
    const bool goes_on = at + 1 < text.size() && text[at + 1] != ' ' && text[at + 1] != '/';
    if (begins && goes_on) return true;
  }
  return false;
}

}  // namespace

base::Error for_strangers(const base::Error& error) {
  if (!names_path(error.what)) return error;
  base::log::write(base::log::level_of(base::policy_of(error.fault).loudness), error.what);
  return {error.fault, "a file of this server cannot be used now"};
}

}  // namespace api
