#include "formats/minidump/context.h"

#include <initializer_list>

namespace minidump {

namespace {

// Every bit that says which CPU a context is of. Service and exception bits that Windows sets
// at the top overlap with ARM's, SPARC's and old ARM64's; the field's tools refuse these too.
constexpr std::uint32_t kCpuFlags = 0x00010000 | 0x00040000 | 0x00080000 | 0x00100000 | 0x00400000 |
                                    0x01000000 | 0x10000000 | 0x20000000 | 0x40000000 | 0x80000000;

class Builder {
 public:
  Builder(std::uint32_t size, std::uint32_t cpu_flag, std::uint32_t parts,
          std::uint8_t flags_offset = 0, std::uint8_t flags_width = 4) {
    layout_.size = size;
    layout_.cpu_flag = cpu_flag;
    layout_.flags_written = cpu_flag | parts;
    layout_.flags_offset = flags_offset;
    layout_.flags_width = flags_width;
  }
  // Registers that lie one after the other.
  Builder& at(unsigned offset, unsigned width, std::initializer_list<std::string> names) {
    for (const std::string& name : names) {
      layout_.registers.push_back(
          {name, static_cast<std::uint16_t>(offset), static_cast<std::uint8_t>(width)});
      offset += width;
    }
    return *this;
  }
  // "r0" to "r31".
  Builder& numbered(unsigned offset, unsigned width, std::string_view prefix) {
    constexpr unsigned kCount = 32;
    for (unsigned i = 0; i < kCount; ++i) {
      at(offset + i * width, width, {std::string(prefix) + std::to_string(i)});
    }
    return *this;
  }
  ContextLayout take() { return std::move(layout_); }

 private:
  ContextLayout layout_;
};

ContextLayout amd64() {
  return Builder(0x4d0, 0x00100000, 0x17, 0x30)
      .at(0x78, 8,
          {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
           "r13", "r14", "r15", "rip"})
      .at(0x34, 4, {"mxcsr"})
      .at(0x38, 2, {"cs", "ds", "es", "fs", "gs", "ss"})
      .at(0x44, 4, {"rflags"})
      .at(0x48, 8, {"dr0", "dr1", "dr2", "dr3", "dr6", "dr7"})
      .take();
}

ContextLayout x86() {
  return Builder(0x2cc, 0x00010000, 0x7)
      .at(0x9c, 4, {"edi", "esi", "ebx", "edx", "ecx", "eax", "ebp", "eip"})
      .at(0xc0, 4, {"eflags", "esp"})
      .take();
}

ContextLayout arm() {
  return Builder(368, 0x40000000, 0x6)
      .at(4, 4,
          {"r0", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "fp", "r12", "sp",
           "lr", "pc"})
      .take();
}

#define ARM64_X                                                                                  \
  "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", \
      "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", \
      "x28", "fp", "lr", "sp", "pc"

ContextLayout arm64() { return Builder(912, 0x00400000, 0x7).at(8, 8, {ARM64_X}).take(); }

ContextLayout arm64_old() { return Builder(796, 0x80000000, 0x7, 0, 8).at(8, 8, {ARM64_X}).take(); }
#undef ARM64_X

ContextLayout ppc() {
  return Builder(1004, 0x20000000, 0x1)
      .at(4, 4, {"srr0", "srr1"})
      .numbered(12, 4, "r")
      .at(140, 4, {"cr", "xer", "lr", "ctr", "mq", "vrsave"})
      .take();
}

ContextLayout ppc64() {
  return Builder(1160, 0x01000000, 0x1, 0, 8)
      .at(8, 8, {"srr0", "srr1"})
      .numbered(24, 8, "r")
      .at(280, 8, {"cr", "xer", "lr", "ctr", "vrsave"})
      .take();
}

ContextLayout sparc() {
  return Builder(584, 0x10000000, 0x3)
      .numbered(8, 8, "g_r")
      .at(264, 8, {"ccr", "pc", "npc", "y", "asi", "fprs"})
      .take();
}

// 64-bit registers also where the process has 32-bit ones.
ContextLayout mips() {
  constexpr unsigned kFirst = 8;
  return Builder(600, 0x00040000, 0x3)
      .at(kFirst + 16 * 8, 8, {"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"})
      .at(kFirst + 28 * 8, 8, {"gp", "sp", "fp", "ra"})
      .at(kFirst + 32 * 8 + 16 + 12 + 12 + 8, 8, {"pc"})
      .take();
}

}  // namespace

const ContextLayout* find_context_layout(std::uint16_t architecture) {
  static const ContextLayout kAmd64Layout = amd64(), kX86Layout = x86(), kArmLayout = arm(),
                             kArm64Layout = arm64(), kArm64OldLayout = arm64_old(),
                             kPpcLayout = ppc(), kPpc64Layout = ppc64(), kSparcLayout = sparc(),
                             kMipsLayout = mips();
  switch (architecture) {
    case kAmd64:
      return &kAmd64Layout;
    case kX86:
    case kX86OnWin64:
      return &kX86Layout;
    case kArm:
      return &kArmLayout;
    case kArm64:
      return &kArm64Layout;
    case kArm64Old:
      return &kArm64OldLayout;
    case kPpc:
      return &kPpcLayout;
    case kPpc64:
      return &kPpc64Layout;
    case kSparc:
      return &kSparcLayout;
    case kMips:
      return &kMipsLayout;
    default:
      return nullptr;
  }
}

bool is_context(const ContextLayout& layout, base::Bytes bytes, base::Endian endian) {
  if (bytes.size() < layout.size) return false;
  base::Reader reader(bytes.subspan(layout.flags_offset), endian);
  const std::uint64_t flags = reader.sized(layout.flags_width);
  return (flags & kCpuFlags) == layout.cpu_flag;
}

}  // namespace minidump
