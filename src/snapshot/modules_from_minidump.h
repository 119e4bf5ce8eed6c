// The modules of a minidump and how each is named: code id, debug id, debug file, version.
// Part of snapshot_from_minidump.h; not for others.
#pragma once

#include "formats/minidump/minidump.h"
#include "snapshot/crash.h"

namespace snapshot {

// Fills modules and unloaded_modules. REQUIRES: crash.system is filled.
void read_modules(Crash& crash, const minidump::Minidump& dump);

// As the report prints it: on Windows, macOS and iOS "1.2.3.4" from the halves of the file
// version, elsewhere the four words as they are.
std::string version_text(Os os, const std::array<std::uint32_t, 4>& words);

}  // namespace snapshot
