// A PDB's compressed container (MSFZ) taken apart into the plain one (MSF 7.00), which every tool
// reads: the same streams under the same numbers.
// Pure but for the sink. Any thread. Fails with malformed, unsupported (it is no MSFZ), too_large,
// or what the sink says.
// Format: docs/formats/pdb.md
#pragma once

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"

namespace extract {

base::Result<void> write_plain_pdb(base::Bytes msfz, base::PendingFile& out);

}  // namespace extract
