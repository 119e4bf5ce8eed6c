// file.ptr files, stored ones and those in watched and upstream directories, followed for supply:
// where the configuration says that pointers may lead, and within the directory of an upstream
// server that the pointer itself lies in; those of the default project into the watched
// directories, which are its own. open() fails with malformed (the list). The follower may be
// called from any thread and blocks.
#pragma once

#include <functional>

#include "server/options.h"
#include "supply/supplied.h"

namespace server {

using Follower = std::function<base::Result<supply::Supplied>(const supply::Pointer& pointer)>;

// Null when pointers may lead nowhere.
base::Result<Follower> pointer_follower(const Options& options);

}  // namespace server
