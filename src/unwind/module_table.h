// Which module covers an address, and what its symbols say there: what a walk asks millions of
// times. Asks the SymbolSource for a module's symbols when somebody first needs them, once.
// Of modules that overlap, the first by (start, end) is kept and the later ones are never
// found: an outer range hides those inside it.
// Any thread may look up; modules() only when nobody does.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/units.h"
#include "snapshot/crash.h"
#include "unwind/frame.h"
#include "unwind/walker.h"

namespace unwind {

class ModuleTable {
 public:
  ModuleTable(const snapshot::Crash& crash, SymbolSource& source);
  ModuleTable(const ModuleTable&) = delete;
  ModuleTable& operator=(const ModuleTable&) = delete;

  // Index into Crash::modules, or kNoModule.
  std::uint32_t find(base::Address address) const;
  base::Rva rva_of(std::uint32_t module, base::Address address) const {
    return {address.value - crash_.modules[module].base.value};
  }
  // The loaded symbols of a module, or nothing.
  const symbols::Map* find_map(std::uint32_t module);

  // Whether an address may be code: some module covers it, and if that module has symbols, a
  // function or public name is there.
  bool may_be_code(base::Address address);

  // By (name, offset), without duplicates.
  std::vector<UnloadedHit> find_unloaded(base::Address address) const;

  std::uint64_t highest_end() const { return highest_end_; }
  std::vector<ModuleSymbols> modules() const;

 private:
  struct Range {
    std::uint64_t start = 0;
    std::uint64_t last = 0;  // inclusive
    std::uint32_t module = kNoModule;
  };
  struct Slot {
    std::once_flag once;
    ModuleSymbols symbols;
  };
  struct Unloaded {
    std::uint64_t start = 0;
    std::uint64_t last = 0;
    std::uint64_t last_so_far = 0;  // the greatest `last` up to here
    std::uint32_t module = 0;
  };

  const snapshot::Crash& crash_;
  SymbolSource& source_;
  std::vector<Range> ranges_;       // by start, none overlapping
  std::vector<Unloaded> unloaded_;  // by start
  std::unique_ptr<Slot[]> slots_;   // as Crash::modules
  std::uint64_t highest_end_ = 0;
};

}  // namespace unwind
