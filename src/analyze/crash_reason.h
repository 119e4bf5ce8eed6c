// Why the process died, in the words that crash tools use: "SIGSEGV / SEGV_MAPERR",
// "EXCEPTION_ACCESS_VIOLATION_READ", "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS".
// The texts are rust-minidump's, since signatures and searches are made of them; where it has a
// quirk, the quirk is kept and named.
// Pure functions; any thread.
// Rules: docs/report-json.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "snapshot/crash.h"

namespace analyze {

// REQUIRES: crash.exception
std::string crash_reason(const snapshot::Crash& crash);

// The address that goes with it: that of the access on Windows, else the exception's; cut to the
// width of the CPU. REQUIRES: crash.exception
std::uint64_t crash_address(const snapshot::Crash& crash);

// A Windows error number: Win32 name, NTSTATUS name, facility, or "unknown 0x…".
std::string windows_error_text(std::uint32_t code);

// One for each family of systems. REQUIRES: crash.exception
std::string linux_crash_reason(const snapshot::Exception& exception);
std::string mac_crash_reason(const snapshot::Exception& exception, snapshot::Cpu cpu);
std::string windows_crash_reason(const snapshot::Exception& exception);

// Tables of names; nothing for a number without one. A fast-fail name lacks its FAST_FAIL_.
std::optional<std::string_view> find_win32_error(std::uint32_t code);
std::optional<std::string_view> find_ntstatus(std::uint32_t code);
std::optional<std::string_view> find_fast_fail(std::uint64_t code);

}  // namespace analyze
