// What the crashing instruction tells: which memory it touched, where it wanted to go, whether
// the address was a null pointer or a non-canonical one, whether one flipped bit explains it, and
// whether the story is consistent at all. amd64; elsewhere, or when the instruction is not in
// the dump or not known, what depends on it stays empty.
// The rules, with their quirks, are rust-minidump's; docs/crash-analysis.md has them.
// Pure functions; any thread.
#pragma once

#include "analyze/report.h"

namespace analyze {

// Fills all of `info` but reason and address. REQUIRES: crash.exception, info.address
void explain_crash(const snapshot::Crash& crash, CrashInfo& info);

}  // namespace analyze
