#include "snapshot/context_registers.h"

#include <gtest/gtest.h>

#include "testing/assembler.h"

namespace {

using testing_support::Assembler;

TEST(ContextRegisters, Amd64StandWhereMicrosoftPutThem) {
  Assembler a;
  a.repeat(0, 0x30).u32(0x10001f).repeat(0, 0x44 - 0x34).u32(0x246).repeat(0, 0x78 - 0x48);
  for (std::uint64_t i = 0; i < 17; ++i) a.u64(0x1000 + i);  // rax rcx rdx rbx rsp … rip
  a.repeat(0xf5, 512).repeat(0, 0x4d0 - 0x300);
  const auto bytes = a.finish();
  const auto registers = snapshot::find_registers(9, bytes, base::Endian::little);
  ASSERT_TRUE(registers.has_value());
  EXPECT_EQ(0x1001u, registers->find("rcx").value());
  EXPECT_EQ(0x1004u, registers->stack_pointer());
  EXPECT_EQ(0x1010u, registers->instruction_pointer());
  EXPECT_EQ(0x246u, registers->find("rflags").value());
  EXPECT_EQ(512u, snapshot::float_state_of(9, bytes).size());
  EXPECT_EQ(0xf5, snapshot::float_state_of(9, bytes).front());
}

TEST(ContextRegisters, AnotherCpusFlagsOrTooFewBytesAreNoContext) {
  Assembler a;
  a.repeat(0, 0x30).u32(0x10001f).repeat(0, 0x4d0 - 0x34);
  const auto good = a.finish();
  const auto accepted = [](std::uint16_t architecture, base::Bytes bytes) {
    return snapshot::find_registers(architecture, bytes, base::Endian::little).has_value();
  };
  EXPECT_TRUE(accepted(9, good));
  EXPECT_FALSE(accepted(9, base::Bytes(good).first(good.size() - 1)));
  EXPECT_FALSE(accepted(0, good));   // x86 has its flags elsewhere
  EXPECT_FALSE(accepted(99, good));  // nobody's architecture
  auto two = good;
  two[0x32] |= 0x40;  // ARM64's bit beside ours
  EXPECT_FALSE(accepted(9, two));
}

TEST(ContextRegisters, WhatIsWrittenIsReadAgainOnEveryCpu) {
  const std::vector<std::uint16_t> architectures = {0, 1, 3, 5, 9, 10, 12, 0x8001, 0x8002, 0x8003};
  for (const std::uint16_t architecture : architectures) {
    const snapshot::Cpu cpu = snapshot::cpu_of_architecture(architecture);
    snapshot::Registers registers;
    registers.cpu = cpu;
    std::uint64_t value = 0x11;
    for (const std::string_view name : snapshot::register_names(cpu).names) {
      registers.set(name, value++);
    }
    const std::vector<std::uint8_t> floats(512, 0x33);
    const auto bytes = snapshot::context_of(architecture, registers, floats);
    const auto read = snapshot::find_registers(architecture, bytes, base::Endian::little);
    ASSERT_TRUE(read.has_value()) << architecture;
    EXPECT_EQ(registers, *read) << architecture;
  }
}

TEST(RegisterNames, PrintTheInstructionPointerAndNotTheFlagsOfAmd64) {
  const snapshot::RegisterNames& names = snapshot::register_names(snapshot::Cpu::amd64);
  EXPECT_EQ(17u, names.printed);
  EXPECT_EQ("rip", names.names[names.instruction_pointer]);
  EXPECT_EQ("rsp", names.names[names.stack_pointer]);
}

}  // namespace
