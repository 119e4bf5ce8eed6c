// Compressed symbol files, as symstore's /compress makes them: `foo.pd_` holds `foo.pdb`. They
// are expanded on arrival, so that everything else sees the file itself.
// Any thread; blocks. Fails with too_large (a limit) or what the disk says. A cabinet that
// cannot be read, or holds several files, stays what it is.
// Format: docs/formats/cab.md
#pragma once

#include "base/result.h"
#include "formats/archive/zip.h"
#include "ingest/ingest.h"
#include "store/blobs.h"

namespace ingest {

// Whether a cabinet under that name is the compressed form of a symbol file. With a path
// ("foo.pdb/ID/foo.pd_") the path says so; a bare name, or one under a guessed path that does not
// fit, must fit the member's name.
// `received` holds the expanded file afterwards, under its own name.
base::Result<void> expand_cabinet(const store::Blobs& blobs, const archive::ZipLimits& limits,
                                  Received& received);

}  // namespace ingest
