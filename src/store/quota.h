// How much a project may keep: the sizes of the files that were uploaded for it and that its keys
// name, each counted once, try builds' too. What came from upstream servers or lies in watched
// directories is not counted: it can be had again.
// And how much may be kept of what one token brings, each content once: as long as the project that
// it was brought for has it, and whoever else brought it, too.
// Asked before anything is kept; two uploads at the same moment may pass it together.
// Any thread. Blocks. Fails with too_large, in words for the uploader, or unavailable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "store/catalog.h"
#include "store/default_quota.h"

namespace store {

// Whether these contents, hashes and sizes, may come to what the project has.
base::Result<void> check_quota(db::Database& database, const std::string& project,
                               const std::vector<FileRecord>& files, DefaultQuota& everybodys);
// The same of a token, by its row; 0 is none, and has no quota.
base::Result<void> check_token_quota(db::Database& database, std::int64_t token,
                                     const std::vector<FileRecord>& files);

// What it has, as its quota counts it. "": the default project, which takes a while.
base::Result<std::uint64_t> used_by(db::Database& database, const std::string& project);
// What is kept of all that a token brought.
base::Result<std::uint64_t> used_by_token(db::Database& database, std::int64_t token);

// Whether `added` bytes come to what has `used` of `quota` bytes; `who` is for the uploader.
base::Result<void> check_room(std::string_view who, std::uint64_t quota, std::uint64_t used,
                              std::uint64_t added);

}  // namespace store
