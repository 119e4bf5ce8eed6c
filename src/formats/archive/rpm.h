// The signatures that an rpm has for single files, for the kernel's integrity measurement (IMA).
// Not its members (archive_reader.h): only the two headers in front of them are read.
// Views are not kept; pure functions, any thread.
// Fails with malformed (no rpm, or a damaged header).
// Format: docs/formats/archives.md
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace archive {

// In hex, as the package holds it; nothing when the member ("/usr/bin/x") has none. Only the
// beginning of the package is needed.
base::Result<std::optional<std::string>> find_ima_signature(base::Bytes rpm,
                                                            std::string_view member);

}  // namespace archive
