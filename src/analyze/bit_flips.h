// Would one flipped bit make sense of the crash? Candidates and how much to believe in each.
// Pure; part of crash_analysis.h.
#pragma once

#include <vector>

#include "analyze/crash_operation.h"
#include "analyze/memory_map.h"
#include "analyze/report.h"

namespace analyze {

// In order of discovery: the address itself, then registers by name. REQUIRES: info.address,
// info.adjusted_address and accesses are settled.
std::vector<BitFlip> find_bit_flips(const snapshot::Crash& crash, const CrashInfo& info,
                                    const CrashOperation* operation, const MemoryMap& map,
                                    Wish wish);

}  // namespace analyze
