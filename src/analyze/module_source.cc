#include "analyze/module_source.h"

#include "base/file.h"
#include "base/log.h"
#include "symbols/map.h"

namespace analyze {

ModuleSource::ModuleSource(const snapshot::Crash& crash, FindSymbols find)
    : crash_(crash), find_(std::move(find)) {
  by_module_.reserve(crash.modules.size());
  for (const snapshot::Module& module : crash.modules) {
    by_module_.push_back(&*entries_.try_emplace(key_of(module)).first);
  }
}

unwind::ModuleSymbols ModuleSource::find_symbols(std::size_t module_index) {
  auto& [key, entry] = *by_module_[module_index];
  std::call_once(entry.once, [&] {
    entry.symbols = find_(key, crash_.modules[module_index]);
    // A module without any id cannot be told from others of its name: nobody can fetch it.
    const bool nameless = key.debug_id.empty() && key.code_id.empty();
    unwind::SymbolState& state = entry.symbols.state;
    if (nameless && state == unwind::SymbolState::lacking) state = unwind::SymbolState::missing;
  });
  return entry.symbols;
}

std::vector<ModuleKey> ModuleSource::lacking() const {
  std::vector<ModuleKey> out;
  for (const auto& [key, entry] : entries_) {
    if (entry.symbols.state == unwind::SymbolState::lacking) out.push_back(key);
  }
  return out;
}

namespace {

base::Result<std::shared_ptr<const symbols::Map>> open_map(const std::string& path) {
  auto file = TRY(base::MappedFile::open(path));
  return symbols::Map::open(std::move(file));
}

}  // namespace

unwind::ModuleSymbols symbols_from_index(const std::string& path) {
  auto map = open_map(path);
  if (!map.ok()) {
    base::log::warning("symbol index: {}", map.error().what);
    return {unwind::SymbolState::missing, nullptr};
  }
  const bool corrupt = (*map)->info().corrupt;
  return {corrupt ? unwind::SymbolState::corrupt : unwind::SymbolState::loaded, std::move(*map)};
}

}  // namespace analyze
