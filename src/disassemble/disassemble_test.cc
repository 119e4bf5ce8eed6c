#include "disassemble/disassemble.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace {

using disassemble::Cpu;
using disassemble::Listing;

Listing must_list(Cpu cpu, std::string_view hex, std::uint64_t start = 0x1000,
                  std::uint64_t size = 4096) {
  const auto bytes = base::bytes_from_hex(hex);
  EXPECT_TRUE(bytes.has_value()) << hex;
  auto listing = disassemble::disassemble(cpu, *bytes, base::Rva{start}, size);
  EXPECT_TRUE(listing.ok());
  return listing.ok() ? *std::move(listing) : Listing{};
}

std::string must_text(Cpu cpu, std::string_view hex) {
  const Listing listing = must_list(cpu, hex);
  return listing.instructions.size() == 1 ? listing.instructions[0].text
                                          : std::to_string(listing.instructions.size()) + " lines";
}

struct Row {
  const char* hex;
  const char* text;
  const char* c_text = "";
};

void expect_rows(Cpu cpu, const std::vector<Row>& rows) {
  for (const auto& [hex, text, c_text] : rows) {
    const Listing listing = must_list(cpu, hex);
    ASSERT_EQ(listing.instructions.size(), 1u) << hex;
    EXPECT_EQ(listing.instructions[0].text, text) << hex;
    EXPECT_EQ(listing.instructions[0].c_text, c_text) << hex;
    EXPECT_EQ(listing.size, std::string_view(hex).size() / 2) << hex;
  }
}

TEST(Disassemble, SaysX86InTwoStyles) {
  expect_rows(
      Cpu::x86_64,
      {
          {"55", "push rbp", "push(rbp)"},
          {"4889e5", "mov rbp, rsp", "rbp = rsp"},
          {"488b7c2410", "mov rdi, qword [rsp + 0x10]", "rdi = [rsp + 0x10]"},
          {"4883c408", "add rsp, 0x8", "rsp += 0x8"},
          {"83c8ff", "or eax, -0x1", "eax |= -0x1"},
          {"488d1dc8ea1a00", "lea rbx, qword [rip + 0x1aeac8]", "rbx = lea(rbx, [rip + 0x1aeac8])"},
          {"458b14f6", "mov r10d, dword [r14 + rsi * 8]", "r10d = [r14 + rsi * 8]"},
          {"64488b042528000000", "mov rax, qword fs:[0x28]", "rax = fs:[0x28]"},
          {"662e0f1f840000000000", "nop word [rax + rax * 1]", "nop"},
          {"c3", "ret", "ret()"},
          {"cc", "int 0x3", "0x3 = int(0x3)"},
          {"ff2542000000", "jmp qword [rip + 0x42]", "jmp [rip + 0x42]"},
      });
}

TEST(Disassemble, KnowsTheInstructionOfAvx2ThatTheLibraryDoesNot) {
  expect_rows(Cpu::x86_64, {{"c4627d5a1d06e5ffff", "vbroadcasti128 ymm11, xmmword [rip - 0x1afa]",
                             "ymm11 = vbroadcasti128(ymm11, [rip - 0x1afa])"}});
}

TEST(Disassemble, SaysConditionsByFlags) {
  EXPECT_EQ(must_text(Cpu::x86_64, "0f94c0"), "setz al");
  EXPECT_EQ(must_text(Cpu::x86_64, "480f45fe"), "cmovnz rdi, rsi");
  EXPECT_EQ(must_text(Cpu::x86_64, "0f83fa000000"), "jnb 0x1100");
  EXPECT_EQ(must_text(Cpu::x86_64, "0fc2c104"), "cmpps xmm0, xmm1, 0x4");
}

TEST(Disassemble, SpellsOutStringInstructions) {
  expect_rows(Cpu::x86_64,
              {
                  {"f348ab", "rep stos qword es:[rdi], rax", "rep qword { es:[rdi++] = rax }"},
                  {"a4", "movs byte es:[rdi], byte ds:[rsi]", "es:[rdi++] = ds:[rsi++]"},
                  {"f2ae", "repnz scas byte es:[rdi], al",
                   "repnz byte { rflags = flags(al - es:[rdi++]) }"},
                  {"f00fb11510000000", "lock cmpxchg dword [rip + 0x10], edx",
                   "lock { [rip + 0x10] = cmpxchg([rip + 0x10], edx) }"},
              });
}

TEST(Disassemble, NamesTheStackTopOfTheOldFloatingPoint) {
  EXPECT_EQ(must_text(Cpu::x86, "dd4508"), "fld st(0), qword [ebp + 0x8]");
  EXPECT_EQ(must_text(Cpu::x86, "dd1c24"), "fstp qword [esp], st(0)");
  EXPECT_EQ(must_text(Cpu::x86, "dec9"), "fmulp st(1), st(0)");
  EXPECT_EQ(must_text(Cpu::x86, "d9c9"), "fxch st(0), st(1)");
}

TEST(Disassemble, TellsWhereJumpsGo) {
  const Listing listing = must_list(Cpu::x86_64,
                                    "e8fb0f0000"
                                    "ebf9",
                                    0x4000);
  ASSERT_EQ(listing.instructions.size(), 2u);
  EXPECT_EQ(listing.instructions[0].text, "call 0x5000");
  EXPECT_EQ(listing.instructions[0].target, base::Rva{0x5000});
  EXPECT_EQ(listing.instructions[1].text, "jmp 0x4000");
  EXPECT_EQ(listing.instructions[1].c_text, "jmp 0x4000");
}

TEST(Disassemble, SaysArm64AsAsked) {
  expect_rows(Cpu::arm64, {
                              {"f657bda9", "stp x22, x21, [sp, #-0x30]!"},
                              {"fd830091", "add x29, sp, #0x20"},
                              {"29114091", "add x9, x9, #0x4, lsl #12"},
                              {"08008052", "mov w8, #0x0"},
                              {"a100a052", "mov w1, #0x50000"},
                              {"00008092", "mov x0, #0xffffffffffffffff"},
                              {"f3e702b2", "mov x19, #0xcccccccccccccccc"},
                              {"ac855ef8", "ldr x12, [x13], #-0x18"},
                              {"88bf3d58", "ldr x8, $+0x7b7f0"},
                              {"080400b0", "adrp x8, $+0x81000"},
                              {"01106e1e", "fmov d1, #1.0"},
                              {"a0000034", "cbz w0, 0x1014"},
                              {"62050037", "tbnz w2, #0x0, 0x10ac"},
                              {"81fdff54", "b.ne 0xfb0"},
                              {"c0035fd6", "ret"},
                          });
}

TEST(Disassemble, KnowsArm64ThatTheLibraryDoesNot) {
  expect_rows(Cpu::arm64, {
                              {"2801e8f8", "ldaddal x8, x8, [x9]"},
                              {"3f0128b8", "stadd w8, [x9]"},
                              {"08c1bf38", "ldaprb w8, [x8]"},
                              {"00fdeb88", "casal w11, w0, [x8]"},
                              {"68820dd9", "stlur x8, [x19, #0xd8]"},
                              {"3f2303d5", "paciasp"},
                              {"5f2403d5", "bti c"},
                              {"ff0b5fd6", "retaa"},
                              {"1f0a1fd6", "braaz x16"},
                              {"110a1fd7", "braa x16, x17"},
                              {"081560d9", "stzg x8, [x8], #0x10"},
                              {"5afb3fd9", "stg x26, [x26, #-0x10]"},
                              {"00000000", "udf #0x0"},
                          });
}

TEST(Disassemble, SaysArmAndThumb) {
  expect_rows(Cpu::arm, {{"14309fe5", "ldr r3, [pc, 0x14]"},
                         {"000052e3", "cmp r2, 0x0"},
                         {"0600a0e1", "mov r0, r6"},
                         {"feffffea", "b 0x1000"}});
  expect_rows(Cpu::thumb, {{"04b4", "push {r2}"},
                           {"dff824a0", "ldr.w r10, [pc, 0x24]"},
                           {"7047", "bx lr"},
                           {"fee7", "b 0x1000"}});
}

// An address that is 2 beyond a multiple of 4: BLX leaves Thumb, whose place is rounded.
TEST(Disassemble, RoundsWhereThumbCallsArm) {
  const Listing listing = must_list(Cpu::thumb,
                                    "c046"
                                    "fff7d4ef",
                                    0x2000);
  ASSERT_EQ(listing.instructions.size(), 2u);
  EXPECT_EQ(listing.instructions[1].text, "blx 0x1fac");
}

TEST(Disassemble, SaysWhatIsNoInstruction) {
  expect_rows(Cpu::x86_64, {{"06", ".byte 0x6    # Invalid instruction 06: invalid opcode",
                             ".byte 0x6    # Invalid instruction 06: invalid opcode"}});
  expect_rows(Cpu::arm64, {{"ffffffff",
                            ".byte 0xff, 0xff, 0xff, 0xff   # Invalid instruction FF FF FF FF: "
                            "undefined encoding"}});
}

TEST(Disassemble, FinishesTheLastInstruction) {
  const Listing listing = must_list(Cpu::x86_64, "554889e5c3", 0x1000, 2);
  ASSERT_EQ(listing.instructions.size(), 2u);
  EXPECT_EQ(listing.size, 4u);
}

TEST(Disassemble, StopsWhereTheBytesEndInAnInstruction) {
  const Listing listing = must_list(Cpu::x86_64, "554889");
  ASSERT_EQ(listing.instructions.size(), 1u);
  EXPECT_EQ(listing.size, 1u);
  EXPECT_EQ(must_list(Cpu::arm64, "c0035fd6c003").size, 4u);
  EXPECT_TRUE(must_list(Cpu::thumb, "").instructions.empty());
}

}  // namespace
