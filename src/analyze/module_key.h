// How a report names a module whose symbols it wants: all the names that a symbol server could
// find it by.
// A plain value. Fields are as the report prints them; "" when the dump does not say.
#pragma once

#include <string>

#include "snapshot/crash.h"

namespace analyze {

struct ModuleKey {
  std::string debug_file;  // base name: "firefox.pdb", "libc.so.6"
  std::string debug_id;    // "0403020106050807090A0B0C0D0E0F101"
  std::string code_file;   // base name: "firefox.exe"
  std::string code_id;     // lower-case hex

  friend auto operator<=>(const ModuleKey&, const ModuleKey&) = default;
};

ModuleKey key_of(const snapshot::Module& module);

}  // namespace analyze
