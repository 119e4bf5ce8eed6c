// A Crash as text, one fact a line, for tests that compare two of them.
#pragma once

#include <string>

#include "snapshot/crash.h"

namespace snapshot {

// Everything that survives being written as a minidump and read again. Memory is told by
// address, size and a hash; the order of annotations does not count.
std::string describe(const Crash& crash);

}  // namespace snapshot
