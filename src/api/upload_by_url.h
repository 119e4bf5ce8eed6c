// An archive, zip or package, that we are asked to fetch: only https, only from hosts that the
// configuration names, and only where those have public addresses, at each of at most five
// redirects.
// Pool only; blocks until the file is here.
// Fails with malformed or denied (in Tecken's words where it has any), too_large, timed_out or
// unavailable.
// Format: docs/protocols/upload-tecken.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/upload_common.h"

namespace api {

struct FetchedArchive {
  base::PendingFile file;
  std::string name;  // archive_name()
  std::vector<std::string> redirect_urls;
};
base::Result<FetchedArchive> fetch_archive(const Context& context, const std::string& url);

// The last part of a URL's path: by its extension it is a zip or a package.
std::string archive_name(std::string_view url);

// The host of an https URL, lower case; an error in Tecken's words for anything else. `hosts`:
// names with commas between; "*.example.com" also allows what is below.
base::Result<std::string> allowed_host(std::string_view url, std::string_view hosts);

// malformed: one of these names that is no host's ever.
base::Result<void> check_hosts(std::string_view hosts);

}  // namespace api
