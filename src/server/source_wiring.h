// What the room sources and its routes are given: places, limits, who may read, where it is noted.
// What is passed by reference must outlive what is returned.
#pragma once

#include "api/sources.h"
#include "ingest/scan.h"
#include "server/options.h"
#include "server/upstream_wiring.h"
#include "sources/sources.h"
#include "store/access.h"
#include "store/containers.h"
#include "store/data_directory.h"

namespace server {

sources::Sources::Options sources_options(const Options& options, const store::DataDirectory& data);

// Sources that packages bring (a debugsource rpm) for modules that came from packages.
sources::Provider sources_in_packages(store::Containers& containers, ingest::Scan& scan);

// Sources of Debian's source tarballs, for modules that came in a .deb.
sources::Provider sources_of_debian(store::Containers& containers, ingest::Scan& scan);

// Sources that the debuginfod servers of the configuration have.
sources::Others sources_upstream(UpstreamWork& upstreams, std::uint64_t size_max);

// All but who may upload.
api::SourcesOptions source_routes(const Options& options, const api::Gate& gate,
                                  store::Access& access);

}  // namespace server
