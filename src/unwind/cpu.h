// What differs between CPUs when a stack is walked: a handful of facts and three ways to find
// the caller of a frame. One CpuRules per CPU, in the file of its name (amd64.cc, x86.cc …);
// walker.cc drives them and knows no CPU.
// Pure functions over what they are given; any thread.
// Rules: docs/unwinding.md
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "snapshot/crash.h"
#include "unwind/frame.h"
#include "unwind/module_table.h"
#include "unwind/stack_memory.h"

namespace unwind {

// Work that a hostile stack or symbol file could make endless; shared by all threads.
struct Budget {
  std::atomic<std::uint64_t> frames;
  std::atomic<std::uint64_t> scan_words;
  std::atomic<std::uint64_t> cfi_steps;
};
// Takes `amount` from one part of a budget; false when it is used up.
bool spend(std::atomic<std::uint64_t>& left, std::uint64_t amount);

// Where a walk takes place: the same for all frames of one stack.
struct Ground {
  const snapshot::Crash& crash;
  ModuleTable& modules;
  StackMemory stack;
  Budget& budget;
};

// The frame whose caller is wanted.
struct Callee {
  const snapshot::Registers& registers;
  base::Address instruction;  // adjusted
  Trust trust = Trust::none;
  std::uint32_t module = kNoModule;
  // Bytes of parameters that the frame inside this one was called with: on x86 they lie
  // between this frame's locals and what it calls.
  std::uint32_t inner_parameter_size = 0;

  bool is_context() const { return trust == Trust::context; }
  std::optional<std::uint64_t> find(std::string_view name) const { return registers.find(name); }
};

// The registers after a return from the callee. A strategy that finds nothing leaves nullopt.
using Caller = std::optional<snapshot::Registers>;

struct CpuRules {
  snapshot::Cpu cpu;
  unsigned return_adjust;  // from a return address back into the call
  Caller (*by_cfi)(const Ground&, const Callee&);
  Caller (*by_frame_pointer)(const Ground&, const Callee&);
  Caller (*by_scan)(const Ground&, const Callee&);
  // Whether a caller may have the same stack pointer as its callee (leaf functions of CPUs
  // that keep the return address in a register). Null: never.
  bool (*may_stand_still)(const Callee&, const snapshot::Registers& caller, Trust caller_trust);
};

// Nothing for CPUs that are not walked: their stacks have the context frame only.
const CpuRules* find_cpu_rules(snapshot::Cpu cpu);

extern const CpuRules kAmd64;
extern const CpuRules kX86;
extern const CpuRules kArm;
extern const CpuRules kArm64;
extern const CpuRules kMips;

// A register file of this CPU in which nothing is known.
snapshot::Registers empty_registers(snapshot::Cpu cpu);
void set_instruction_pointer(snapshot::Registers& registers, std::uint64_t value);
void set_stack_pointer(snapshot::Registers& registers, std::uint64_t value);

}  // namespace unwind
