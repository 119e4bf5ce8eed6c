// A file that a page's form brings: a zip, a package, or one debug file, packed or plain. Fields:
// "file", "project" ("" is the default one), "try" (when it is not empty).
// Not an upload protocol: who may is the page's to say, and so is what becomes of it.
// Pool only. Format: docs/operation.md
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "api/upload.h"

namespace api {

struct FormWays {
  // From the head: nothing, or the page that refuses.
  std::function<std::optional<net::Answer>(const net::Request&)> refuse;
  std::function<Admission(const net::Request&)> admit;
  // The upload's number, or why nothing was kept.
  std::function<net::Answer(const base::Result<std::int64_t>& upload)> tell;
};

void add_form_route(net::Router& router, const UploadRooms& rooms, const UploadOptions& options,
                    std::string_view pattern, FormWays ways);

}  // namespace api
