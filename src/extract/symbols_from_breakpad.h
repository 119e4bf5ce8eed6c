// Breakpad .sym text → symbols::Model.
// Text that the strict reader refuses gives a Model with info.corrupt, and what the lenient one
// finds in it; its index says the same.
// Names stay views into the text: `owner` keeps it alive, and the Model keeps `owner`.
// Never fails. The Model does not depend on the number of threads.
// Format: docs/formats/breakpad-sym.md
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/file.h"
#include "symbols/model.h"

namespace extract {

struct BreakpadReading {
  unsigned threads = 0;            // 0: as many as there are processors
  bool lenient = false;            // skip bad lines and take the older INLINE instead of "corrupt"
  std::string* problem = nullptr;  // set to why, when the text is corrupt or lines were skipped
};

// REQUIRES: `text` is alive while `owner` is; without an owner, while the Model is.
symbols::Model symbols_from_breakpad(base::Bytes text, std::shared_ptr<const void> owner,
                                     const BreakpadReading& reading = {});
symbols::Model symbols_from_breakpad(std::shared_ptr<const base::MappedFile> file,
                                     const BreakpadReading& reading = {});

}  // namespace extract
