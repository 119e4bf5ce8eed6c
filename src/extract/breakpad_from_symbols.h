// Writes a symbols::Model as a Breakpad .sym text.
// Records: MODULE, INFO, FILE, INLINE_ORIGIN, FUNC with INLINE and lines, PUBLIC, STACK WIN,
// STACK CFI. Functions, publics and unwind ranges are sorted by address; line records are split
// where an inlined range begins or ends, so that each stands in one chain of calls.
// The text depends on the model and the options only, never on the number of threads.
// Fails only as its sink does.
// Format: docs/formats/breakpad-sym.md
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "symbols/model.h"

namespace extract {

struct BreakpadOptions {
  unsigned threads = 1;
  bool inlines = true;       // INLINE and INLINE_ORIGIN
  bool functions = true;     // FILE, FUNC, lines, PUBLIC
  bool cfi = true;           // STACK
  bool header_only = false;  // MODULE and INFO, nothing else
};

// Takes the text in pieces. Pieces come from several threads, in any order and for any offset,
// when `any_order` is set; else one after the other from the start.
struct BreakpadSink {
  std::function<base::Result<void>(std::uint64_t offset, std::string_view text)> write;
  bool any_order = false;
};

base::Result<void> write_breakpad(const symbols::Model& model, const BreakpadOptions& options,
                                  const BreakpadSink& sink);
std::string breakpad_text(const symbols::Model& model, const BreakpadOptions& options = {});

// MODULE and INFO records: what --header prints.
std::string breakpad_header(const symbols::ModuleInfo& info);

}  // namespace extract
