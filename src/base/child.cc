#include "base/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "base/file.h"

// The sanitizers reserve terabytes of address space: under them no memory limit can be set.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FAULTLINE_NO_MEMORY_LIMIT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FAULTLINE_NO_MEMORY_LIMIT 1
#endif
#endif

namespace base {

std::string ChildEnd::describe() const {
  if (timed_out) return "took too long and was stopped";
  if (signal != 0) return "was killed by signal " + std::to_string(signal);
  if (exit_code < 0) return "ended, and somebody else took its end";
  std::string text = "exit code " + std::to_string(exit_code);
  if (!errors.empty()) {
    const auto end = errors.find_last_not_of('\n');
    if (end != std::string::npos) text += ": " + errors.substr(0, end + 1);
  }
  return text;
}

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kStopCheckMs = 100;
constexpr std::chrono::microseconds kFirstNap{100};
constexpr std::chrono::microseconds kLongestNap{10'000};
constexpr int kUnknown = -1;  // a status; so it stays when somebody else takes the end: no success
constexpr std::size_t kCommandWordsMax = 64 * 1024;

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return error_from_errno(errno, "cannot make", "a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// A file without a name: neither who writes it nor who reads it waits for the other.
Result<Fd> make_nameless() {
  Fd file(::memfd_create("child", MFD_CLOEXEC));
  if (!file.valid()) return error_from_errno(errno, "cannot make", "a file for a child");
  return file;
}

Result<Fd> make_input(std::string_view input) {
  if (input.empty()) {
    Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!nothing.valid()) return error_from_errno(errno, "cannot open", "/dev/null");
    return nothing;
  }
  Fd file = TRY(make_nameless());
  while (!input.empty()) {
    const ssize_t n = ::write(file.get(), input.data(), input.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return error_from_errno(errno, "cannot write", "a child's input");
    input.remove_prefix(static_cast<std::size_t>(n));
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

void limit(__rlimit_resource resource, std::uint64_t value) {
  const rlimit bound{static_cast<rlim_t>(value), static_cast<rlim_t>(value)};
  ::setrlimit(resource, &bound);
}

// As exec wants them; they point into `words`.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What follows runs between fork and exec, in a copy of a process with many threads: system calls
// only.
void take_standard(int input, int output, int errors) {
  ::dup2(input, 0);
  ::dup2(output, 1);
  ::dup2(errors, 2);
  ::close_range(3, ~0u, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGCHLD, SIG_DFL);  // else its own children end without a status
}

[[noreturn]] void become_child(const char* program, char* const* arguments,
                               const ChildLimits& limits, int input, int output, int errors,
                               pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  limit(RLIMIT_CPU, limits.cpu_seconds_max);
#ifndef FAULTLINE_NO_MEMORY_LIMIT
  limit(RLIMIT_DATA, limits.data_bytes_max);
#endif
  limit(RLIMIT_FSIZE, limits.file_bytes_max);
  limit(RLIMIT_NOFILE, limits.open_files_max);
  limit(RLIMIT_CORE, 0);
  take_standard(input, output, errors);
  ::execv(program, arguments);
  ::_exit(127);
}

[[noreturn]] void become_command(char* const* words, int input, int output, int errors) {
  take_standard(input, output, errors);
  ::execvp(words[0], words);
  ::_exit(127);
}

// Takes what is there; false at the end.
bool drain(int fd, std::string& text, std::size_t size_max, bool* cut) {
  std::array<char, 16 * 1024> buffer{};
  const ssize_t n = ::read(fd, buffer.data(), buffer.size());
  if (n < 0) return errno == EINTR || errno == EAGAIN;
  if (n == 0) return false;
  const std::size_t room = size_max - std::min(size_max, text.size());
  text.append(buffer.data(), std::min(room, static_cast<std::size_t>(n)));
  if (cut != nullptr && room < static_cast<std::size_t>(n)) *cut = true;
  return true;
}

bool is_over(Clock::time_point until, const std::atomic<bool>* stop) {
  return Clock::now() >= until || (stop != nullptr && stop->load());
}

// Reads both outputs until both have ended, or the time is up (false).
bool collect(ChildEnd& end, Fd output, Fd errors, const ChildLimits& limits,
             Clock::time_point until) {
  std::array<pollfd, 2> polled{{{output.get(), POLLIN, 0}, {errors.get(), POLLIN, 0}}};
  std::array<std::string*, 2> texts{&end.output, &end.errors};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    if (is_over(until, limits.stop)) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    const std::int64_t nap = std::clamp<std::int64_t>(left.count(), 0, kStopCheckMs);
    const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(nap));
    if (ready < 0 && errno != EINTR) return false;
    for (std::size_t i = 0; i < polled.size(); ++i) {
      if (ready <= 0 || polled[i].fd < 0 || polled[i].revents == 0) continue;
      bool* const cut = i == 0 ? &end.output_cut : nullptr;
      if (!drain(polled[i].fd, *texts[i], limits.text_bytes_max, cut)) polled[i].fd = -1;
    }
  }
  return true;
}

// Waits for its end, but no longer than until then: false.
bool await_end(pid_t child, Clock::time_point until, const std::atomic<bool>* stop, int& status) {
  for (auto nap = kFirstNap;; nap = std::min(2 * nap, kLongestNap)) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended > 0 || (ended < 0 && errno != EINTR)) return true;
    if (is_over(until, stop)) return false;
    std::this_thread::sleep_for(nap);
  }
}

int kill_and_await(pid_t child) {
  ::kill(child, SIGKILL);
  int status = kUnknown;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void take_status(int status, ChildEnd& end) {
  if (status == kUnknown) return;
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
}

std::string text_in(const Fd& file) {
  std::string text(kCommandWordsMax, '\0');
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

}  // namespace

Result<ChildEnd> run_child(const std::string& program, const std::vector<std::string>& arguments,
                           const ChildLimits& limits, std::string_view input) {
  const Fd standard_input = TRY(make_input(input));
  Pipe output = TRY(make_pipe());
  Pipe errors = TRY(make_pipe());
  std::vector<std::string> copies(arguments);
  const std::vector<char*> argv = pointers_to(copies);

  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return error_from_errno(errno, "cannot start", program);
  if (child == 0) {
    become_child(program.c_str(), argv.data(), limits, standard_input.get(), output.write_end.get(),
                 errors.write_end.get(), parent);
  }
  output.write_end.reset();
  errors.write_end.reset();

  ChildEnd end;
  int status = kUnknown;
  const auto until = Clock::now() + limits.wall;
  // Its outputs may end long before it does.
  end.timed_out =
      !collect(end, std::move(output.read_end), std::move(errors.read_end), limits, until) ||
      !await_end(child, until, limits.stop, status);
  if (end.timed_out) status = kill_and_await(child);
  take_status(status, end);
  if (end.exit_code == 127 && end.errors.empty()) {
    return Error{Fault::unavailable, program + ": cannot be started"};
  }
  return end;
}

Result<ChildEnd> run_command(const std::vector<std::string>& words,
                             std::chrono::milliseconds wall) {
  const Fd input = TRY(make_input({}));
  const Fd output = TRY(make_nameless());
  const Fd errors = TRY(make_nameless());
  std::vector<std::string> copies(words);
  const std::vector<char*> argv = pointers_to(copies);
  const pid_t child = ::fork();
  if (child < 0) return error_from_errno(errno, "cannot start", words.front());
  if (child == 0) become_command(argv.data(), input.get(), output.get(), errors.get());

  ChildEnd end;
  int status = kUnknown;
  end.timed_out = !await_end(child, Clock::now() + wall, nullptr, status);
  if (end.timed_out) status = kill_and_await(child);
  take_status(status, end);
  end.output = text_in(output);
  end.errors = text_in(errors);
  return end;
}

}  // namespace base
