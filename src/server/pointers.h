// file.ptr files, stored ones and those in watched trees, followed for supply: where the
// configuration allows pointers to lead, and into the watched directories.
// open() fails with malformed (the list). The follower may be called from any thread and blocks.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/options.h"
#include "supply/supplied.h"

namespace server {

using Follower = std::function<base::Result<supply::Supplied>(
    std::string_view text, const std::string& name, const std::string& id,
    const std::vector<std::string>& lies_at)>;

// Null when pointers may lead nowhere.
base::Result<Follower> pointer_follower(const Options& options);

}  // namespace server
