// What `faultline dump-syms` says of files without converting them: their architectures, their
// MODULE records, and every path that they are asked for by.
// Each returns the program's exit status; errors have been printed.
#pragma once

#include <string>
#include <vector>

namespace cli {

// One word on a line for each slice of each file.
int list_arches(const std::vector<std::string>& paths);
// MODULE and INFO records of files that are not converted yet (PE, PDB, Mach-O, WASM …).
int print_headers(const std::vector<std::string>& paths);
// Ids and key paths: text, or one JSON document.
int print_keys(const std::vector<std::string>& paths, bool json);

}  // namespace cli
