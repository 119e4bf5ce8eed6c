// How much a project may keep: the sizes of the files that its keys name, each counted once, try
// builds' too. The default project may keep what the disk has room for.
// Asked before anything is kept; two uploads at the same moment may pass it together.
// Blocks. Fails with too_large, in words for the uploader, or unavailable.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "store/catalog.h"

namespace store {

// Whether these contents, hashes and sizes, may come to what the project has.
base::Result<void> check_quota(db::Database& database, const std::string& project,
                               const std::vector<FileRecord>& files);

// What it has, as its quota counts it. Of the default project nothing is counted: 0.
base::Result<std::uint64_t> used_by(db::Database& database, const std::string& project);

}  // namespace store
