// `faultline debuginfod`: the server with the flags, port and signals of elfutils' debuginfod.
// Format: docs/protocols/debuginfod.md
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/options.h"

namespace server {

int run_debuginfod(int argc, char** argv);

// The flags as options. malformed: a flag or value that debuginfod would not take either.
struct DebuginfodFlags {
  Options options;
  bool in_memory = false;  // -d :memory:
  bool passive = false;
  bool no_sources = false;
  bool help = false, version = false;
  unsigned verbosity = 0;
  std::vector<std::string> ignored;  // what was given, and why it does nothing here
};
base::Result<DebuginfodFlags> debuginfod_flags(int argc, char** argv);

// The servers of $DEBUGINFOD_URLS are asked for what nobody has here, in their order. Words that
// are no place to ask go to flags.ignored.
void ask_others(std::string_view urls, DebuginfodFlags& flags);

}  // namespace server
