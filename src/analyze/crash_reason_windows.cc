// Windows exceptions. Source: Microsoft's winnt.h, winbase.h and ntstatus.h.
#include <fmt/format.h>

#include "analyze/crash_reason.h"

namespace analyze {

using snapshot::Exception;

namespace {

struct Name {
  std::uint32_t code;
  std::string_view text;
};

constexpr Name kExceptions[] = {
    {0x80000001, "EXCEPTION_GUARD_PAGE"},
    {0x80000002, "EXCEPTION_DATATYPE_MISALIGNMENT"},
    {0x80000003, "EXCEPTION_BREAKPOINT"},
    {0x80000004, "EXCEPTION_SINGLE_STEP"},
    {0xc0000005, "EXCEPTION_ACCESS_VIOLATION"},
    {0xc0000006, "EXCEPTION_IN_PAGE_ERROR"},
    {0xc0000008, "EXCEPTION_INVALID_HANDLE"},
    {0xc000001d, "EXCEPTION_ILLEGAL_INSTRUCTION"},
    {0xc0000025, "EXCEPTION_NONCONTINUABLE_EXCEPTION"},
    {0xc0000026, "EXCEPTION_INVALID_DISPOSITION"},
    {0xc000008c, "EXCEPTION_BOUNDS_EXCEEDED"},
    {0xc000008d, "EXCEPTION_FLT_DENORMAL_OPERAND"},
    {0xc000008e, "EXCEPTION_FLT_DIVIDE_BY_ZERO"},
    {0xc000008f, "EXCEPTION_FLT_INEXACT_RESULT"},
    {0xc0000090, "EXCEPTION_FLT_INVALID_OPERATION"},
    {0xc0000091, "EXCEPTION_FLT_OVERFLOW"},
    {0xc0000092, "EXCEPTION_FLT_STACK_CHECK"},
    {0xc0000093, "EXCEPTION_FLT_UNDERFLOW"},
    {0xc0000094, "EXCEPTION_INT_DIVIDE_BY_ZERO"},
    {0xc0000095, "EXCEPTION_INT_OVERFLOW"},
    {0xc0000096, "EXCEPTION_PRIV_INSTRUCTION"},
    {0xc00000fd, "EXCEPTION_STACK_OVERFLOW"},
    {0xc0000194, "EXCEPTION_POSSIBLE_DEADLOCK"},
    {0xe0000008, "Out of Memory"},              // Chromium's
    {0xe0434352, "MANAGED_EXCEPTION_CODE_V4"},  // .NET
    {0xe06d7363, "Unhandled C++ Exception"},
    {0x0517a7ed, "Simulated Exception"},  // Crashpad's
};

constexpr std::uint32_t kAccessViolation = 0xc0000005, kInPageError = 0xc0000006,
                        kStackBufferOverrun = 0xc0000409;

// What was tried, by the first parameter; "" for anything else.
std::string_view access_suffix(std::uint64_t kind) {
  switch (kind) {
    case 0:
      return "_READ";
    case 1:
      return "_WRITE";
    case 8:
      return "_EXEC";
    default:
      return "";
  }
}

std::string in_page_reason(const Exception& exception, std::string_view name) {
  if (exception.parameters.size() < 3) return std::string(name);
  const std::string_view suffix = access_suffix(exception.parameters[0]);
  if (suffix.empty()) return std::string(name);
  const auto cause = static_cast<std::uint32_t>(exception.parameters[2]);
  const auto status = find_ntstatus(cause);
  if (status) return fmt::format("{}{} / {}", name, suffix, *status);
  return fmt::format("{}{} / 0x{:08x}", name, suffix, cause);
}

std::string fast_fail_reason(const Exception& exception) {
  constexpr std::string_view kName = "EXCEPTION_STACK_BUFFER_OVERRUN";
  const std::uint64_t code = exception.parameters[0];
  if (const auto name = find_fast_fail(code)) return fmt::format("{} / FAST_FAIL_{}", kName, *name);
  return fmt::format("{} / 0x{:08x}", kName, code);
}

}  // namespace

std::string windows_error_text(std::uint32_t code) {
  constexpr std::uint32_t kVisualCpp = 109;
  if (const auto name = find_win32_error(code)) return std::string(*name);
  if (const auto name = find_ntstatus(code)) return std::string(*name);
  // FACILITY_VISUALCPP wraps a Win32 error: delay-loaded modules and procedures that are missing.
  const bool is_severe = code >> 28 != 0;
  if (is_severe && (code >> 16 & 0xfff) == kVisualCpp) {
    const auto name = find_win32_error(code & 0xffff);
    if (name) return fmt::format("FACILITY_VISUALCPP / {}", *name);
  }
  return fmt::format("unknown 0x{:08x}", code);
}

std::string windows_crash_reason(const Exception& exception) {
  if (exception.code == kStackBufferOverrun && !exception.parameters.empty()) {
    return fast_fail_reason(exception);
  }
  for (const Name& entry : kExceptions) {
    if (entry.code != exception.code) continue;
    if (entry.code == kAccessViolation && !exception.parameters.empty()) {
      return fmt::format("{}{}", entry.text, access_suffix(exception.parameters[0]));
    }
    if (entry.code == kInPageError) return in_page_reason(exception, entry.text);
    return std::string(entry.text);
  }
  return windows_error_text(exception.code);
}

}  // namespace analyze
