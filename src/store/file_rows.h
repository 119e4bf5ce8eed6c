// How a file's row is read and kept: for those in this room who ask for it.
#pragma once

#include <string_view>

#include "store/catalog.h"

namespace store {

constexpr std::string_view kFileColumns =
    "f.id, f.sha256, f.size, f.format, f.name, f.os, f.arch, f.debug_id, f.code_id, "
    "f.has_debug, f.has_symbols, f.has_code, f.added_at";
constexpr std::size_t kFileColumnCount = 13;

// REQUIRES: the row begins with kFileColumns at column `first`.
FileRecord file_of(const db::Row& row, std::size_t first = 0);

// The id of the row of these bytes, which is new or learns what is known about them now. Fails with
// denied for a content that was purged: what was written must not be committed then.
base::Result<std::int64_t> keep_file(db::Session& session, const FileRecord& file);

}  // namespace store
