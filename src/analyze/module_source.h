// Stands between a walk, which asks for modules by index, and whoever has symbols, who knows
// them by key: asks once for each key, however many modules share it, and remembers which keys
// were lacking.
// find_symbols() may be called from several threads; the function given must bear that, too.
// lacking() only when no walk is running.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "analyze/module_key.h"
#include "unwind/walker.h"

namespace analyze {

// Symbols of a module: loaded, corrupt, missing, or lacking ("fetch it and ask again").
using FindSymbols =
    std::function<unwind::ModuleSymbols(const ModuleKey& key, const snapshot::Module& module)>;

class ModuleSource : public unwind::SymbolSource {
 public:
  ModuleSource(const snapshot::Crash& crash, FindSymbols find);

  unwind::ModuleSymbols find_symbols(std::size_t module_index) override;
  std::vector<ModuleKey> lacking() const;  // sorted

 private:
  struct Entry {
    std::once_flag once;
    unwind::ModuleSymbols symbols;
  };
  using Entries = std::map<ModuleKey, Entry>;

  const snapshot::Crash& crash_;
  FindSymbols find_;
  Entries entries_;                              // filled by the constructor
  std::vector<Entries::value_type*> by_module_;  // as Crash::modules
};

// The symbols in a mapped index file; missing when it cannot be used, with a line in the log.
unwind::ModuleSymbols symbols_from_index(const std::string& path);

}  // namespace analyze
