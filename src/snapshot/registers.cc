// The registers of each CPU: names in the order of the text report, then those not shown.
#include "base/assert.h"
#include "snapshot/crash.h"

namespace snapshot {

namespace {

using Names = std::vector<std::string_view>;

RegisterNames make(Names printed, std::string_view instruction_pointer,
                   std::string_view stack_pointer, unsigned width, const Names& hidden = {}) {
  RegisterNames table;
  table.printed = printed.size();
  table.names = std::move(printed);
  table.width = width;
  table.names.insert(table.names.end(), hidden.begin(), hidden.end());
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    if (table.names[i] == instruction_pointer) table.instruction_pointer = i;
    if (table.names[i] == stack_pointer) table.stack_pointer = i;
  }
  ASSERT(table.names.size() <= Registers::kMax);
  return table;
}

constexpr std::string_view kDigits[32] = {
    "0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11", "12", "13", "14", "15",
    "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31"};

// "r0" to "r31": the texts live as long as the program.
Names numbered(std::string_view prefix, std::size_t count) {
  static std::map<std::string, std::vector<std::string>> kept;
  std::vector<std::string>& texts = kept[std::string(prefix)];
  if (texts.empty()) {
    for (const std::string_view digits : kDigits) {
      texts.push_back(std::string(prefix) + std::string(digits));
    }
  }
  return Names(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(count));
}

Names joined(const Names& a, const Names& b, const Names& c = {}) {
  Names all = a;
  all.insert(all.end(), b.begin(), b.end());
  all.insert(all.end(), c.begin(), c.end());
  return all;
}

struct Tables {
  RegisterNames none;
  RegisterNames x86 = make(
      {"eip", "esp", "ebp", "ebx", "esi", "edi", "eax", "ecx", "edx", "eflags"}, "eip", "esp", 4);
  RegisterNames amd64 = make({"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp", "r8", "r9",
                              "r10", "r11", "r12", "r13", "r14", "r15", "rip"},
                             "rip", "rsp", 8,
                             {"rflags", "cs", "ds", "es", "fs", "gs", "ss", "mxcsr", "dr0", "dr1",
                              "dr2", "dr3", "dr6", "dr7"});
  RegisterNames arm =
      make(joined(numbered("r", 11), {"r12", "fp", "sp", "lr", "pc"}), "pc", "sp", 4);
  RegisterNames arm64 = make(joined(numbered("x", 29), {"fp", "lr", "sp", "pc"}), "pc", "sp", 8);
  RegisterNames ppc =
      make(joined({"srr0", "srr1"}, numbered("r", 32), {"cr", "xer", "lr", "ctr", "mq", "vrsave"}),
           "srr0", "r1", 4);
  RegisterNames ppc64 =
      make(joined({"srr0", "srr1"}, numbered("r", 32), {"cr", "xer", "lr", "ctr", "vrsave"}),
           "srr0", "r1", 8);
  RegisterNames sparc =
      make(joined(numbered("g_r", 32), {"ccr", "pc", "npc", "y", "asi", "fprs"}), "pc", "g_r14", 8);
  RegisterNames mips =
      make({"gp", "sp", "fp", "ra", "pc", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"}, "pc",
           "sp", 8);
};

std::optional<std::size_t> find_index(Cpu cpu, std::string_view name) {
  const RegisterNames& table = register_names(cpu);
  for (std::size_t i = 0; i < table.names.size(); ++i) {
    if (table.names[i] == name) return i;
  }
  return std::nullopt;
}

}  // namespace

const RegisterNames& register_names(Cpu cpu) {
  static const Tables kTables;
  switch (cpu) {
    case Cpu::x86:
      return kTables.x86;
    case Cpu::amd64:
      return kTables.amd64;
    case Cpu::arm:
      return kTables.arm;
    case Cpu::arm64:
      return kTables.arm64;
    case Cpu::ppc:
      return kTables.ppc;
    case Cpu::ppc64:
      return kTables.ppc64;
    case Cpu::sparc:
      return kTables.sparc;
    case Cpu::mips:
      return kTables.mips;
    case Cpu::mips64:
    case Cpu::riscv32:
    case Cpu::riscv64:
    case Cpu::unknown:
      break;
  }
  return kTables.none;
}

std::optional<std::uint64_t> Registers::find(std::string_view name) const {
  const auto index = find_index(cpu, name);
  if (!index || !valid[*index]) return std::nullopt;
  return values[*index];
}

void Registers::set(std::string_view name, std::uint64_t value) {
  const auto index = find_index(cpu, name);
  ASSERT(index.has_value());
  values[*index] = value;
  valid[*index] = true;
}

void Registers::clear(std::string_view name) {
  const auto index = find_index(cpu, name);
  if (!index) return;
  values[*index] = 0;
  valid[*index] = false;
}

std::uint64_t Registers::instruction_pointer() const {
  return values[register_names(cpu).instruction_pointer];
}

std::uint64_t Registers::stack_pointer() const { return values[register_names(cpu).stack_pointer]; }

unsigned address_width(Cpu cpu) {
  switch (cpu) {
    case Cpu::x86:
    case Cpu::arm:
    case Cpu::ppc:
    case Cpu::sparc:
    case Cpu::mips:
    case Cpu::riscv32:
      return 4;
    case Cpu::amd64:
    case Cpu::arm64:
    case Cpu::ppc64:
    case Cpu::mips64:
    case Cpu::riscv64:
    case Cpu::unknown:
      break;
  }
  return 8;
}

std::string_view name_of(Cpu cpu) {
  switch (cpu) {
    case Cpu::x86:
      return "x86";
    case Cpu::amd64:
      return "amd64";
    case Cpu::arm:
      return "arm";
    case Cpu::arm64:
      return "arm64";
    case Cpu::ppc:
      return "ppc";
    case Cpu::ppc64:
      return "ppc64";
    case Cpu::sparc:
      return "sparc";
    case Cpu::mips:
      return "mips";
    case Cpu::mips64:
      return "mips64";
    case Cpu::riscv32:
      return "riscv32";
    case Cpu::riscv64:
      return "riscv64";
    case Cpu::unknown:
      break;
  }
  return "unknown";
}

}  // namespace snapshot
