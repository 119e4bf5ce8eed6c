// Mach exceptions. Source: xnu's osfmk/mach/exception_types.h, kern_return.h, and the
// <arch>/exception.h and exc_resource.h, exc_guard.h beside them.
#include <fmt/format.h>

#include <span>

#include "analyze/crash_reason.h"

namespace analyze {

using snapshot::Cpu;
using snapshot::Exception;

namespace {

struct Name {
  std::uint64_t code;
  std::string_view text;
};
using Names = std::span<const Name>;

std::string_view find(Names names, std::uint64_t code) {
  for (const Name& name : names) {
    if (name.code == code) return name.text;
  }
  return {};
}

constexpr Name kExceptions[] = {
    {1, "EXC_BAD_ACCESS"}, {2, "EXC_BAD_INSTRUCTION"}, {3, "EXC_ARITHMETIC"},
    {4, "EXC_EMULATION"},  {5, "EXC_SOFTWARE"},        {6, "EXC_BREAKPOINT"},
    {7, "EXC_SYSCALL"},    {8, "EXC_MACH_SYSCALL"},    {9, "EXC_RPC_ALERT"},
    {11, "EXC_RESOURCE"},  {12, "EXC_GUARD"}};

// Crashpad's "CPsx": it was asked for a dump, nothing crashed.
constexpr std::uint32_t kSimulated = 0x43507378;
constexpr std::uint32_t kResource = 11, kGuard = 12;

constexpr Name kAccessAll[] = {{1, "KERN_INVALID_ADDRESS"}, {2, "KERN_PROTECTION_FAILURE"},
                               {5, "KERN_FAILURE"},         {8, "KERN_NO_ACCESS"},
                               {9, "KERN_MEMORY_FAILURE"},  {10, "KERN_MEMORY_ERROR"},
                               {50, "KERN_CODESIGN_ERROR"}};
constexpr Name kAccessArm64[] = {{0x101, "EXC_ARM_DA_ALIGN"},
                                 {0x102, "EXC_ARM_DA_DEBUG"},
                                 {0x103, "EXC_ARM_SP_ALIGN"},
                                 {0x104, "EXC_ARM_SWP"},
                                 {0x105, "EXC_ARM_PAC_FAIL"}};
constexpr Name kAccessPpc[] = {
    {0x101, "EXC_PPC_VM_PROT_READ"}, {0x102, "EXC_PPC_BADSPACE"}, {0x103, "EXC_PPC_UNALIGNED"}};
constexpr Name kAccessX86[] = {{13, "EXC_I386_GPFLT"}};

constexpr Name kInstructionArm64[] = {{1, "EXC_ARM_UNDEFINED"}};
constexpr Name kInstructionPpc[] = {{1, "EXC_PPC_INVALID_SYSCALL"}, {2, "EXC_PPC_UNIPL_INST"},
                                    {3, "EXC_PPC_PRIVINST"},        {4, "EXC_PPC_PRIVREG"},
                                    {5, "EXC_PPC_TRACE"},           {6, "EXC_PPC_PERFMON"}};
constexpr Name kInstructionX86[] = {{1, "EXC_I386_INVOP"},     {10, "EXC_I386_INVTSSFLT"},
                                    {11, "EXC_I386_SEGNPFLT"}, {12, "EXC_I386_STKFLT"},
                                    {13, "EXC_I386_GPFLT"},    {17, "EXC_I386_ALIGNFLT"}};

constexpr Name kArithmeticArm64[] = {{1, "EXC_ARM_FP_IO"}, {2, "EXC_ARM_FP_DZ"},
                                     {3, "EXC_ARM_FP_OF"}, {4, "EXC_ARM_FP_UF"},
                                     {5, "EXC_ARM_FP_IX"}, {6, "EXC_ARM_FP_ID"}};
constexpr Name kArithmeticPpc[] = {
    {1, "EXC_PPC_OVERFLOW"},         {2, "EXC_PPC_ZERO_DIVIDE"},   {3, "EXC_FLT_INEXACT"},
    {4, "EXC_PPC_FLT_ZERO_DIVIDE"},  {5, "EXC_PPC_FLT_UNDERFLOW"}, {6, "EXC_PPC_FLT_OVERFLOW"},
    {7, "EXC_PPC_FLT_NOT_A_NUMBER"}, {8, "EXC_PPC_NOEMULATION"},   {9, "EXC_PPC_ALTIVECASSIST"}};
constexpr Name kArithmeticX86[] = {{1, "EXC_I386_DIV"},    {2, "EXC_I386_INTO"},
                                   {3, "EXC_I386_NOEXT"},  {4, "EXC_I386_EXTOVR"},
                                   {5, "EXC_I386_EXTERR"}, {6, "EXC_I386_EMERR"},
                                   {7, "EXC_I386_BOUND"},  {8, "EXC_I386_SSEEXTERR"}};

constexpr Name kSoftware[] = {{0x10002, "SIGABRT"},
                              {0xdeadc0de, "UNCAUGHT_NS_EXCEPTION"},
                              {1, "EXC_PPC_TRAP"},
                              {0x10100, "EXC_PPC_MIGRATE"}};

constexpr Name kBreakpointArm64[] = {{1, "EXC_ARM_BREAKPOINT"}};
constexpr Name kBreakpointPpc[] = {{1, "EXC_PPC_BREAKPOINT"}};
constexpr Name kBreakpointX86[] = {{1, "EXC_I386_SGL"}, {2, "EXC_I386_BPT"}};

Names by_cpu(Cpu cpu, Names arm64, Names ppc, Names x86) {
  switch (cpu) {
    case Cpu::arm64:
      return arm64;
    case Cpu::ppc:
      return ppc;
    case Cpu::x86:
    case Cpu::amd64:
      return x86;
    default:
      return {};
  }
}

std::string_view detail_of(const Exception& exception, Cpu cpu) {
  switch (exception.code) {
    case 1: {
      const std::string_view text = find(kAccessAll, exception.flags);
      if (!text.empty()) return text;
      return find(by_cpu(cpu, kAccessArm64, kAccessPpc, kAccessX86), exception.flags);
    }
    case 2:
      return find(by_cpu(cpu, kInstructionArm64, kInstructionPpc, kInstructionX86),
                  exception.flags);
    case 3:
      return find(by_cpu(cpu, kArithmeticArm64, kArithmeticPpc, kArithmeticX86), exception.flags);
    case 5:
      return find(kSoftware, exception.flags);
    case 6:
      return find(by_cpu(cpu, kBreakpointArm64, kBreakpointPpc, kBreakpointX86), exception.flags);
    default:
      return {};
  }
}

// code and subcode of the two exceptions that carry numbers packed into bits.
struct Codes {
  std::uint64_t code = 0, subcode = 0;
  std::string text(std::string_view head) const {
    return fmt::format("{} / 0x{:016x} / 0x{:016x}", head, code, subcode);
  }
};

Codes codes_of(const Exception& exception) {
  const auto& parameters = exception.parameters;
  return {parameters.size() > 1 ? parameters[1] : 0, parameters.size() > 2 ? parameters[2] : 0};
}

std::string resource_reason(const Exception& exception) {
  const Codes codes = codes_of(exception);
  const auto [code, subcode] = codes;
  const std::uint64_t flavor = code >> 58 & 7;
  switch (exception.flags >> 29) {
    case 1: {
      constexpr std::string_view kHead = "EXC_RESOURCE / RESOURCE_TYPE_CPU";
      if (flavor != 1 && flavor != 2) return codes.text(kHead);
      // Both percentages have 7 bits in xnu; the field's tools keep 3 of them, and so do we.
      return fmt::format("{} / {} interval: {}s CPU limit: {}% CPU consumed: {}%", kHead,
                         flavor == 1 ? "FLAVOR_CPU_MONITOR" : "FLAVOR_CPU_MONITOR_FATAL",
                         code >> 7 & 0x1ffffff, code & 7, subcode & 7);
    }
    case 2: {
      constexpr std::string_view kHead = "EXC_RESOURCE / RESOURCE_TYPE_WAKEUPS";
      if (flavor != 1) return codes.text(kHead);
      return fmt::format(
          "{} / FLAVOR_WAKEUPS_MONITOR interval: {}s wakeups permitted: {} wakeups observed: {}",
          kHead, code >> 20 & 0xfffff, code & 0xfff, subcode & 0xfff);
    }
    case 3: {
      constexpr std::string_view kHead = "EXC_RESOURCE / RESOURCE_TYPE_MEMORY";
      if (flavor != 1) return codes.text(kHead);
      return fmt::format("{} / FLAVOR_HIGH_WATERMARK high watermark limit: {}MiB", kHead,
                         code & 0x1fff);
    }
    case 4: {
      constexpr std::string_view kHead = "EXC_RESOURCE / RESOURCE_TYPE_IO";
      if (flavor != 1 && flavor != 2) return codes.text(kHead);
      return fmt::format("{} / {} interval: {}s I/O limit: {}% I/O observed: {}%", kHead,
                         flavor == 1 ? "FLAVOR_IO_PHYSICAL_WRITES" : "FLAVOR_IO_LOGICAL_WRITES",
                         code >> 15 & 0x1ffff, code & 0x7fff, subcode & 0x7fff);
    }
    case 5: {
      constexpr std::string_view kHead = "EXC_RESOURCE / RESOURCE_TYPE_THREADS";
      if (flavor != 1) return codes.text(kHead);
      return fmt::format("{} / FLAVOR_THREADS_HIGH_WATERMARK high watermark limit: {}", kHead,
                         code & 0x7fff);
    }
    default:
      return fmt::format("EXC_RESOURCE / 0x{:08x}", exception.flags);
  }
}

constexpr Name kGuardPort[] = {{0x1, "GUARD_EXC_DESTROY"},
                               {0x2, "GUARD_EXC_MOD_REFS"},
                               {0x3, "GUARD_EXC_INVALID_OPTIONS"},
                               {0x4, "GUARD_EXC_SET_CONTEXT"},
                               {0x5, "GUARD_EXC_THREAD_SET_STATE"},
                               {0x8, "GUARD_EXC_UNGUARDED"},
                               {0x10, "GUARD_EXC_INCORRECT_GUARD"},
                               {0x20, "GUARD_EXC_IMMOVABLE"},
                               {0x40, "GUARD_EXC_STRICT_REPLY"},
                               {0x80, "GUARD_EXC_MSG_FILTERED"},
                               {0x100, "GUARD_EXC_INVALID_RIGHT"},
                               {0x200, "GUARD_EXC_INVALID_NAME"},
                               {0x400, "GUARD_EXC_INVALID_VALUE"},
                               {0x800, "GUARD_EXC_INVALID_ARGUMENT"},
                               {0x1000, "GUARD_EXC_RIGHT_EXISTS"},
                               {0x2000, "GUARD_EXC_KERN_NO_SPACE"},
                               {0x4000, "GUARD_EXC_KERN_FAILURE"},
                               {0x8000, "GUARD_EXC_KERN_RESOURCE"},
                               {0x10000, "GUARD_EXC_SEND_INVALID_REPLY"},
                               {0x20000, "GUARD_EXC_SEND_INVALID_VOUCHER"},
                               {0x40000, "GUARD_EXC_SEND_INVALID_RIGHT"},
                               {0x80000, "GUARD_EXC_RCV_INVALID_NAME"},
                               {0x100000, "GUARD_EXC_RCV_GUARDED_DESC"},
                               {0x200000, "GUARD_EXC_MOD_REFS_NON_FATAL"},
                               {0x400000, "GUARD_EXC_IMMOVABLE_NON_FATAL"},
                               {0x800000, "GUARD_EXC_REQUIRE_REPLY_PORT_SEMANTICS"}};
constexpr Name kGuardFile[] = {{0x1, "GUARD_EXC_CLOSE"},     {0x2, "GUARD_EXC_DUP"},
                               {0x4, "GUARD_EXC_NOCLOEXEC"}, {0x8, "GUARD_EXC_SOCKET_IPC"},
                               {0x10, "GUARD_EXC_FILEPORT"}, {0x20, "GUARD_EXC_MISMATCH"},
                               {0x40, "GUARD_EXC_WRITE"}};
constexpr Name kGuardVnode[] = {{0x1, "GUARD_EXC_RENAME_TO"},    {0x2, "GUARD_EXC_RENAME_FROM"},
                                {0x4, "GUARD_EXC_UNLINK"},       {0x8, "GUARD_EXC_WRITE_OTHER"},
                                {0x10, "GUARD_EXC_TRUNC_OTHER"}, {0x20, "GUARD_EXC_LINK"},
                                {0x40, "GUARD_EXC_EXCHDATA"}};
constexpr Name kGuardMemory[] = {{0x1, "GUARD_EXC_DEALLOC_GAP"}};
constexpr Name kGuardSyscall[] = {{0x0, "GUARD_EXC_MACH_TRAP"}};

std::string guard_reason(const Exception& exception) {
  const Codes codes = codes_of(exception);
  const std::uint64_t flavor = codes.code >> 32 & 0x1fffffff;
  const std::uint64_t target = codes.code & 0x0fffffff;  // 28 bits in the field's tools
  const auto told = [&](std::string_view type, Names names, std::string_view rest) {
    const std::string head = fmt::format("EXC_GUARD / {}", type);
    const std::string_view name = find(names, flavor);
    return name.empty() ? codes.text(head) : fmt::format("{} / {} {}", head, name, rest);
  };
  switch (exception.flags >> 29) {
    case 0:
      return "EXC_GUARD / GUARD_TYPE_NONE";
    case 1:
      return told(
          "GUARD_TYPE_MACH_PORT", kGuardPort,
          fmt::format("port name: {}{}", target,
                      codes.subcode == 0 ? "" : fmt::format(" subcode: {}", codes.subcode)));
    case 2:
      return told("GUARD_TYPE_FD", kGuardFile,
                  fmt::format("file descriptor: {} guard identifier: {}", target, codes.subcode));
    case 3:  // a blank is missing here in the field's tools
      return fmt::format("EXC_GUARD / GUARD_TYPE_USER/ namespace: {} guard identifier: {}",
                         codes.code & 0xffffffff, codes.subcode);
    case 4:
      return told("GUARD_TYPE_VN", kGuardVnode,
                  fmt::format("pid: {} guard identifier: {}", target, codes.subcode));
    case 5:
      return told("GUARD_TYPE_VIRT_MEMORY", kGuardMemory, fmt::format("offset: {}", codes.subcode));
    case 6:
      return told("GUARD_TYPE_REJECTED_SC", kGuardSyscall,
                  fmt::format("syscall: {}", codes.subcode));
    default:
      return fmt::format("EXC_GUARD / 0x{:08x}", exception.flags);
  }
}

}  // namespace

std::string mac_crash_reason(const Exception& exception, Cpu cpu) {
  if (exception.code == kSimulated) return "Simulated Exception";
  if (exception.code == kResource) return resource_reason(exception);
  if (exception.code == kGuard) return guard_reason(exception);
  const std::string_view name = find(kExceptions, exception.code);
  if (name.empty()) {
    return fmt::format("unknown 0x{:08x} / 0x{:08x}", exception.code, exception.flags);
  }
  const std::string_view detail = detail_of(exception, cpu);
  if (!detail.empty()) return fmt::format("{} / {}", name, detail);
  return fmt::format("{} / 0x{:08x}", name, exception.flags);
}

}  // namespace analyze
