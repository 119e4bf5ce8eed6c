// The statistics of symbol files, as pySymProxy's page and other programs read them:
//   /statistics.json                          totals
//   /symbols.json[?name=&sort=&order=&page=]  for each file name; with a parameter one page of them
// Handlers run on the pool.
// Format: docs/protocols/statistics.md
#pragma once

#include "net/http.h"
#include "statistics/statistics.h"

namespace api {

// `statistics` must outlive the server; null: they are switched off.
void add_statistics_routes(net::Router& router, statistics::Statistics* statistics);

}  // namespace api
