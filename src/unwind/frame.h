// What a walk yields: for each thread a Stack of Frames, innermost first, and for each module
// what became of its symbols.
// Not a report: analyze/report.h adds reason, analyses and print rules to this.
// Texts in a Frame are views into the symbol maps; a Walk keeps those maps alive, a Stack alone
// does not. Registers stand in a pool of the Stack, since most frames know only a handful.
// Filled by one thread each, then immutable; any thread may read.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "snapshot/crash.h"
#include "symbols/map.h"

namespace unwind {

// How a frame was found, from a guess to certainty.
enum class Trust : std::uint8_t {
  none,
  scan,      // a word on the stack that looks like a return address
  cfi_scan,  // call frame information helped by scanning
  frame_pointer,
  cfi,
  prewalked,  // by somebody else, who sent it along
  context,    // the registers themselves
};
std::string_view name_of(Trust trust);      // as the JSON report prints it ("non" for none)
std::string_view sentence_of(Trust trust);  // as the text report prints it after "Found by: "

constexpr std::uint32_t kNoModule = 0xffffffff;

// An unloaded module that once covered the frame's address.
struct UnloadedHit {
  std::uint32_t module = 0;  // index into Crash::unloaded_modules
  std::uint64_t offset = 0;  // of the frame's address in it
};

struct Frame {
  // Adjusted: inside the call, not the return address. Frame 0: the program counter itself.
  base::Address instruction;
  Trust trust = Trust::none;
  bool has_symbol = false;           // `symbol` is filled
  std::uint32_t module = kNoModule;  // index into Crash::modules
  symbols::Hit symbol;               // symbol.start is relative to the module's base
  // Only when no loaded module covers the address: by (name, offset), without duplicates.
  std::vector<UnloadedHit> unloaded;

  bool has_module() const { return module != kNoModule; }

  // Where its registers are in Stack::register_values: the valid ones, in register order.
  std::uint32_t first_register = 0;
  std::uint64_t valid_registers[2] = {0, 0};  // bit i: register_names(cpu).names[i]
};

struct Stack {
  snapshot::Cpu cpu = snapshot::Cpu::unknown;
  std::vector<Frame> frames;
  std::vector<std::uint64_t> register_values;
  bool truncated = false;  // a limit ended it, not the stack itself

  // The registers of frame i; those that are not known are not valid. Register values are not
  // adjusted: the instruction pointer is the return address.
  snapshot::Registers registers(std::size_t frame_index) const;
  void save_registers(Frame& frame, const snapshot::Registers& registers);
};

enum class SymbolState : std::uint8_t {
  not_asked,  // no frame and no candidate touched the module, or there is nobody to ask
  lacking,    // touched, and the source cannot say yet: fetch it and walk again
  missing,    // touched, and nobody has it
  corrupt,    // there is a file, and it must not be used
  loaded,
};

struct ModuleSymbols {
  SymbolState state = SymbolState::not_asked;
  std::shared_ptr<const symbols::Map> map;  // when loaded; perhaps when corrupt
};

struct Walk {
  std::vector<Stack> threads;          // as Crash::threads
  std::vector<ModuleSymbols> modules;  // as Crash::modules
};

}  // namespace unwind
