// Who may read source files: anyone who reaches the server, or only local requests and those that
// bring the token, as the operator says.
// Pure function of a request's head.
#pragma once

#include <string_view>

#include "net/http.h"

namespace api {

// `token` is what the operator set; "" lets everybody read.
bool may_read_sources(const net::Request& request, std::string_view token);

}  // namespace api
