#include "analyze/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"

extern char** environ;

namespace analyze {
namespace {

using Clock = std::chrono::steady_clock;

struct Pair {
  base::Fd ours;
  base::Fd theirs;
};

base::Result<Pair> make_pair() {
  int fds[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return base::error_from_errno(errno, "socketpair", "child process");
  }
  Pair pair{base::Fd(fds[0]), base::Fd(fds[1])};
  ::fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK);
  return pair;
}

base::Result<pid_t> spawn(const std::vector<std::string>& argv, int fd) {
  std::vector<char*> pointers;
  for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
  // A server blocks and ignores signals in ways that its child must not inherit.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv[0].c_str(), &actions, &attributes, pointers.data(),
                                environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return base::error_from_errno(error, "spawn", argv[0]);
  return pid;
}

// Sends what the socket takes; closes our writing side after the last byte. A child that does
// not read is no error: it has its reasons, and its output tells them.
void send_some(int fd, std::string_view& input, bool& open) {
  while (!input.empty()) {
    const ssize_t sent = ::send(fd, input.data(), input.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      input = {};
      break;
    }
    input.remove_prefix(static_cast<std::size_t>(sent));
  }
  ::shutdown(fd, SHUT_WR);
  open = false;
}

// False at the end of the child's output.
bool receive_some(int fd, std::string& output) {
  char buffer[64 * 1024];
  const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
  if (got > 0) output.append(buffer, static_cast<std::size_t>(got));
  return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

int milliseconds_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

void talk(int fd, std::string_view input, Clock::time_point deadline,
          std::uint64_t output_bytes_max, ChildEnd& end) {
  bool sending = true;
  for (;;) {
    pollfd wanted{fd, static_cast<short>(POLLIN | (sending ? POLLOUT : 0)), 0};
    const int ready = ::poll(&wanted, 1, milliseconds_until(deadline));
    if (ready == 0 || Clock::now() >= deadline) {
      end.timed_out = true;
      return;
    }
    if (ready < 0) continue;  // interrupted
    if (sending && (wanted.revents & POLLOUT) != 0) send_some(fd, input, sending);
    if ((wanted.revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    if (!receive_some(fd, end.output)) return;
    if (end.output.size() > output_bytes_max) {
      end.output_too_long = true;
      return;
    }
  }
}

// After its output has ended a child has little left to do; one that stays is killed.
int reap(pid_t pid, Clock::time_point deadline, ChildEnd& end) {
  int status = 0;
  for (bool killed = end.timed_out || end.output_too_long;;) {
    if (killed) ::kill(pid, SIGKILL);
    const pid_t done = ::waitpid(pid, &status, killed ? 0 : WNOHANG);
    if (done == pid) return status;
    if (done < 0 && errno != EINTR) return 0;
    if (killed) continue;
    if (Clock::now() >= deadline) {
      end.timed_out = killed = true;
    } else {
      ::poll(nullptr, 0, 1);
    }
  }
}

}  // namespace

base::Result<ChildEnd> run_child(const std::vector<std::string>& argv, std::string_view input,
                                 std::chrono::milliseconds timeout,
                                 std::uint64_t output_bytes_max) {
  const Clock::time_point deadline = Clock::now() + timeout;
  Pair pair = TRY(make_pair());
  const pid_t pid = TRY(spawn(argv, pair.theirs.get()));
  pair.theirs.reset();

  ChildEnd end;
  talk(pair.ours.get(), input, deadline, output_bytes_max, end);
  const int status = reap(pid, deadline, end);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  return end;
}

}  // namespace analyze
