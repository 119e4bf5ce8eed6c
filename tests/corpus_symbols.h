// The symbol files of the corpus for a walk: NAME/ID/NAME.sym under one directory, read and
// indexed when a module is touched.
#pragma once

#include <algorithm>
#include <string>

#include "base/file.h"
#include "base/text.h"
#include "extract/symbols_from_breakpad.h"
#include "snapshot/crash.h"
#include "symbols/index_writer.h"
#include "symbols/map.h"
#include "unwind/walker.h"

namespace corpus_symbols {

inline std::string leaf_of(std::string_view debug_file) {
  std::string leaf(base::basename_of(debug_file));
  if (base::lower_ascii(leaf).ends_with(".pdb")) leaf.resize(leaf.size() - 4);
  return leaf + ".sym";
}

class Source : public unwind::SymbolSource {
 public:
  // An empty directory has no symbols.
  Source(const snapshot::Crash& crash, std::string directory)
      : crash_(crash), directory_(std::move(directory)) {}

  unwind::ModuleSymbols find_symbols(std::size_t index) override {
    const snapshot::Module& module = crash_.modules[index];
    const std::string path = base::join_path(
        base::join_path(base::join_path(directory_, base::basename_of(module.debug_file)),
                        module.debug_id_text),
        leaf_of(module.debug_file));
    if (directory_.empty() || !base::file_exists(path)) return {unwind::SymbolState::missing, {}};
    auto map = load(path);
    if (!map.ok()) return {unwind::SymbolState::corrupt, {}};
    const bool corrupt = (*map)->info().corrupt;
    return {corrupt ? unwind::SymbolState::corrupt : unwind::SymbolState::loaded, std::move(*map)};
  }

 private:
  static base::Result<std::shared_ptr<const symbols::Map>> load(const std::string& path) {
    const auto file = TRY(base::MappedFile::open(path));
    const symbols::Model model = extract::symbols_from_breakpad(file);
    auto index = TRY(symbols::write_index(model));
    return symbols::Map::open(base::MappedFile::from_bytes(std::move(index)));
  }

  const snapshot::Crash& crash_;
  const std::string directory_;
};

}  // namespace corpus_symbols
