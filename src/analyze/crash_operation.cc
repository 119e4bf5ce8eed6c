#include "analyze/crash_operation.h"

#include <algorithm>

#include "analyze/amd64_instruction.h"

namespace analyze {

using snapshot::Crash;
using snapshot::Registers;

namespace {

bool is_jump_on_condition(std::string_view mnemonic) {
  return mnemonic.starts_with('j') && mnemonic != "jmp" && mnemonic != "jmpf";
}

bool one_of(std::string_view mnemonic, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), mnemonic) != names.end();
}

bool is_derivable(std::string_view mnemonic) {
  return is_jump_on_condition(mnemonic) ||
         one_of(mnemonic, {"add", "sub", "inc", "dec", "cmp", "ucomiss", "mov", "movaps", "movups",
                           "push", "call", "jmp", "jmpf", "pop", "ret", "retf", "lea"});
}

// What the instruction does with its operand number `index`.
AccessType access_of(std::string_view mnemonic, std::size_t index) {
  if (one_of(mnemonic, {"add", "sub"}))
    return index == 0 ? AccessType::read_write : AccessType::read;
  if (one_of(mnemonic, {"inc", "dec"})) return AccessType::read_write;
  if (one_of(mnemonic, {"cmp", "ucomiss", "push", "call", "jmp", "jmpf"})) return AccessType::read;
  if (one_of(mnemonic, {"mov", "movaps", "movups"})) {
    return index == 0 ? AccessType::write : AccessType::read;
  }
  return mnemonic == "pop" ? AccessType::write : AccessType::unknown;
}

// The place an operand names. Segment bases are not known; an address relative to the
// instruction pointer is taken from the instruction itself, as the field does, not from the next.
std::uint64_t place_of(const Operand& operand, const Registers& registers) {
  std::uint64_t place = static_cast<std::uint64_t>(operand.displacement);
  if (!operand.base.empty()) place += registers.find(operand.base).value_or(0);
  if (!operand.index.empty()) {
    place += registers.find(operand.index).value_or(0) * operand.scale;
  }
  return place;
}

std::optional<std::uint64_t> find_word(const Crash& crash, std::uint64_t place) {
  const snapshot::MemoryRegion* region = crash.find_memory({place}, 8);
  if (region == nullptr) return std::nullopt;
  return base::Reader(region->bytes.subspan(place - region->base.value, 8), crash.endian).u64();
}

// From the crashing thread's stack, which need not be in the memory list.
std::optional<std::uint64_t> find_stack_word(const Crash& crash, std::uint64_t place) {
  const auto thread = crash.requesting_thread();
  if (!thread) return std::nullopt;
  const snapshot::MemoryRegion& stack = crash.threads[*thread].stack;
  if (place < stack.base.value) return find_word(crash, place);
  const auto word = base::find_slice(stack.bytes, place - stack.base.value, 8);
  return word ? base::Reader(*word, crash.endian).u64() : find_word(crash, place);
}

void list_accesses(CrashOperation& operation, const Instruction& instruction,
                   const Registers& registers) {
  operation.accesses.emplace();
  if (instruction.memory_size == 0 || instruction.mnemonic == "lea") return;
  const auto add = [&](std::uint64_t address, AccessType type, bool is_null) {
    operation.accesses->push_back({address, instruction.memory_size, type, false});
    operation.is_null.push_back(is_null);
  };
  for (std::size_t i = 0; i < instruction.operands.size(); ++i) {
    const Operand& operand = instruction.operands[i];
    if (operand.kind != Operand::Kind::memory) continue;
    if (!operand.is_computable) {
      operation.accesses.reset();
      return;
    }
    const bool is_null = !operand.base.empty() && registers.find(operand.base) == 0u;
    add(place_of(operand, registers), access_of(instruction.mnemonic, i), is_null);
  }
  const std::uint64_t stack = registers.stack_pointer();
  if (one_of(instruction.mnemonic, {"call", "push"})) add(stack - 8, AccessType::write, false);
  if (one_of(instruction.mnemonic, {"pop", "ret", "retf"})) add(stack, AccessType::read, false);
}

void find_pointer_update(CrashOperation& operation, const Instruction& instruction,
                         const Crash& crash, const Registers& registers) {
  const std::string_view mnemonic = instruction.mnemonic;
  if (mnemonic.starts_with("ret") || mnemonic.starts_with("iret")) {
    operation.pointer_update = find_stack_word(crash, registers.stack_pointer());
  } else if (one_of(mnemonic, {"call", "callf", "jmp", "jmpf"})) {
    const Operand& target = instruction.operands.front();
    if (target.kind == Operand::Kind::gpr && !target.gpr.empty()) {
      operation.pointer_update = registers.find(target.gpr);
    } else if (target.kind == Operand::Kind::memory && target.is_computable) {
      operation.pointer_update = find_word(crash, place_of(target, registers));
    }
  } else {
    // Whether a condition was met is not known; nothing else but these moves the pointer.
    operation.has_pointer_update = !is_jump_on_condition(mnemonic);
    return;
  }
  operation.has_pointer_update = operation.pointer_update.has_value();
}

}  // namespace

std::optional<CrashOperation> find_crash_operation(const Crash& crash) {
  const auto& registers = crash.exception->registers;
  if (crash.system.cpu != snapshot::Cpu::amd64 || !registers) return std::nullopt;
  const base::Address pointer{registers->instruction_pointer()};
  const snapshot::MemoryRegion* code = crash.find_memory(pointer, 1);
  if (code == nullptr) return std::nullopt;
  const auto instruction = decode_amd64(code->bytes.subspan((pointer - code->base).value));
  if (!instruction) return std::nullopt;

  CrashOperation operation;
  operation.mnemonic = instruction->mnemonic;
  operation.text = instruction->text;
  operation.is_derivable = is_derivable(instruction->mnemonic);
  list_accesses(operation, *instruction, *registers);
  find_pointer_update(operation, *instruction, crash, *registers);
  for (const Operand& operand : instruction->operands) {
    if (!operand.is_computable) continue;
    for (const std::string_view name : {operand.base, operand.index}) {
      if (!name.empty()) operation.registers.push_back(name);
    }
  }
  std::sort(operation.registers.begin(), operation.registers.end());
  const auto end = std::unique(operation.registers.begin(), operation.registers.end());
  operation.registers.erase(end, operation.registers.end());
  return operation;
}

}  // namespace analyze
