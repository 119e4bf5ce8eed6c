#include "api/home.h"

#include "api/clients.h"
#include "base/file.h"

namespace api {

using base::Error;
using base::Fault;
using net::Answer;

namespace {

constexpr std::size_t kPageMax = 1 << 20;

}  // namespace

base::Result<Home> make_home(const HomeOptions& options) {
  std::string page;
  if (!options.html_file.empty()) {
    page = TRY(base::read_file(options.html_file));
    if (page.size() > kPageMax) {
      return Error{Fault::too_large, options.html_file + " is larger than 1 MiB"};
    }
  }
  return Home([options, page](const net::Request& request) -> std::optional<Answer> {
    if (!options.redirect.empty()) return Answer::redirect(302, options.redirect);
    if (!options.html_file.empty()) return Answer::html(200, page);
    if (options.is_debuginfod || client_of(request) == Client::debuginfod) {
      return Answer::text(200, "debuginfod (faultline) " + options.version + "\n");
    }
    return std::nullopt;
  });
}

}  // namespace api
