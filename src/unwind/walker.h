// Walks stacks: registers, stack memory and symbols in, frames out.
// A walk asks symbols only for modules that a frame or a candidate on the stack touches, each
// module once; it opens no file and waits for nothing: SymbolSource answers at once, if need
// be with "lacking", and who drives the walk fetches what was lacking and walks again.
// The Crash and the source outlive the Walker. walk_thread() may be called from any thread;
// the source must bear that too. Walking cannot fail: a hostile stack gives fewer frames.
// Rules: docs/unwinding.md
#pragma once

#include <cstdint>
#include <memory>

#include "snapshot/crash.h"
#include "unwind/frame.h"

namespace unwind {

class SymbolSource {
 public:
  virtual ~SymbolSource() = default;
  // The symbols of Crash::modules[module_index]; not_asked when there is nobody to ask.
  virtual ModuleSymbols find_symbols(std::size_t module_index) = 0;
};

struct Limits {
  std::uint32_t frames_per_thread = 8192;
  std::uint32_t frames_total = 262144;
  // Words looked at by stack scans, for all threads together.
  std::uint64_t scanned_words_total = 64u << 20;
  // Operations of CFI and STACK WIN programs, likewise.
  std::uint64_t cfi_steps_total = 64u << 20;
};

class Walker {
 public:
  Walker(const snapshot::Crash& crash, SymbolSource& source, Limits limits = {});
  Walker(const Walker&) = delete;
  Walker& operator=(const Walker&) = delete;
  ~Walker();

  // REQUIRES: thread_index < crash.threads.size()
  Stack walk_thread(std::size_t thread_index);

  // What became of each module's symbols so far. REQUIRES: no walk is running.
  std::vector<ModuleSymbols> modules() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// All threads of the crash, several at a time where it pays.
Walk walk_all(const snapshot::Crash& crash, SymbolSource& source, unsigned thread_count,
              Limits limits = {});

}  // namespace unwind
