#include "analyze/crash_reason.h"

#include <fmt/format.h>

namespace analyze {

using snapshot::Os;

std::string crash_reason(const snapshot::Crash& crash) {
  const snapshot::Exception& exception = *crash.exception;
  switch (crash.system.os) {
    case Os::linux:
    case Os::android:
      return linux_crash_reason(exception);
    case Os::macos:
    case Os::ios:
      return mac_crash_reason(exception, crash.system.cpu);
    case Os::windows:
      return windows_crash_reason(exception);
    case Os::solaris:
    case Os::ps3:
    case Os::nacl:
    case Os::fuchsia:
    case Os::unknown:
      break;
  }
  return fmt::format("unknown 0x{:08x} / 0x{:08x}", exception.code, exception.flags);
}

namespace {

constexpr std::uint32_t kAccessViolation = 0xc0000005, kInPageError = 0xc0000006;

}  // namespace

std::uint64_t crash_address(const snapshot::Crash& crash) {
  const snapshot::Exception& exception = *crash.exception;
  std::uint64_t address = exception.address;
  const bool is_access = exception.code == kAccessViolation || exception.code == kInPageError;
  if (crash.system.os == Os::windows && is_access && exception.parameters.size() >= 2) {
    address = exception.parameters[1];
  }
  return snapshot::address_width(crash.system.cpu) == 4 ? address & 0xffffffff : address;
}

}  // namespace analyze
