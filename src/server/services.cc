#include "server/services.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <thread>

#include "base/text.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto kPause = 100ms;
constexpr auto kAnswerTime = 1000ms;
constexpr std::size_t kWordsMax = 4096;
constexpr std::uint64_t kSmallFile = 64 * 1024;

std::optional<pid_t> pid_in(const std::string& path) {
  const auto text = base::read_file(path, kSmallFile);
  if (!text.ok()) return std::nullopt;
  const auto number = base::parse_decimal(base::trim(*text));
  // A container's first process is 1; 0 would be everybody.
  if (!number || *number == 0 || *number > 1u << 30) return std::nullopt;
  return static_cast<pid_t>(*number);
}

// A file that was given by hand may lie in the working directory.
Result<void> make_parent(const std::string& path) {
  const std::string parent(base::parent_of(path));
  if (parent.empty()) return {};
  return base::make_directories(parent);
}

// The words of its command line; none: there is no such process, or it has ended already.
std::vector<std::string> words_of(pid_t pid) {
  const auto text = base::read_file("/proc/" + std::to_string(pid) + "/cmdline", kSmallFile);
  std::vector<std::string> words;
  if (!text.ok()) return words;
  for (const std::string_view word : base::split(*text, '\0')) words.emplace_back(word);
  if (!words.empty() && words.back().empty()) words.pop_back();
  return words;
}

// --pidfile FILE or --pidfile=FILE; a relative one was given by hand.
bool names(std::string_view word, const std::string& file) {
  if (word.starts_with("--pidfile=")) word.remove_prefix(word.find('=') + 1);
  if (word.starts_with('/')) return word == file;
  return base::basename_of(word) == base::basename_of(file);
}

// What follows it on a command line; "" when it is not there.
std::string_view value_of(const std::vector<std::string>& words, std::string_view flag) {
  const auto at = std::find(words.begin(), words.end(), flag);
  return at == words.end() || std::next(at) == words.end() ? "" : std::string_view(*std::next(at));
}

// Of a program that anybody may run as well: where ours listens nobody else's does.
bool is_command(const std::vector<std::string>& words, const std::vector<std::string>& command) {
  if (command.empty()) return false;
  if (base::basename_of(words.front()) != base::basename_of(command.front())) return false;
  return value_of(words, "-p") == value_of(command, "-p") &&
         value_of(words, "-l") == value_of(command, "-l");
}

// A process as it was seen to be a service of ours. Its number may be somebody else's any time
// after, and its pid file goes before it does.
struct Seen {
  pid_t pid = -1;
  std::vector<std::string> words;

  bool is_there() const { return words_of(pid) == words; }
};

// In the child: nothing but calls that are safe after fork().
[[noreturn]] void become(char* const* argv, int said) {  // -1: as ours
  ::setsid();
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, 0);
  ::dup2(nothing, 1);
  if (said >= 0) ::dup2(said, 2);
  ::execvp(argv[0], argv);
  ::_exit(127);
}

bool wait_until_gone(const std::vector<Seen>& processes, std::chrono::milliseconds time_max) {
  const auto until = Clock::now() + time_max;
  for (;;) {
    // Those that are our own children stay as zombies otherwise.
    for (const Seen& seen : processes) ::waitpid(seen.pid, nullptr, WNOHANG);
    const auto is_there = [](const Seen& seen) { return seen.is_there(); };
    if (std::none_of(processes.begin(), processes.end(), is_there)) return true;
    if (Clock::now() >= until) return false;
    std::this_thread::sleep_for(kPause);
  }
}

bool names_any(const std::vector<std::string>& words, const std::string& file) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return names(word, file); });
}

std::optional<Seen> find_running(const Service& service) {
  const auto pid = pid_in(service.pid_file);
  if (!pid || *pid == ::getpid()) return std::nullopt;  // who asks names the file as well
  Seen seen{*pid, words_of(*pid)};
  if (seen.words.empty()) return std::nullopt;
  const bool names_file = names_any(seen.words, service.pid_file);
  const bool is_program = !service.writes_pid_file && is_command(seen.words, service.command);
  if (!names_file && !is_program) return std::nullopt;
  return seen;
}

}  // namespace

std::optional<pid_t> running_pid(const Service& service) {
  const auto seen = find_running(service);
  return seen ? std::optional(seen->pid) : std::nullopt;
}

// Sends the question and looks how the answer begins.
bool does_answer(const Service& service) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(service.port);
  if (::getaddrinfo(service.host.c_str(), port.c_str(), &hints, &found) != 0) return false;
  const base::Fd fd(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval time{std::chrono::duration_cast<std::chrono::seconds>(kAnswerTime).count(), 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  const bool connected = ::connect(fd.get(), found->ai_addr, found->ai_addrlen) == 0;
  ::freeaddrinfo(found);
  if (!connected) return false;
  const std::string& question = service.question;
  if (::send(fd.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) return false;
  std::string answer(service.answer.size(), '\0');
  const ssize_t n = ::recv(fd.get(), answer.data(), answer.size(), MSG_WAITALL);
  return n == static_cast<ssize_t>(answer.size()) && answer == service.answer;
}

Result<Started> Started::start(const Service& service, Words words_go) {
  TRY(make_parent(service.pid_file));
  std::vector<std::string> words = service.command;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int ends[2] = {-1, -1};
  if (words_go == Words::kept && ::pipe2(ends, O_CLOEXEC) != 0) {
    return base::error_from_errno(errno, "cannot make a pipe", "");
  }
  base::Fd said(ends[0]);
  const base::Fd saying(ends[1]);
  if (said.valid()) ::fcntl(said.get(), F_SETFL, O_NONBLOCK);
  const pid_t pid = ::fork();
  if (pid < 0) return base::error_from_errno(errno, "cannot start", service.name);
  if (pid == 0) become(argv.data(), saying.get());
  if (!service.writes_pid_file) {
    TRY(base::write_file_durably(service.pid_file, base::bytes_of(std::to_string(pid) + "\n")));
  }
  return Started(service, pid, std::move(said));
}

void Started::read_words() {
  if (!said_.valid()) return;
  char piece[1024];
  for (;;) {
    const ssize_t n = ::read(said_.get(), piece, sizeof piece);
    if (n <= 0) break;
    words_.append(piece, static_cast<std::size_t>(n));
  }
  if (words_.size() > kWordsMax) words_.erase(0, words_.size() - kWordsMax);
}

Result<bool> Started::answers() {
  read_words();
  if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
    read_words();
    const std::string_view words = base::trim(words_);
    std::string what = service_.name + " ended";
    if (words.empty()) {
      what.append("; is ").append(service_.command.front()).append(" there?");
    } else {
      what.append(": ").append(words);
    }
    return Error{Fault::unavailable, std::move(what)};
  }
  return running_pid(service_) == pid_ && does_answer(service_);
}

Result<void> wait_for(std::vector<Started>& started, std::chrono::milliseconds time_max) {
  const auto until = Clock::now() + time_max;
  for (Started& one : started) {
    for (;;) {
      const bool answers = TRY(one.answers());
      if (answers) break;
      if (Clock::now() >= until) {
        return Error{Fault::unavailable, one.service().name + " did not answer in time"};
      }
      std::this_thread::sleep_for(kPause);
    }
  }
  return {};
}

Result<void> wait_until(const std::vector<Service>& services, bool (*is_ready)(const Service&),
                        std::chrono::milliseconds time_max) {
  const auto until = Clock::now() + time_max;
  for (const Service& service : services) {
    while (!is_ready(service)) {
      if (Clock::now() >= until) {
        return Error{Fault::unavailable, service.name + " did not answer in time"};
      }
      std::this_thread::sleep_for(kPause);
    }
  }
  return {};
}

Result<void> stop(const std::vector<Service>& services, std::chrono::milliseconds time_max) {
  std::vector<Seen> processes;
  for (const Service& service : services) {
    auto seen = find_running(service);
    if (seen) processes.push_back(std::move(*seen));
  }
  for (const int signal : {SIGTERM, SIGKILL}) {
    for (const Seen& seen : processes) {
      if (seen.is_there()) ::kill(seen.pid, signal);
    }
    if (!wait_until_gone(processes, time_max)) continue;
    for (const Service& service : services) {
      if (!running_pid(service)) static_cast<void>(base::remove_file(service.pid_file));
    }
    return {};
  }
  return Error{Fault::unavailable, "not all servers could be stopped"};
}

Result<PidFile> PidFile::write(const std::string& path) {
  const auto pid = pid_in(path);
  // Not who starts us in the background: it names the file as well.
  if (pid && *pid != ::getpid() && *pid != ::getppid() && names_any(words_of(*pid), path)) {
    return Error{Fault::unavailable, path + ": process " + std::to_string(*pid) + " has it"};
  }
  TRY(make_parent(path));
  TRY(base::write_file_durably(path, base::bytes_of(std::to_string(::getpid()) + "\n")));
  return PidFile(path);
}

PidFile::~PidFile() {
  if (!path_.empty() && pid_in(path_) == ::getpid()) {
    static_cast<void>(base::remove_file(path_));
  }
}

}  // namespace server
