// /missingsymbols/: what was asked for and nobody had, with a button that asks again.
// Readable without script.
// Plain functions from values to text.
// Format: docs/protocols/missing-symbols.md
#pragma once

#include <string>

#include "statistics/missing_symbols.h"

namespace ui {

struct MissingList {
  statistics::MissingQuery query;
  statistics::MissingPage page;
  bool can_fetch = false;  // there is somebody to ask
  // What came of the last button: NAME/ID/FILE, and "here", "missing" or "working".
  std::string asked, state;
};

std::string missing_page(const MissingList& list);

}  // namespace ui
