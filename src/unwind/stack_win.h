// STACK WIN: how 32-bit Windows compilers say where a frame's return address is. Two kinds:
// frame data, a little program over variables; and FPO, three sizes.
// Not a parser of records: symbols::Map hands out the one that covers an address.
// Pure functions; a record that cannot be used finds nothing.
// Rules: docs/unwinding.md
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "symbols/cfi.h"
#include "unwind/cpu.h"

namespace unwind {

constexpr std::array<std::string_view, 4> kX86CalleeSaved = {"ebp", "ebx", "edi", "esi"};

// Variables of a program: "$eip", "$T0", ".raSearch" … with their 32-bit values.
using WinVariables = std::map<std::string, std::uint32_t, std::less<>>;

// Runs a postfix program with assignments: "$T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =".
// False when it fails; `variables` is then of no use. Costs one cfi_step per token.
bool run_win_program(std::string_view program, const StackMemory& stack, Budget& budget,
                     WinVariables& variables);

// The caller by the STACK WIN record at the callee's instruction, if there is one.
Caller caller_by_stack_win(const Ground& ground, const Callee& callee);

}  // namespace unwind
