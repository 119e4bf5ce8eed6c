#include "unwind/cpu.h"

namespace unwind {

bool spend(std::atomic<std::uint64_t>& left, std::uint64_t amount) {
  std::uint64_t have = left.load(std::memory_order_relaxed);
  do {
    if (have < amount) return false;
  } while (!left.compare_exchange_weak(have, have - amount, std::memory_order_relaxed));
  return true;
}

const CpuRules* find_cpu_rules(snapshot::Cpu cpu) {
  switch (cpu) {
    case snapshot::Cpu::amd64:
      return &kAmd64;
    case snapshot::Cpu::x86:
      return &kX86;
    case snapshot::Cpu::arm:
      return &kArm;
    case snapshot::Cpu::arm64:
      return &kArm64;
    case snapshot::Cpu::mips:
      return &kMips;
    default:
      return nullptr;
  }
}

snapshot::Registers empty_registers(snapshot::Cpu cpu) {
  snapshot::Registers registers;
  registers.cpu = cpu;
  return registers;
}

namespace {

void set_at(snapshot::Registers& registers, std::size_t index, std::uint64_t value) {
  registers.values[index] = value;
  registers.valid[index] = true;
}

}  // namespace

void set_instruction_pointer(snapshot::Registers& registers, std::uint64_t value) {
  set_at(registers, snapshot::register_names(registers.cpu).instruction_pointer, value);
}

void set_stack_pointer(snapshot::Registers& registers, std::uint64_t value) {
  set_at(registers, snapshot::register_names(registers.cpu).stack_pointer, value);
}

}  // namespace unwind
