// The modules of a process, from its mappings and from the ELF headers as they lie in memory.
// Memory first, never the file: the file may have been replaced or deleted since it was mapped,
// and then its build id is another program's.
// A module whose headers cannot be read is listed too, without ids. Never fails.
#pragma once

#include <vector>

#include "handler/proc_files.h"
#include "handler/process_memory.h"
#include "snapshot/crash.h"

namespace handler {

// The main program first, then by address; the vdso is one of them.
std::vector<snapshot::Module> modules_from_memory(const std::vector<Mapping>& maps,
                                                  const AuxiliaryVector& auxv,
                                                  const ProcessMemory& memory);

}  // namespace handler
