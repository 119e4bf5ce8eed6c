// The rows of the record of uploads as they are written: inside the catalogue's transactions.
// Reading them is uploads.h. Fails as the session does.
#pragma once

#include <cstdint>

#include "store/catalog.h"

namespace store {

// A new upload's id. `completed_at` 0: none of its files is here yet.
base::Result<std::int64_t> keep_upload(db::Session& session, const Upload& upload,
                                       base::Time completed_at);
// The upload that files come for now: the one that was begun, if upload.id says so and it is of the
// same scope, or a new one.
base::Result<std::int64_t> upload_for(db::Session& session, const Upload& upload);
// Where its next file stands.
base::Result<std::int64_t> next_position(db::Session& session, std::int64_t upload);
// `file` is the row of added.file.
base::Result<void> record_file(db::Session& session, std::int64_t upload, std::int64_t position,
                               std::int64_t file, const NewFile& added, bool was_known);

// Its line in the audit log.
base::Result<void> record_upload(db::Session& session, std::int64_t id, const Upload& upload,
                                 std::size_t files);

}  // namespace store
