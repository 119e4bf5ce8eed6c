#include "snapshot/context_registers.h"

#include <algorithm>

#include "formats/minidump/context.h"

namespace snapshot {

namespace {

namespace md = minidump;

// The x86 and SPARC tables order registers as reports do, contexts as the hardware does; so
// they meet by name.
std::size_t index_of(const RegisterNames& table, std::string_view name) {
  const auto found = std::find(table.names.begin(), table.names.end(), name);
  return static_cast<std::size_t>(found - table.names.begin());
}

void put_little(std::vector<std::uint8_t>& bytes, std::size_t offset, std::uint64_t value,
                unsigned width) {
  for (unsigned i = 0; i < width; ++i) {
    bytes[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

}  // namespace

Cpu cpu_of_architecture(std::uint16_t architecture) {
  switch (architecture) {
    case md::kX86:
    case md::kX86OnWin64:
      return Cpu::x86;
    case md::kAmd64:
      return Cpu::amd64;
    case md::kArm:
      return Cpu::arm;
    case md::kArm64:
    case md::kArm64Old:
      return Cpu::arm64;
    case md::kPpc:
      return Cpu::ppc;
    case md::kPpc64:
      return Cpu::ppc64;
    case md::kSparc:
      return Cpu::sparc;
    case md::kMips:
      return Cpu::mips;
    case md::kMips64:
      return Cpu::mips64;
    case md::kRiscv32:
      return Cpu::riscv32;
    case md::kRiscv64:
      return Cpu::riscv64;
    default:
      return Cpu::unknown;
  }
}

std::optional<Registers> find_registers(std::uint16_t architecture, base::Bytes context,
                                        base::Endian endian) {
  const md::ContextLayout* layout = md::find_context_layout(architecture);
  if (layout == nullptr || !md::is_context(*layout, context, endian)) return std::nullopt;
  Registers registers;
  registers.cpu = cpu_of_architecture(architecture);
  const RegisterNames& table = register_names(registers.cpu);
  for (const md::ContextRegister& entry : layout->registers) {
    base::Reader reader(context.subspan(entry.offset, entry.width), endian);
    const std::size_t index = index_of(table, entry.name);
    registers.values[index] = reader.sized(entry.width);
    registers.valid[index] = true;
  }
  return registers;
}

base::Bytes float_state_of(std::uint16_t architecture, base::Bytes context) {
  if (architecture != md::kAmd64) return {};
  return base::find_slice(context, md::kAmd64FloatOffset, md::kAmd64FloatSize)
      .value_or(base::Bytes());
}

std::vector<std::uint8_t> context_of(std::uint16_t architecture, const Registers& registers,
                                     base::Bytes float_state) {
  const md::ContextLayout* layout = md::find_context_layout(architecture);
  if (layout == nullptr) return {};
  std::vector<std::uint8_t> bytes(layout->size);
  put_little(bytes, layout->flags_offset, layout->flags_written, 4);
  const RegisterNames& table = register_names(registers.cpu);
  for (const md::ContextRegister& entry : layout->registers) {
    const std::size_t index = index_of(table, entry.name);
    if (index >= table.names.size() || !registers.valid[index]) continue;
    put_little(bytes, entry.offset, registers.values[index], entry.width);
  }
  if (architecture == md::kAmd64 && float_state.size() == md::kAmd64FloatSize) {
    std::copy(float_state.begin(), float_state.end(), bytes.begin() + md::kAmd64FloatOffset);
    put_little(bytes, layout->flags_offset, layout->flags_written | md::kAmd64FloatFlag, 4);
  }
  return bytes;
}

}  // namespace snapshot
