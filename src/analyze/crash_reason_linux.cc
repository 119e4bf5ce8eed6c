// Signals and their codes. Source: Linux' include/uapi/asm-generic/siginfo.h and signal(7).
#include <fmt/format.h>

#include <span>

#include "analyze/crash_reason.h"

namespace analyze {

namespace {

using Names = std::span<const std::string_view>;

constexpr std::string_view kSignals[] = {
    "",          "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
    "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
    "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
    "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};

// Codes from 1 on. Newer kernels have more; those print as numbers, as everywhere else.
constexpr std::string_view kIll[] = {"ILL_ILLOPC", "ILL_ILLOPN", "ILL_ILLADR",
                                     "ILL_ILLTRP", "ILL_PRVOPC", "ILL_PRVREG",
                                     "ILL_COPROC", "ILL_BADSTK", "ILL_BADIADDR"};
constexpr std::string_view kTrap[] = {"TRAP_BRKPT",  "TRAP_TRACE", "TRAP_BRANCH",
                                      "TRAP_HWBKPT", "TRAP_UNK",   "TRAP_PERF"};
constexpr std::string_view kBus[] = {"BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR",
                                     "BUS_MCEERR_AO"};
constexpr std::string_view kFpe[] = {"FPE_INTDIV", "FPE_INTOVF", "FPE_FLTDIV", "FPE_FLTOVF",
                                     "FPE_FLTUND", "FPE_FLTRES", "FPE_FLTINV", "FPE_FLTSUB"};
constexpr std::string_view kSegv[] = {"SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"};
constexpr std::string_view kSys[] = {"SYS_SECCOMP", "SYS_USER_DISPATCH"};

constexpr std::uint32_t kDumpRequested = 0xffffffff;

Names kinds_of(std::uint32_t signal) {
  switch (signal) {
    case 4:
      return kIll;
    case 5:
      return kTrap;
    case 7:
      return kBus;
    case 8:
      return kFpe;
    case 11:
      return kSegv;
    case 31:
      return kSys;
    default:
      return {};
  }
}

std::string_view signal_name(std::uint32_t signal) {
  if (signal == kDumpRequested) return "DUMP_REQUESTED";
  return signal < std::size(kSignals) ? kSignals[signal] : std::string_view();
}

// Codes that any signal may have: who sent it, rather than what went wrong.
std::string_view sender_name(std::int32_t code) {
  switch (code) {
    case -1:
      return "SI_QUEUE";
    case -2:
      return "SI_TIMER";
    case -3:
      return "SI_MESGQ";
    case -4:
      return "SI_ASYNCIO";
    case -5:
      return "SI_SIGIO";
    case -6:
      return "SI_TKILL";
    case -7:
      return "SI_DETHREAD";
    case -60:
      return "SI_ASYNCNL";
    case 0x80:
      return "SI_KERNEL";
    default:
      return {};
  }
}

}  // namespace

// si_code stands in the exception's flags. SI_USER, which is 0, adds nothing.
std::string linux_crash_reason(const snapshot::Exception& exception) {
  const std::string_view name = signal_name(exception.code);
  if (name.empty()) {
    return fmt::format("unknown 0x{:08x} / 0x{:08x}", exception.code, exception.flags);
  }
  if (exception.flags == 0) return std::string(name);
  const Names kinds = kinds_of(exception.code);
  if (exception.flags <= kinds.size()) {
    return fmt::format("{} / {}", name, kinds[exception.flags - 1]);
  }
  const std::string_view sender = sender_name(static_cast<std::int32_t>(exception.flags));
  if (!sender.empty()) return fmt::format("{} / {}", name, sender);
  return fmt::format("{} / 0x{:08x}", name, exception.flags);
}

}  // namespace analyze
