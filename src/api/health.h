// Is the server alive, is it ready, which version is it, how much does it do; and an error, for who
// wants to see whether those are noticed:
//   /healthz  /readyz  /__heartbeat__  /__lbheartbeat__  /__version__  /metrics  /__broken__
// Format: docs/protocols/health.md
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/http.h"
#include "net/server.h"
#include "store/catalog.h"
#include "store/disk_watch.h"
#include "supply/supply.h"

namespace api {

// `network` (null: not shown) is what the server counts into. `more_metrics` appends what other
// rooms count to /metrics; null: nothing. `catalog`, `supply` and `disk` must outlive the server.
void add_health_routes(net::Router& router, store::Catalog& catalog, supply::Supply& supply,
                       const store::DiskWatch& disk, const std::string& version,
                       std::shared_ptr<const net::ServerFigures> network,
                       std::function<void(std::string&)> more_metrics = nullptr);

}  // namespace api
