// A real `faultline serve` of this build, on loopback, with a data directory of its own: for
// tests of what clients see and of what a crash leaves behind.
// Killed by the destructor if it still runs. What sanitizers say of it in its log fails the test.
// One thread.
// start() fails the test and gives a dead server when it does not come up in time.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace testing_support {

// The program of this build: FAULTLINE_PROGRAM, or `faultline` beside the test.
std::string faultline_program();

class ServerProcess {
 public:
  struct Setup {
    std::string data;                      // kept after the test; must not be in use
    std::vector<std::string> arguments;    // after `serve --data … --listen 127.0.0.1:0`
    std::vector<std::string> wrapper;      // before the program, such as strace -f -o FILE
    std::vector<std::string> environment;  // "FAULTLINE_LIMITS_UPLOAD=1000"
    // Instead of `serve --data … --listen …`: must keep its data in `data` and listen on loopback.
    std::vector<std::string> command = {};
  };
  static ServerProcess start(const Setup& setup);
  // `faultline debuginfod` with these flags, when it listens.
  static ServerProcess start_debuginfod(const std::string& data,
                                        const std::vector<std::string>& flags,
                                        std::vector<std::string> environment = {});
  ServerProcess(ServerProcess&& other) noexcept;
  ServerProcess& operator=(ServerProcess&&) = delete;
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  ~ServerProcess();

  const std::string& url() const { return url_; }  // "http://127.0.0.1:43210"; "" if it is dead
  pid_t pid() const { return server_pid_; }        // of the server itself, not of a wrapper
  std::string log() const;                         // what it has written to stderr
  // Waits until it is in the log, where an answer's line comes after the answer; false: too long.
  bool log_comes_to_say(std::string_view text) const;

  // SIGTERM, then its exit code; -1 when it had to be killed.
  int stop();
  void kill();  // SIGKILL, at once

 private:
  ServerProcess() = default;
  void expect_no_findings() const;
  pid_t child_ = -1;  // what we started
  pid_t server_pid_ = -1;
  std::string url_;
  std::string log_path_;
};

}  // namespace testing_support
