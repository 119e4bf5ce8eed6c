#include "testing/peer_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "testing/free_port.h"

namespace testing_support {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartTime = 60s;

bool accepts(std::uint16_t port) {
  const base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

bool has_ended(pid_t child) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid != 0;
}

pid_t spawn(std::vector<std::string> words, const std::string& log_path) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const base::Fd log(::open(log_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::dup2(log.get(), 1);
  ::dup2(log.get(), 2);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

std::string configuration(const std::string& directory, const std::string& server,
                          std::uint16_t port) {
  std::string text = "daemon off; master_process off; pid " + directory + "/pid;\n";
  text += "error_log stderr;\nevents { worker_connections 256; }\nhttp {\n";
  for (const char* what : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    text.append(what).append("_temp_path ").append(directory).append("/").append(what);
    text += ";\n";
  }
  text += "log_format asked '$request_method $request_uri $status';\naccess_log " + directory;
  text += "/access.log asked;\nserver {\nlisten 127.0.0.1:" + std::to_string(port) + ";\n";
  return text + server + "\n}\n}\n";
}

}  // namespace

PeerProcess::PeerProcess(std::vector<std::string> words, std::uint16_t port, std::string log_path)
    : port_(port), log_path_(std::move(log_path)) {
  const std::string name = words.front();
  child_ = spawn(std::move(words), log_path_);
  const auto until = std::chrono::steady_clock::now() + kStartTime;
  while (std::chrono::steady_clock::now() < until && !has_ended(child_)) {
    if (accepts(port_)) {
      is_up_ = true;
      return;
    }
    std::this_thread::sleep_for(20ms);
  }
  ADD_FAILURE() << name << " did not start:\n" << log();
}

std::string PeerProcess::log() const { return base::read_file(log_path_).value_or(""); }

void PeerProcess::stop() {
  if (child_ < 0) return;
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
}

Nginx::Nginx(const std::string& directory, const std::string& server, std::uint16_t port)
    : directory_(directory) {
  if (port == kAnyPort) port = free_port();
  const std::string file = directory + "/nginx.conf";
  EXPECT_TRUE(base::make_directories(directory).ok());
  EXPECT_TRUE(
      base::write_file_durably(file, base::bytes_of(configuration(directory, server, port))).ok());
  const std::vector<std::string> words{"nginx", "-e", "stderr", "-p", directory, "-c", file};
  process_ = std::make_unique<PeerProcess>(words, port, directory + "/said.log");
}

std::vector<std::string> Nginx::asked() const {
  const std::string text = base::read_file(directory_ + "/access.log").value_or("");
  std::vector<std::string> lines;
  for (const std::string_view line : base::split(text, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

}  // namespace testing_support
