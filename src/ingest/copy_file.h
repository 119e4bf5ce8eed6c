// A private copy of somebody else's file, which may change while we look: shared blocks where the
// file system can (no bytes are moved), else bytes.
// Fails with not_found, denied or unavailable.
#pragma once

#include <string>

#include "base/file.h"
#include "base/result.h"

namespace ingest {

base::Result<base::PendingFile> copy_file(const std::string& path, const std::string& directory);

}  // namespace ingest
