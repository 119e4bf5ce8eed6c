// The published JSON schemas of the symbolication protocols, as they lie in docs/protocols/schema.
//   GET /symbolicate/v4/schema/request.json, …/answer.json, and the same of v5
// Immutable; answered on the loop, to pages of any origin.
// Format: docs/protocols/symbolicate.md
#pragma once

#include "net/http.h"

namespace api {

void add_schema_routes(net::Router& router);

}  // namespace api
