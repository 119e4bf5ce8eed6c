// The functions of a symbol table, for two questions: what is this address called, and which
// addresses have a name at all.
// Among several names at one address the one of largest size wins, then the last in the table:
// that is what symbolizers built on LLVM show, and globals stand behind locals.
// Views point into the ELF files. Immutable after make(); any thread may read.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/elf/symbols.h"

namespace extract {

struct NamedAddress {
  std::uint64_t address = 0;
  std::uint64_t size = 0;  // 0 when not known
  std::string_view name;
  std::string_view file;  // of a local symbol: its source file, when the table says it
  bool multiple = false;  // other names stand at the same address
};

class SymbolNames {
 public:
  // From .symtab, or .dynsym when there is none; only names of code. `mini` has those that .dynsym
  // leaves out (mini_debug_info.h); null: nobody has.
  static SymbolNames make(const elf::File& file, const elf::File* mini = nullptr);

  // The best name of each address, sorted by address.
  const std::vector<NamedAddress>& best() const { return best_; }
  const NamedAddress* find_at(std::uint64_t address) const;
  bool empty() const { return best_.empty(); }

 private:
  std::vector<NamedAddress> best_;
};

}  // namespace extract
