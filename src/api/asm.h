// POST /asm/v1: the machine code of a module's function as text, for the profiler's assembly view.
// Also below /p/PROJECT/ and /p/PROJECT/t/TOKEN/, of that project's modules. Who may read sources
// may read code.
// A handler parks the request; the module's file and its symbols come from supply, and AsmWork's
// own few threads read and disassemble them. 503 when too many wait already.
// AsmWork's destructor finishes what its threads are at; what still waits is left unanswered.
// `supply` and `maps` must outlive it, and it the server. Protocol: docs/protocols/asm.md
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "api/sources.h"
#include "net/http.h"
#include "supply/supply.h"
#include "supply/symbol_maps.h"

namespace api {

constexpr std::uint64_t kAsmSizeMax = 512ull << 10;  // bytes of code in one answer
constexpr std::size_t kAsmTakenMax = 64;             // requests that wait or run

class AsmWork {
 public:
  struct State;

  AsmWork(supply::Supply& supply, supply::SymbolMaps& maps, unsigned threads = 2);
  AsmWork(const AsmWork&) = delete;
  AsmWork& operator=(const AsmWork&) = delete;
  ~AsmWork();

  const std::shared_ptr<State>& state() const { return state_; }

 private:
  const std::shared_ptr<State> state_;
};

// `work` must outlive the server.
void add_asm_routes(net::Router& router, const AsmWork& work, const SourcesOptions& options);

}  // namespace api
