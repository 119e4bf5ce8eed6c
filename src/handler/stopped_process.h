// A process held still while it is read: every thread seized with ptrace and interrupted, without
// the side effects of SIGSTOP. Threads started meanwhile are found, since the list is read again
// until nothing new is in it.
// Owns the tracing: release(), or the destructor, lets every thread go and gives back the signals
// that were on their way. What does not stop in time (a thread in an uninterruptible wait) is
// listed without registers.
// One thread, and it must be the one that called stop(): so ptrace wants it.
#pragma once

#include <sys/types.h>
#include <sys/user.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace handler {

struct StoppedThread {
  pid_t id = 0;
  bool stopped = false;
  int pending_signal = 0;  // given back on release
  std::optional<user_regs_struct> registers;
  std::optional<user_fpregs_struct> floats;
  std::string name;
};

class StoppedProcess {
 public:
  // denied when not even one thread can be traced; not_found when the process is gone.
  static base::Result<StoppedProcess> stop(pid_t pid);
  StoppedProcess(StoppedProcess&& other) noexcept;
  StoppedProcess& operator=(StoppedProcess&&) = delete;
  StoppedProcess(const StoppedProcess&) = delete;
  StoppedProcess& operator=(const StoppedProcess&) = delete;
  ~StoppedProcess() { release(0); }

  const std::vector<StoppedThread>& threads() const { return threads_; }
  // What could not be done, for the dump's soft errors.
  const std::vector<std::string>& notes() const { return notes_; }
  // Lets `first` go before all others: it is the one that waits for us.
  void release(pid_t first);

 private:
  explicit StoppedProcess(pid_t pid) : pid_(pid) {}
  bool seize_new_threads();
  void wait_until_stopped();
  void read_threads();

  pid_t pid_;
  std::vector<StoppedThread> threads_;
  std::vector<std::string> notes_;
};

}  // namespace handler
