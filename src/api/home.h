// What "/" answers instead of our page: where the operator sends people, a page of theirs, or, for
// elfutils' programs and under the name debuginfod, one line that says who we are.
// Pure function of a request's head; the operator's page is read once.
// Format: docs/protocols/debuginfod.md
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/result.h"
#include "net/http.h"

namespace api {

struct HomeOptions {
  std::string redirect;        // a URL, answered by 302; "": none
  std::string html_file;       // "": none
  bool is_debuginfod = false;  // everybody gets the line
  std::string version;
};

using Home = std::function<std::optional<net::Answer>(const net::Request&)>;

// Answers nothing for whom our own page is meant. Fails when the file cannot be read, or is
// larger than 1 MiB.
base::Result<Home> make_home(const HomeOptions& options);

}  // namespace api
