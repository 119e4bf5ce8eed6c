// Texts are minidump-stackwalk's for dumps made by hand; each code is followed by nops.
#include <gtest/gtest.h>

#include "analyze/amd64_instruction.h"
#include "base/text.h"

namespace {

struct Row {
  const char* code;
  const char* text;  // "" when it is no instruction
};

TEST(Amd64Decoder, SpeaksTheReferencesDialect) {
  static constexpr Row kRows[] = {
      {"8b0418", "mov eax, dword [rax + rbx * 1]"},
      {"8b4410f0", "mov eax, dword [rax + rdx * 1 - 0x10]"},
      {"8b041d44000000", "mov eax, dword [rbx * 1 + 0x44]"},
      {"8b042544000000", "mov eax, dword [0x44]"},
      {"8b04a5ffffffff", "mov eax, dword [0xffffffff]"},
      {"8b04250000ff80", "mov eax, dword [0x80ff0000]"},
      {"678b0418", "mov eax, dword [eax + ebx * 1]"},
      {"66c7000180", "mov word [rax], -0x7fff"},
      {"48c700feffffff", "mov qword [rax], -0x2"},
      {"c600ff", "mov byte [rax], -0x1"},
      {"b8ffffffff", "mov eax, -0x1"},
      {"48b8ffffffffffffff7f", "mov rax, 0x7fffffffffffffff"},
      {"4883c0ff", "add rax, -0x1"},
      {"0500000080", "add eax, -0x80000000"},
      {"6aff", "push -0x1"},
      {"b0ff", "mov al, 0xff"},
      {"a8ff", "test al, -0x1"},
      {"6bc0ff", "imul eax, eax, -0x1"},
      {"d120", "shl dword [rax], 0x1"},
      {"cd80", "int 0x80"},
      {"cc", "int 0x3"},
      {"c3", "ret"},
      {"c20800", "ret 0x8"},
      {"cb", "retf"},
      {"48cf", "iretq"},
      {"e8fbffffff", "call $-0x5"},
      {"ebfe", "jmp $-0x2"},
      {"74fe", "jz $-0x2"},
      {"ff20", "jmp qword [rax]"},
      {"ff28", "jmpf mword [rax]"},
      {"ff30", "push qword [rax]"},
      {"8f00", "pop qword [rax]"},
      {"50", "push rax"},
      {"f390", "nop"},
      {"f4", "hlt"},
      {"f3aa", "rep stos byte es:[rdi], al"},
      {"f348ab", "rep stos qword es:[rdi], rax"},
      {"ac", "lods al, byte [rsi]"},
      {"a6", "cmps byte ds:[rdi], byte es:[rsi]"},
      {"f2ae", "repnz scas byte es:[rdi], al"},
      {"e4ff", "in al, 0xff"},
      {"ee", "out dx, al"},
      {"0f05", "syscall"},
      {"0f0b", "ud2"},
      {"660f1f440000", "nop word [rax + rax * 1]"},
      {"0f28c1", "movaps xmm0, xmm1"},
      {"0f2900", "movaps xmmword [rax], xmm0"},
      {"f30f1000", "movss xmm0, dword [rax]"},
      {"660f1000", "movupd xmm0, xmmword [rax]"},
      {"0f2e00", "ucomiss xmm0, dword [rax]"},
      {"660f6f00", "movdqa xmm0, xmmword [rax]"},
      {"f30f6f00", "movdqu xmm0, xmmword [rax]"},
      {"660fd600", "movq qword [rax], xmm0"},
      {"0fb700", "movzx eax, word [rax]"},
      {"480fb600", "movzx rax, byte [rax]"},
      {"0fbe00", "movsx eax, byte [rax]"},
      {"4863c0", "movsxd rax, eax"},
      {"480fafc3", "imul rax, rbx"},
      {"f00fb108", "lock cmpxchg dword [rax], ecx"},
      {"480fc8", "bswap rax"},
      {"0f4400", "cmovz eax, dword [rax]"},
      {"0f9400", "setz byte [rax]"},
      {"8700", "xchg dword [rax], eax"},
      {"f731", "div dword [rcx]"},
      {"48f7f9", "idiv rcx"},
      {"f60080", "test byte [rax], -0x80"},
      {"fe00", "inc byte [rax]"},
      {"48ff08", "dec qword [rax]"},
      {"658b042530000000", "mov eax, dword gs:[0x30]"},
      {"6548890425300000", "mov qword gs:[0x90000030], rax"},
      {"e800000000", "call $+0x0"},
      {"41ff27", "jmp qword [r15]"},
      {"4a8b04bd00000000", "mov rax, qword [r15 * 4]"},
      {"428b0420", "mov eax, dword [rax + r12 * 1]"},
      {"8b0424", "mov eax, dword [rsp]"},
      {"41894500", "mov dword [r13], eax"},
      {"498b5c2408", "mov rbx, qword [r12 + 0x8]"},
      {"803800", "cmp byte [rax], 0x0"},
      {"48a10010000000000000", "mov rax, qword [0x1000]"},
      {"488d4308", "lea rax, qword [rbx + 0x8]"},
      {"488d04c500000000", "lea rax, qword [rax * 8]"},
      {"06", ""},
      {"0fc700", ""},
  };
  for (const Row& row : kRows) {
    auto code = base::bytes_from_hex(row.code).value();
    code.resize(code.size() + 16, 0x90);
    const auto instruction = analyze::decode_amd64(code);
    EXPECT_EQ(row.text, instruction ? instruction->text : "") << row.code;
  }
}

TEST(Amd64Decoder, FindsNothingInAnInstructionThatIsCutOff) {
  const auto whole = base::bytes_from_hex("48c7842490030000feffffff").value();
  ASSERT_EQ("mov qword [rsp + 0x390], -0x2", analyze::decode_amd64(whole)->text);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(analyze::decode_amd64(base::Bytes(whole).first(size)).has_value()) << size;
  }
}

TEST(Amd64Decoder, AnswersAnyTwoBytes) {
  std::vector<std::uint8_t> code(16, 0x41);
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      code[0] = static_cast<std::uint8_t>(first);
      code[1] = static_cast<std::uint8_t>(second);
      const auto instruction = analyze::decode_amd64(code);
      EXPECT_TRUE(!instruction || !instruction->text.empty());
    }
  }
}

}  // namespace
