#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>

#include "client/state.h"
#include "client/syscalls_amd64.h"

// Starting the handler without fork(): fork() would run the program's atfork handlers and copy
// its page tables. clone(CLONE_VM | CLONE_VFORK) shares the memory and holds us until the child
// has called execve() or ended, so the child may report its errno into our struct. It may not
// touch libc: it runs with our thread pointer. Signals stay blocked in it, since the program's
// handlers would run in shared memory; the handler sets its own mask.
//
// A waiting handler is a grandchild: init reaps it, and the program sees neither SIGCHLD
// (exit signal 0) nor a child in wait(). The handler for one crash is a child, whose parent pid
// says beyond doubt which process it is to read.
namespace client {
namespace {

constexpr std::size_t kStackSize = 16 * 1024;
alignas(16) char outer_stack[kStackSize];
alignas(16) char inner_stack[kStackSize];

long open_null() {
  return sys::call(SYS_openat, AT_FDCWD, sys::address_of("/dev/null"), O_RDWR | O_CLOEXEC);
}

void move_fd(int from, int to) {
  if (from == to) {
    sys::call(SYS_fcntl, from, F_SETFD, 0);
  } else {
    sys::call(SYS_dup3, from, to, 0);
  }
}

void arrange_fds(const Spawn& spawn) {
  // Both are high (see client.cc), so 0 to 4 can be overwritten one after the other.
  if (spawn.start == Start::waiting) {
    move_fd(spawn.socket_fd, kHandlerSocketFd);
    move_fd(spawn.memory_fd, kHandlerMemoryFd);
  }
  const int kept = spawn.start == Start::waiting ? kHandlerMemoryFd : 2;
  if (sys::call(SYS_close_range, kept + 1, ~0u, 0) < 0) {
    for (int fd = kept + 1; fd < 4096; ++fd) sys::call(SYS_close, fd);
  }
  const long null_fd = open_null();
  if (null_fd < 0) return;
  for (int fd = 0; fd <= 2; ++fd) {
    if (fd == 2 && spawn.keep_stderr) continue;
    if (fd != null_fd) sys::call(SYS_dup3, null_fd, fd, 0);
  }
  if (null_fd <= 2) sys::call(SYS_fcntl, null_fd, F_SETFD, 0);
}

int become_handler(void* argument) {
  Spawn& spawn = *static_cast<Spawn*>(argument);
  arrange_fds(spawn);
  sys::call(SYS_setsid);
  sys::call(SYS_chdir, sys::address_of("/"));
  const long answer =
      sys::call(SYS_execve, sys::address_of(spawn.path), sys::address_of(spawn.arguments),
                sys::address_of(spawn.environment));
  spawn.error = static_cast<int>(-answer);
  return 127;
}

int start_grandchild(void* argument) {
  Spawn& spawn = *static_cast<Spawn*>(argument);
  const long pid = faultline_clone_call(CLONE_VM | CLONE_VFORK, inner_stack + kStackSize,
                                        become_handler, argument);
  if (pid < 0) spawn.error = static_cast<int>(-pid);
  return 0;
}

long wait_for(long pid) {
  long answer;
  do {
    answer = sys::call(SYS_wait4, pid, 0, static_cast<long>(__WALL), 0);
  } while (answer == -EINTR);
  return answer;
}

}  // namespace

bool spawn_handler(Spawn& spawn) {
  spawn.error = 0;
  std::uint64_t all = ~std::uint64_t{0}, before = 0;
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::address_of(&all), sys::address_of(&before),
            sizeof all);
  const bool waiting = spawn.start == Start::waiting;
  const long pid = faultline_clone_call(CLONE_VM | CLONE_VFORK, outer_stack + kStackSize,
                                        waiting ? start_grandchild : become_handler, &spawn);
  if (pid < 0) {
    spawn.error = static_cast<int>(-pid);
  } else if (waiting || spawn.error != 0) {
    wait_for(pid);
  }
  spawn.pid = static_cast<std::int32_t>(pid);
  sys::call(SYS_rt_sigprocmask, SIG_SETMASK, sys::address_of(&before), 0, sizeof before);
  return spawn.error == 0;
}

void fill_environment(Spawn& spawn, const WirePage& page) {
  std::size_t count = 0, at = 0;
  const std::size_t most = sizeof spawn.environment / sizeof spawn.environment[0] - 1;
  while (count < most && at < kEnvironmentMax && page.environment[at] != '\0') {
    spawn.environment[count++] = page.environment + at;
    while (at < kEnvironmentMax && page.environment[at] != '\0') ++at;
    ++at;
  }
  spawn.environment[count] = nullptr;
}

}  // namespace client
