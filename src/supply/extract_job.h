// Does an ExtractJob here, in this process: maps the files, makes the symbols, writes .sym and
// index. What `faultline extract-one` runs; the server runs that and never this
// (supply/extract_in_child.h).
// Fails with malformed or unsupported (the files), too_large (a limit) or unavailable (disk).
#pragma once

#include "base/result.h"
#include "supply/derived_files.h"

namespace supply {

base::Result<void> run_extract_job(const ExtractJob& job);

}  // namespace supply
