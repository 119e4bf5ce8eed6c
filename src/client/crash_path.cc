#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "client/state.h"
#include "client/syscalls_amd64.h"

// From the fault to the end of the process. Everything here runs in a signal handler of a broken
// program: the heap, the loader and stdio may be locked or wrong, so there is no libc call, no
// allocation and no lock, and every wait has an end.
//
//   first chance -> claim -> record into shared memory -> tell the handler -> wait -> re-raise
//
// There are levels, and a fault inside one goes down to the next:
//   1  the handler that waits since faultline_init(); it must take the crash within 300 ms
//   2  a handler started now, which finds us as its parent
//   3  no dump; the process dies as it would have without us
//
// Explicit re-raise, always: int3 and seccomp's SIGSYS do not fault again when the handler
// returns, and a program that continued after a reported crash would be worse than one that died.
namespace client {
namespace {

constexpr std::int64_t kTakeTimeoutMs = 300;
constexpr std::int64_t kLateHandlerMs = 5000;
constexpr std::uint32_t kAttemptsMax = 2;

std::int64_t now_ms() {
  timespec time{};
  sys::call(SYS_clock_gettime, CLOCK_MONOTONIC, sys::address_of(&time));
  return static_cast<std::int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1000000;
}

void sleep_ms(long ms) {
  const timespec time{ms / 1000, (ms % 1000) * 1000000};
  sys::call(SYS_nanosleep, sys::address_of(&time), 0);
}

std::int32_t own_pid() { return static_cast<std::int32_t>(sys::call(SYS_getpid)); }
std::int32_t own_tid() { return static_cast<std::int32_t>(sys::call(SYS_gettid)); }

std::uint64_t own_claim() {
  return static_cast<std::uint64_t>(own_pid()) << 32 | static_cast<std::uint32_t>(own_tid());
}

int index_of(int signal_number) {
  for (int i = 0; i < kFatalCount; ++i) {
    if (kFatalSignals[i] == signal_number) return i;
  }
  return -1;
}

// Threads inside the first-chance function, by tid: a fault deeper on the same signal stack is a
// fault of that function. One that left by siglongjmp() leaves its entry behind; its next signal
// starts at the top of the stack again, which is not deeper.
struct Inside {
  std::atomic<std::int32_t> tid;
  std::atomic<std::uintptr_t> frame;
};
constexpr std::size_t kInsideCount = 64;
Inside g_inside[kInsideCount];

bool dealt_with(int signal_number, siginfo_t* info, void* context) {
  const auto function = g_state.first_chance.load(std::memory_order_acquire);
  if (function == nullptr) return false;
  const std::int32_t tid = own_tid();
  const auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  Inside& entry = g_inside[static_cast<std::uint32_t>(tid) % kInsideCount];
  constexpr std::uintptr_t kSignalFrameMin = 512;
  if (entry.tid.load() == tid && frame + kSignalFrameMin < entry.frame.load()) return false;
  entry.frame.store(frame);
  entry.tid.store(tid);
  const int answer = function(signal_number, info, context,
                              g_state.first_chance_user.load(std::memory_order_relaxed));
  entry.tid.store(0);
  return answer != 0;
}

void record(WireCrash& crash, CrashKind kind, int signal_number, const siginfo_t* info,
            const void* context) {
  crash.kind = kind;
  crash.pid = own_pid();
  crash.tid = own_tid();
  crash.signal_number = signal_number;
  static_assert(sizeof(siginfo_t) == sizeof crash.info);
  if (info != nullptr)
    sys::copy(crash.info, info, sizeof crash.info);
  else
    sys::clear(crash.info, sizeof crash.info);
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
  static_assert(sizeof machine.gregs == sizeof crash.registers);
  sys::copy(crash.registers, machine.gregs, sizeof crash.registers);
  crash.has_floats = machine.fpregs != nullptr ? 1 : 0;
  if (crash.has_floats != 0) sys::copy(crash.floats, machine.fpregs, sizeof crash.floats);
  crash.note[0] = '\0';
}

WireCrash* take_slot(WirePage& page) {
  for (WireCrash& crash : page.crashes) {
    std::uint32_t expected = 0;
    if (crash.state.compare_exchange_strong(expected,
                                            static_cast<std::uint32_t>(SlotState::claimed))) {
      return &crash;
    }
  }
  return nullptr;
}

SlotState state_of(const WireCrash& crash) {
  return static_cast<SlotState>(crash.state.load(std::memory_order_acquire));
}

bool handler_hung_up() {
  pollfd poll{g_state.socket_fd, POLLIN, 0};
  const timespec none{0, 0};
  const long ready = sys::call(SYS_ppoll, sys::address_of(&poll), 1, sys::address_of(&none), 0);
  return ready > 0 && (poll.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

// Waits until the slot leaves `state`, the handler is gone, or the time is over. Should seccomp
// deny the clock or the futex, the slices that were waited for count in their place.
void wait_while(const WireCrash& crash, SlotState state, std::int64_t limit_ms) {
  constexpr long kSliceMs = 20;
  const std::int64_t end = now_ms() + limit_ms;
  std::int64_t waited_ms = 0;
  while (state_of(crash) == state && now_ms() < end && waited_ms < limit_ms) {
    const timespec slice{0, kSliceMs * 1000000};
    const long answer =
        sys::call(SYS_futex, sys::address_of(&crash.state), FUTEX_WAIT,
                  static_cast<long>(static_cast<std::uint32_t>(state)), sys::address_of(&slice));
    if (answer == 0 || answer == -EAGAIN || answer == -EINTR) continue;
    if (answer == -ETIMEDOUT) {
      waited_ms += kSliceMs;
      if (handler_hung_up()) return;
    } else {
      sleep_ms(1);
      ++waited_ms;
    }
  }
}

// Level 1. True when the dump is written.
bool tell_waiting_handler(WireCrash& crash, std::uint32_t slot) {
  if (!socket_is_ours()) return false;
  crash.state.store(static_cast<std::uint32_t>(SlotState::sent), std::memory_order_release);
  const Message message{kWireMagic, MessageType::crash, slot, crash.pid};
  const long sent = sys::call(SYS_sendto, g_state.socket_fd, sys::address_of(&message),
                              sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent != static_cast<long>(sizeof message)) return false;
  wait_while(crash, SlotState::sent, kTakeTimeoutMs);
  // Whoever changes `sent` first decides: a handler that wakes later finds nothing to do.
  std::uint32_t expected = static_cast<std::uint32_t>(SlotState::sent);
  if (crash.state.compare_exchange_strong(expected,
                                          static_cast<std::uint32_t>(SlotState::claimed))) {
    // A handler that someone stopped should at least see our end and go.
    sys::call(SYS_kill, g_state.handler_pid, SIGCONT);
    return false;
  }
  wait_while(crash, SlotState::taken, g_state.deadline_ms);
  return state_of(crash) == SlotState::done;
}

void put_number(char*& out, std::uint64_t value, unsigned base) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = "0123456789abcdef"[value % base];
    value /= base;
  } while (value != 0);
  while (count > 0) *out++ = digits[--count];
  *out++ = '\0';
}

// On the stack of a signal handler it would be much; only one thread at a time gets here.
Spawn g_late_spawn;

// Level 2. True when the dump is written.
bool start_handler_now(WirePage& page, std::uint32_t slot, std::int64_t limit_ms) {
  if (g_state.handler_path[0] == '\0') return false;
  char page_text[20], slot_text[20];
  char* out = page_text;
  put_number(out, static_cast<std::uint64_t>(sys::address_of(&page)), 16);
  out = slot_text;
  put_number(out, slot, 10);
  Spawn& spawn = g_late_spawn;
  spawn.path = g_state.handler_path;
  spawn.arguments[0] = g_state.handler_path;
  spawn.arguments[1] = kAtCrashOption;
  spawn.arguments[2] = page_text;
  spawn.arguments[3] = slot_text;
  spawn.arguments[4] = nullptr;
  fill_environment(spawn, page);
  spawn.keep_stderr = (page.config.flags & FAULTLINE_KEEP_STDERR) != 0;
  spawn.start = Start::at_crash;
  // The slot stays claimed: a handler that wakes up now must not take it for a new crash.
  if (!spawn_handler(spawn)) return false;
  int status = 0;
  long waited = 0;
  const std::int64_t end = now_ms() + limit_ms;
  for (std::int64_t slept_ms = 0; slept_ms < limit_ms && now_ms() < end; ++slept_ms) {
    waited = sys::call(SYS_wait4, spawn.pid, sys::address_of(&status),
                       static_cast<long>(WNOHANG | __WALL), 0);
    if (waited != 0 && waited != -EINTR) break;
    sleep_ms(1);
  }
  if (waited == 0) {
    sys::call(SYS_kill, spawn.pid, SIGKILL);
    sys::call(SYS_wait4, spawn.pid, 0, static_cast<long>(__WALL), 0);
  }
  return waited == spawn.pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Both levels, from `attempt` on.
bool report(WirePage& page, CrashKind kind, int signal_number, const siginfo_t* info,
            const void* context, const char* note, std::uint32_t attempt) {
  WireCrash* const crash = take_slot(page);
  if (crash == nullptr) return false;
  record(*crash, kind, signal_number, info, context);
  for (std::size_t i = 0; note != nullptr && note[i] != '\0' && i + 1 < kTextMax; ++i) {
    crash->note[i] = note[i];
    crash->note[i + 1] = '\0';
  }
  // The handler may run as the same user only, and not even that suffices when this process is
  // not dumpable. Yama has no say in most kernels: an error is no news.
  const long dumpable = sys::call(SYS_prctl, PR_GET_DUMPABLE);
  if (dumpable != 1) sys::call(SYS_prctl, PR_SET_DUMPABLE, 1);
  sys::call(SYS_prctl, PR_SET_PTRACER, static_cast<long>(PR_SET_PTRACER_ANY));

  const auto slot = static_cast<std::uint32_t>(crash - page.crashes);
  const std::int64_t start = now_ms();
  bool written = attempt <= 1 && tell_waiting_handler(*crash, slot);
  // A handler that took the crash and failed, or ran out of time, would do no better again.
  const std::int64_t left_ms = g_state.deadline_ms - (now_ms() - start);
  if (!written && state_of(*crash) != SlotState::failed && left_ms > 0) {
    written = start_handler_now(page, slot, left_ms < kLateHandlerMs ? left_ms : kLateHandlerMs);
  }

  sys::call(SYS_prctl, PR_SET_PTRACER, g_state.handler_pid);
  if (dumpable == 0) sys::call(SYS_prctl, PR_SET_DUMPABLE, 0);
  crash->state.store(static_cast<std::uint32_t>(SlotState::free), std::memory_order_release);
  return written;
}

// Another thread of this process reports: it will end us. If it does not, we end ourselves.
void wait_for_other() {
  constexpr long kSliceMs = 10;
  const std::int64_t limit_ms = g_state.deadline_ms + kLateHandlerMs;
  const std::int64_t end = now_ms() + limit_ms;
  for (std::int64_t slept_ms = 0; slept_ms < limit_ms && now_ms() < end; slept_ms += kSliceMs) {
    if (g_state.claim.load() == 0) return;
    sleep_ms(kSliceMs);
  }
}

// These fault again when the handler returns to them.
bool repeats_itself(int signal_number, const siginfo_t* info) {
  return info->si_code > 0 && (signal_number == SIGSEGV || signal_number == SIGBUS ||
                               signal_number == SIGILL || signal_number == SIGFPE);
}

// Puts the old disposition back and sends the same signal, with all that was known about it, to
// this thread. It is blocked until the handler has returned, so that an older handler, and a core
// file, see the registers of the fault and not ours. Where a filter denies even this, the process
// ends with the status that a shell shows for the signal.
void raise_again(int signal_number, const siginfo_t* info) {
  const KernelAction& old = g_state.old_actions[index_of(signal_number)];
  const bool restored =
      sys::call(SYS_rt_sigaction, signal_number, sys::address_of(&old), 0, sizeof old.mask) == 0;
  const std::uint64_t bit = std::uint64_t{1} << (signal_number - 1);
  sys::call(SYS_rt_sigprocmask, SIG_BLOCK, sys::address_of(&bit), 0, sizeof bit);
  const std::int32_t pid = own_pid(), tid = own_tid();
  const bool sent = restored && (sys::call(SYS_rt_tgsigqueueinfo, pid, tid, signal_number,
                                           sys::address_of(info)) == 0 ||
                                 sys::call(SYS_tgkill, pid, tid, signal_number) == 0);
  if (!restored || (!sent && !repeats_itself(signal_number, info))) {
    sys::call(SYS_exit_group, 128 + signal_number);
  }
  // An older handler may keep the program alive; then the next crash is a new one.
  if (old.handler != reinterpret_cast<std::uintptr_t>(SIG_DFL)) g_state.claim.store(0);
}

}  // namespace

bool socket_is_ours() {
  struct stat status;
  return g_state.socket_fd >= 0 &&
         sys::call(SYS_fstat, g_state.socket_fd, sys::address_of(&status)) == 0 &&
         status.st_dev == g_state.socket_device && status.st_ino == g_state.socket_inode;
}

void on_fatal_signal(int signal_number, siginfo_t* info, void* context) {
  if (dealt_with(signal_number, info, context)) return;
  WirePage* const page = g_state.page.load(std::memory_order_acquire);
  const std::uint64_t mine = own_claim();
  std::uint64_t holder = g_state.claim.load();
  // A child made by fork() while another thread reported inherits that thread's claim.
  if (holder != 0 && holder >> 32 != mine >> 32) {
    g_state.claim.compare_exchange_strong(holder, 0);
  }
  holder = 0;
  std::uint32_t attempt = 0;
  if (g_state.claim.compare_exchange_strong(holder, mine)) {
    g_state.attempts.store(1);
    attempt = 1;
  } else if (holder == mine) {
    attempt = g_state.attempts.fetch_add(1) + 1;
  } else {
    wait_for_other();
  }
  if (page != nullptr && attempt != 0 && attempt <= kAttemptsMax) {
    report(*page, CrashKind::crash, signal_number, info, context, nullptr, attempt);
  }
  raise_again(signal_number, info);
}

int request_dump(const void* context, const char* note) {
  WirePage* const page = g_state.page.load(std::memory_order_acquire);
  if (page == nullptr) return -FAULTLINE_E_STATE;
  std::uint64_t holder = 0;
  if (!g_state.claim.compare_exchange_strong(holder, own_claim())) return -FAULTLINE_E_BUSY;
  g_state.attempts.store(1);
  const bool written = report(*page, CrashKind::requested, 0, nullptr, context, note, 1);
  g_state.claim.store(0);
  return written ? 0 : -FAULTLINE_E_DUMP;
}

}  // namespace client
