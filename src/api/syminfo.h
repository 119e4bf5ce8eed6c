// Facts about one symbol file, as Tecken tells them:
//   GET /api/syminfo/FILE/ID     by debug file and debug id, or by code file and code id
//     {"debug_id":"…","debug_filename":"…","code_file":"…","code_id":"…","generator":null,
//      "url":"http://HOST/…","time":0.0001}
// The same below /p/PROJECT/ and /p/PROJECT/t/TOKEN/, of that project's files. What the .sym says
// counts; it is made first if it is not there yet. Runs on a network loop, as the files themselves
// do; reads the first bytes of the .sym. Format: docs/protocols/breakpad.md
#pragma once

#include <functional>
#include <optional>

#include "net/http.h"
#include "supply/supply.h"

namespace api {

// `allows` says who may read a project: nothing, or the refusal. Null: nobody. Memory only.
// `supply` must outlive the server.
void add_syminfo_route(net::Router& router, supply::Supply& supply,
                       std::function<std::optional<net::Answer>(const net::Request&)> allows);

}  // namespace api
