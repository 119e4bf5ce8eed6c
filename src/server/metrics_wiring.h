// What /metrics tells of upstream servers, of watched directories, of requests for symbol files, of
// open symbol indexes, of frames shared through memcached and of HTTP, some of it under
// debuginfod's names. What is passed by reference or pointer must outlive the calls of what is
// returned. Any thread may call that. Format: docs/protocols/health.md
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "api/frame_cache.h"
#include "api/http_figures.h"
#include "ingest/scan.h"
#include "server/upstream_wiring.h"
#include "statistics/statistics.h"
#include "store/disk_watch.h"
#include "supply/symbol_maps.h"

namespace server {

struct MetricRooms {
  const api::HttpFigures& http;
  const UpstreamWork& upstreams;
  std::vector<std::string> upstream_names;
  const ingest::Scan& scan;
  const store::DiskWatch& disk;
  statistics::Statistics* statistics = nullptr;    // null: they are switched off
  const api::FrameCache* shared_frames = nullptr;  // null: nobody shares any
  const supply::SymbolMaps* maps = nullptr;        // null: nobody symbolicates
};

std::function<void(std::string&)> more_metrics(MetricRooms rooms);

}  // namespace server
