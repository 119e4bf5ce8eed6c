// Counts what the routes for symbol files answer: a layer around their handler, so that they know
// nothing of statistics. It reads the path and the answer's status; a request that is parked is
// counted as waiting until it is answered.
// What lies below /p/PROJECT/ is counted without its name, which is not everybody's business.
// Any thread, also a network loop.
// Format: docs/protocols/statistics.md
#pragma once

#include <optional>
#include <string_view>

#include "net/http.h"
#include "statistics/statistics.h"

namespace api {

// `statistics` must outlive the server.
net::Handler count_symbols(net::Handler handler, statistics::Statistics& statistics);

// What a path asks for, as far as it is counted. Views point into the path.
struct CountedPath {
  std::string_view row;             // the name to count under; "" for a project's files
  std::string_view name, id, file;  // NAME/ID/FILE; no name: /buildid/ID/FILE
  // Whether a miss of it is told of. Not: sections, trees of ids, /artifacts/, projects.
  bool is_told = false;
  // What debuggers ask for beside the file itself: foo.pd_, file.ptr.
  bool is_by_product = false;
};
// Nothing when it has no shape that names a file.
std::optional<CountedPath> find_counted(std::string_view path);

}  // namespace api
