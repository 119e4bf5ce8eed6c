// What the tests against the corpus' reference answers share: no symbols, and where the answer is.
#pragma once

#include <string>
#include <string_view>

#include "analyze/analyze.h"

namespace analyze {

inline unwind::ModuleSymbols no_symbols(const ModuleKey&, const snapshot::Module&) {
  unwind::ModuleSymbols symbols;
  symbols.state = unwind::SymbolState::missing;
  return symbols;
}

// ".../dumps/a/b.dmp" → ".../expected/a/b" + ending. REQUIRES: a path in the corpus.
inline std::string expected_beside(std::string path, std::string_view ending) {
  path.replace(path.find("/dumps/"), 7, "/expected/");
  return path.substr(0, path.size() - 4) + std::string(ending);
}

}  // namespace analyze
