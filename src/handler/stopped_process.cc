#include "handler/stopped_process.h"

#include <elf.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "handler/proc_files.h"

namespace handler {

namespace {

constexpr std::int64_t kStopTimeoutUs = 1'000'000;
constexpr int kListRounds = 8;

template <class T>
std::optional<T> find_register_set(pid_t thread, int note_type) {
  T values{};
  iovec into{&values, sizeof values};
  if (::ptrace(PTRACE_GETREGSET, thread, note_type, &into) != 0) return std::nullopt;
  return values;
}

// Our tracees raise SIGCHLD when they stop; it is blocked, so it can be waited for.
void wait_for_change(std::int64_t until_us) {
  const std::int64_t left = std::max<std::int64_t>(until_us - base::monotonic_us(), 0);
  const timespec timeout{left / 1'000'000, static_cast<long>(left % 1'000'000) * 1000};
  sigset_t change;
  sigemptyset(&change);
  sigaddset(&change, SIGCHLD);
  ::sigtimedwait(&change, nullptr, &timeout);
}

}  // namespace

StoppedProcess::StoppedProcess(StoppedProcess&& other) noexcept
    : pid_(other.pid_), threads_(std::move(other.threads_)), notes_(std::move(other.notes_)) {
  other.threads_.clear();
}

base::Result<StoppedProcess> StoppedProcess::stop(pid_t pid) {
  sigset_t change;
  sigemptyset(&change);
  sigaddset(&change, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &change, nullptr);
  StoppedProcess process(pid);
  for (int round = 0; round < kListRounds && process.seize_new_threads(); ++round) {
    process.wait_until_stopped();
  }
  if (process.threads_.empty()) {
    return base::error_from_errno(errno, "cannot trace", "process " + std::to_string(pid));
  }
  process.read_threads();
  return process;
}

// True when there were any.
bool StoppedProcess::seize_new_threads() {
  std::size_t known = threads_.size();
  int error_number = 0;
  for (const pid_t id : list_threads(pid_)) {
    const auto has_id = [id](const StoppedThread& thread) { return thread.id == id; };
    if (std::any_of(threads_.begin(), threads_.end(), has_id)) continue;
    if (::ptrace(PTRACE_SEIZE, id, nullptr, nullptr) != 0) {
      error_number = errno;
      if (errno != ESRCH) notes_.push_back("cannot trace thread " + std::to_string(id));
      continue;
    }
    ::ptrace(PTRACE_INTERRUPT, id, nullptr, nullptr);
    StoppedThread thread;
    thread.id = id;
    threads_.push_back(std::move(thread));
  }
  errno = error_number != 0 ? error_number : ESRCH;
  return threads_.size() > known;
}

void StoppedProcess::wait_until_stopped() {
  const std::int64_t until = base::monotonic_us() + kStopTimeoutUs;
  for (StoppedThread& thread : threads_) {
    while (!thread.stopped) {
      int status = 0;
      const pid_t found = ::waitpid(thread.id, &status, __WALL | WNOHANG);
      if (found < 0 && errno == EINTR) continue;
      if (found < 0 || (found > 0 && !WIFSTOPPED(status))) break;  // it ended
      if (found == 0) {
        if (base::monotonic_us() >= until) break;
        wait_for_change(std::min(until, base::monotonic_us() + 20'000));
        continue;
      }
      thread.stopped = true;
      // Stopped by a signal on its way rather than by us: it gets that signal back.
      const bool ours = status >> 16 == PTRACE_EVENT_STOP;
      if (!ours) thread.pending_signal = WSTOPSIG(status);
    }
  }
}

void StoppedProcess::read_threads() {
  std::size_t missing = 0;
  for (StoppedThread& thread : threads_) {
    const std::string task = "task/" + std::to_string(thread.id);
    thread.name = base::trim(read_proc(pid_, task + "/comm", 64));
    if (!thread.stopped) {
      ++missing;
      continue;
    }
    thread.registers = find_register_set<user_regs_struct>(thread.id, NT_PRSTATUS);
    thread.floats = find_register_set<user_fpregs_struct>(thread.id, NT_PRFPREG);
  }
  if (missing > 0) notes_.push_back(std::to_string(missing) + " threads did not stop in time");
}

void StoppedProcess::release(pid_t first) {
  const auto at = std::find_if(threads_.begin(), threads_.end(),
                               [first](const StoppedThread& thread) { return thread.id == first; });
  if (at != threads_.end()) std::iter_swap(threads_.begin(), at);
  bool dying = false;
  for (const StoppedThread& thread : threads_) {
    if (::ptrace(PTRACE_DETACH, thread.id, nullptr, thread.pending_signal) != 0) dying = true;
  }
  threads_.clear();
  if (!dying) return;
  // Threads that died while we held them are zombies until their tracer has asked: without this
  // the parent of the process would wait for ever. Those that run on are let go when we exit.
  const std::int64_t until = base::monotonic_us() + kStopTimeoutUs;
  while (base::monotonic_us() < until) {
    int status = 0;
    const pid_t found = ::waitpid(-1, &status, __WALL | WNOHANG);
    if (found < 0 && errno == ECHILD) return;
    if (found > 0 && WIFSTOPPED(status)) ::ptrace(PTRACE_DETACH, found, nullptr, nullptr);
    if (found == 0) wait_for_change(base::monotonic_us() + 5'000);
  }
}

}  // namespace handler
