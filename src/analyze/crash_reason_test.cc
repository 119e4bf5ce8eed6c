// Expected texts are minidump-stackwalk's answers to dumps made by hand.
#include "analyze/crash_reason.h"

#include <gtest/gtest.h>

namespace {

using snapshot::Cpu;
using snapshot::Os;

struct Row {
  Os os;
  Cpu cpu;
  std::uint32_t code, flags;
  std::vector<std::uint64_t> parameters;
  const char* text;
};

void expect_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    snapshot::Crash crash;
    crash.system.os = row.os;
    crash.system.cpu = row.cpu;
    crash.exception.emplace();
    crash.exception->code = row.code;
    crash.exception->flags = row.flags;
    crash.exception->parameters = row.parameters;
    EXPECT_EQ(row.text, analyze::crash_reason(crash));
  }
}

std::uint32_t code(std::int32_t si_code) { return static_cast<std::uint32_t>(si_code); }

TEST(CrashReason, NamesSignalsAndTheirCodes) {
  expect_rows({
      {Os::linux, Cpu::amd64, 11, 1, {}, "SIGSEGV / SEGV_MAPERR"},
      {Os::android, Cpu::arm, 7, 5, {}, "SIGBUS / BUS_MCEERR_AO"},
      {Os::linux, Cpu::amd64, 11, 0, {}, "SIGSEGV"},
      {Os::linux, Cpu::amd64, 11, 8, {}, "SIGSEGV / 0x00000008"},
      {Os::linux, Cpu::amd64, 11, code(-6), {}, "SIGSEGV / SI_TKILL"},
      {Os::linux, Cpu::amd64, 5, 0x80, {}, "SIGTRAP / SI_KERNEL"},
      {Os::linux, Cpu::amd64, 6, code(-60), {}, "SIGABRT / SI_ASYNCNL"},
      {Os::linux, Cpu::amd64, 31, 2, {}, "SIGSYS / SYS_USER_DISPATCH"},
      {Os::linux, Cpu::amd64, 64, 1, {}, "unknown 0x00000040 / 0x00000001"},
      {Os::linux, Cpu::amd64, 0xffffffff, 0, {}, "DUMP_REQUESTED"},
  });
}

TEST(CrashReason, NamesMachExceptionsByCpu) {
  expect_rows({
      {Os::macos, Cpu::amd64, 1, 1, {}, "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS"},
      {Os::macos, Cpu::amd64, 1, 13, {}, "EXC_BAD_ACCESS / EXC_I386_GPFLT"},
      {Os::ios, Cpu::arm64, 1, 0x105, {}, "EXC_BAD_ACCESS / EXC_ARM_PAC_FAIL"},
      {Os::ios, Cpu::arm, 6, 1, {}, "EXC_BREAKPOINT / 0x00000001"},
      {Os::macos, Cpu::ppc, 3, 3, {}, "EXC_ARITHMETIC / EXC_FLT_INEXACT"},
      {Os::macos, Cpu::amd64, 5, 0xdeadc0de, {}, "EXC_SOFTWARE / UNCAUGHT_NS_EXCEPTION"},
      {Os::macos, Cpu::amd64, 10, 0, {}, "unknown 0x0000000a / 0x00000000"},
      {Os::macos, Cpu::amd64, 0x43507378, 0, {}, "Simulated Exception"},
  });
}

TEST(CrashReason, UnpacksResourcesAndGuards) {
  constexpr std::uint64_t kBits = 0xabcdef12345678, kMore = 0x1122334455667788;
  const auto flavor = [](std::uint64_t which) { return which << 58 | kBits; };
  expect_rows({
      {Os::macos,
       Cpu::amd64,
       11,
       1u << 29,
       {0, flavor(2), kMore},
       "EXC_RESOURCE / RESOURCE_TYPE_CPU / FLAVOR_CPU_MONITOR_FATAL interval: 2386092s CPU limit: "
       "0% CPU consumed: 0%"},
      {Os::macos,
       Cpu::amd64,
       11,
       2u << 29,
       {0, flavor(1), kMore},
       "EXC_RESOURCE / RESOURCE_TYPE_WAKEUPS / FLAVOR_WAKEUPS_MONITOR interval: 979235s wakeups "
       "permitted: 1656 wakeups observed: 1928"},
      {Os::macos,
       Cpu::amd64,
       11,
       4u << 29,
       {0, flavor(1), kMore},
       "EXC_RESOURCE / RESOURCE_TYPE_IO / FLAVOR_IO_PHYSICAL_WRITES interval: 9320s I/O limit: "
       "22136% I/O observed: 30600%"},
      {Os::macos, Cpu::amd64, 11, 6u << 29, {}, "EXC_RESOURCE / 0xc0000000"},
      {Os::macos,
       Cpu::amd64,
       11,
       1u << 29,
       {},
       "EXC_RESOURCE / RESOURCE_TYPE_CPU / 0x0000000000000000 / 0x0000000000000000"},
      {Os::macos,
       Cpu::amd64,
       12,
       1u << 29,
       {0, 0x100012345678, 0},
       "EXC_GUARD / GUARD_TYPE_MACH_PORT / GUARD_EXC_RIGHT_EXISTS port name: 36984440"},
      {Os::macos,
       Cpu::amd64,
       12,
       2u << 29,
       {0, 0x1012345678, 5},
       "EXC_GUARD / GUARD_TYPE_FD / GUARD_EXC_FILEPORT file descriptor: 36984440 guard "
       "identifier: 5"},
      {Os::macos,
       Cpu::amd64,
       12,
       3u << 29,
       {0, 0x12345678, 5},
       "EXC_GUARD / GUARD_TYPE_USER/ namespace: 305419896 guard identifier: 5"},
      {Os::macos,
       Cpu::amd64,
       12,
       5u << 29,
       {0, 0x212345678, 5},
       "EXC_GUARD / GUARD_TYPE_VIRT_MEMORY / 0x0000000212345678 / 0x0000000000000005"},
  });
}

TEST(CrashReason, NamesWindowsExceptionsByTheirParameters) {
  const auto row = [](std::uint32_t number, std::vector<std::uint64_t> parameters,
                      const char* text) {
    return Row{Os::windows, Cpu::amd64, number, 0, std::move(parameters), text};
  };
  expect_rows({
      row(0xc0000005, {}, "EXCEPTION_ACCESS_VIOLATION"),
      row(0xc0000005, {8}, "EXCEPTION_ACCESS_VIOLATION_EXEC"),
      row(0xc0000005, {5}, "EXCEPTION_ACCESS_VIOLATION"),
      row(0xc0000006, {1, 2}, "EXCEPTION_IN_PAGE_ERROR"),
      row(0xc0000006, {1, 2, 0xc000009c},
          "EXCEPTION_IN_PAGE_ERROR_WRITE / STATUS_DEVICE_DATA_ERROR"),
      row(0xc0000006, {0, 2, 0xabcdef}, "EXCEPTION_IN_PAGE_ERROR_READ / 0x00abcdef"),
      row(0xc0000409, {}, "STATUS_STACK_BUFFER_OVERRUN"),
      row(0xc0000409, {7}, "EXCEPTION_STACK_BUFFER_OVERRUN / FAST_FAIL_FATAL_APP_EXIT"),
      row(0xc0000409, {16}, "EXCEPTION_STACK_BUFFER_OVERRUN / 0x00000010"),
      row(0xc0000409, {200}, "EXCEPTION_STACK_BUFFER_OVERRUN / 0x000000c8"),
      row(0xe06d7363, {}, "Unhandled C++ Exception"),
      row(0x406d1388, {}, "unknown 0x406d1388"),
  });
}

TEST(WindowsErrors, Win32ComesBeforeNtstatusAndFacilities) {
  EXPECT_EQ("ERROR_SUCCESS", analyze::windows_error_text(0));
  EXPECT_EQ("STATUS_TIMEOUT", analyze::windows_error_text(0x102));
  EXPECT_EQ("STATUS_DLL_NOT_FOUND", analyze::windows_error_text(0xc0000135));
  EXPECT_EQ("FACILITY_VISUALCPP / ERROR_MOD_NOT_FOUND", analyze::windows_error_text(0xc06d007e));
  EXPECT_EQ("unknown 0x80070005", analyze::windows_error_text(0x80070005));
  EXPECT_EQ("unknown 0xdeadbeef", analyze::windows_error_text(0xdeadbeef));
}

TEST(CrashAddress, IsTheAccessOnWindowsAndFitsTheCpu) {
  snapshot::Crash crash;
  crash.system.os = Os::windows;
  crash.system.cpu = Cpu::x86;
  crash.exception.emplace();
  crash.exception->code = 0xc0000005;
  crash.exception->address = 0x401000;
  crash.exception->parameters = {0};
  EXPECT_EQ(0x401000u, analyze::crash_address(crash));
  crash.exception->parameters = {0, 0xffffffff00000045};
  EXPECT_EQ(0x45u, analyze::crash_address(crash));
  crash.system.cpu = Cpu::amd64;
  EXPECT_EQ(0xffffffff00000045u, analyze::crash_address(crash));
  crash.system.os = Os::linux;
  EXPECT_EQ(0x401000u, analyze::crash_address(crash));
}

}  // namespace
