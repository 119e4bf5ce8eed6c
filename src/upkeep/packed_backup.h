// A backup in one file, for a pipe, a tape or another machine: a tar archive of what back_up()
// (backup.h) makes.
//   faultline.db, blobs/ab/ab…, and backup.json as the last: without it the archive is not whole,
//   and unpack_backup() refuses it, however much came.
// Blocks. Fails with malformed (no backup, not whole, something at the target), unavailable (disk,
// pipe, somebody wants it to end) or as sink and source do.
// Format: docs/operation.md
#pragma once

#include <string>

#include "upkeep/backup.h"
#include "upkeep/tar_stream.h"

namespace upkeep {

// `directory` is a backup that is whole.
base::Result<void> pack_backup(const std::string& directory, const TarWriter::Sink& sink,
                               Progress& progress);

// To where nothing is yet, as restore() does.
base::Result<BackedUp> unpack_backup(const TarReader::Source& source, const std::string& target,
                                     Progress& progress);

}  // namespace upkeep
