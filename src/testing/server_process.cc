#include "testing/server_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "testing/commands.h"
#include "testing/free_port.h"

namespace testing_support {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartTime = 30s;
constexpr auto kStopTime = 30s;

pid_t spawn(std::vector<std::string> words, const std::vector<std::string>& environment,
            const std::string& log_path) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const pid_t child = ::fork();
  if (child != 0) {
    ::close(log);
    return child;
  }
  ::unsetenv("DEBUGINFOD_URLS");  // of this machine: no test asks servers of the world
  for (const std::string& setting : environment) {
    const auto equals = setting.find('=');
    ::setenv(setting.substr(0, equals).c_str(), setting.substr(equals + 1).c_str(), 1);
  }
  ::dup2(log, 2);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

// "127.0.0.1:43210 (process 4711)" → address and process, once the port is known.
bool parse_holder(std::string_view text, std::string& address, pid_t& pid) {
  const auto space = text.find(' ');
  constexpr std::string_view kProcess = " (process ";
  if (space == std::string_view::npos || text.substr(0, space).ends_with(":0")) return false;
  const std::string_view rest = text.substr(space);
  if (!rest.starts_with(kProcess) || !rest.ends_with(')')) return false;
  const auto number =
      base::parse_decimal(rest.substr(kProcess.size(), rest.size() - kProcess.size() - 1));
  if (!number) return false;
  address = std::string(text.substr(0, space));
  pid = static_cast<pid_t>(*number);
  return true;
}

bool has_ended(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid != 0;
}

}  // namespace

std::string faultline_program() {
  if (const char* given = std::getenv("FAULTLINE_PROGRAM")) return given;
  char self[4096];
  const ssize_t size = ::readlink("/proc/self/exe", self, sizeof self);
  const std::string_view path(self, size < 0 ? 0 : static_cast<std::size_t>(size));
  return base::join_path(base::parent_of(path), "faultline");
}

ServerProcess ServerProcess::start(const Setup& setup) {
  std::vector<std::string> words = setup.wrapper;
  std::vector<std::string> environment = setup.environment;
  // The wrapper may trace the server, and LeakSanitizer cannot work under ptrace: it would end a
  // sanitized server with exit code 1. The other checks stay on.
  if (!setup.wrapper.empty()) environment.emplace_back("ASAN_OPTIONS=detect_leaks=0");
  words.push_back(faultline_program());
  if (setup.command.empty()) {
    for (const std::string& word : {std::string("serve"), std::string("--data"), setup.data,
                                    std::string("--listen"), std::string("127.0.0.1:0")}) {
      words.push_back(word);
    }
  }
  words.insert(words.end(), setup.command.begin(), setup.command.end());
  words.insert(words.end(), setup.arguments.begin(), setup.arguments.end());
  const std::string lock_path = base::join_path(setup.data, "faultline.lock");
  if (base::file_exists(lock_path)) {
    EXPECT_TRUE(base::remove_file(lock_path).ok());
  }

  ServerProcess server;
  server.log_path_ = setup.data + ".log";
  server.child_ = spawn(std::move(words), environment, server.log_path_);
  const auto until = std::chrono::steady_clock::now() + kStartTime;
  std::string address;
  while (std::chrono::steady_clock::now() < until && !has_ended(server.child_)) {
    const std::string text = base::read_file(lock_path).value_or("");
    if (parse_holder(text, address, server.server_pid_)) {
      server.url_ = "http://" + address;
      return server;
    }
    std::this_thread::sleep_for(5ms);
  }
  ADD_FAILURE() << "the server did not start:\n" << server.log();
  return server;
}

ServerProcess ServerProcess::start_debuginfod(const std::string& data,
                                              const std::vector<std::string>& flags,
                                              std::vector<std::string> environment) {
  Setup setup;
  setup.data = data;
  setup.command = {"debuginfod", "-p", std::to_string(free_port()), "--listen-address=127.0.0.1",
                   "-d",         data};
  setup.command.insert(setup.command.end(), flags.begin(), flags.end());
  setup.environment = std::move(environment);
  ServerProcess server = start(setup);
  // The data directory names the address before anybody listens there.
  must_run("curl -s -o /dev/null --retry 50 --retry-delay 1 --retry-connrefused " + server.url() +
           "/healthz");
  return server;
}

ServerProcess::ServerProcess(ServerProcess&& other) noexcept
    : child_(std::exchange(other.child_, -1)),
      server_pid_(other.server_pid_),
      url_(std::move(other.url_)),
      log_path_(std::move(other.log_path_)) {}

ServerProcess::~ServerProcess() { kill(); }

std::string ServerProcess::log() const { return base::read_file(log_path_).value_or(""); }

bool ServerProcess::log_comes_to_say(std::string_view text) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (log().find(text) == std::string::npos) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

// A server of a sanitized build goes on after most of what is found, and may be killed before its
// exit code tells of it.
void ServerProcess::expect_no_findings() const {
  const std::string text = log();
  const std::size_t at = text.find("Sanitizer: ");
  if (at == std::string::npos) return;
  const std::size_t line = text.rfind('\n', at) + 1;  // 0 where there is none before
  ADD_FAILURE() << text.substr(line, 8000);
}

int ServerProcess::stop() {
  if (child_ < 0) return -1;
  ::kill(server_pid_ > 0 ? server_pid_ : child_, SIGTERM);
  const auto until = std::chrono::steady_clock::now() + kStopTime;
  while (std::chrono::steady_clock::now() < until) {
    int status = 0;
    if (::waitpid(child_, &status, WNOHANG) == child_) {
      child_ = -1;
      expect_no_findings();
      return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::this_thread::sleep_for(5ms);
  }
  kill();
  return -1;
}

void ServerProcess::kill() {
  if (child_ < 0) return;
  if (server_pid_ > 0) ::kill(server_pid_, SIGKILL);
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  expect_no_findings();
}

}  // namespace testing_support
