// A program of others that runs beside a test (nginx, Debian's debuginfod), on a port of its own.
// Killed by the destructor, and by the kernel when the test dies. One thread.
// start() fails the test when nobody listens on the port in time.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace testing_support {

class PeerProcess {
 public:
  // `words`: the command, which stays in the foreground. `log_path`: what it says.
  PeerProcess(std::vector<std::string> words, std::uint16_t port, std::string log_path);
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;
  ~PeerProcess() { stop(); }

  bool is_up() const { return is_up_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url() const { return "http://" + address(); }
  std::string log() const;
  void stop();  // SIGKILL, at once: as a machine goes

 private:
  const std::uint16_t port_;
  const std::string log_path_;
  pid_t child_ = -1;
  bool is_up_ = false;
};

// nginx with one server block, on loopback, as the user who runs the test; its access log has a
// line "METHOD TARGET STATUS" for each request.
class Nginx {
 public:
  // `directory`: for its files; made. `server`: the inside of the server block without `listen`.
  Nginx(const std::string& directory, const std::string& server)
      : Nginx(directory, server, kAnyPort) {}
  Nginx(const std::string& directory, const std::string& server, std::uint16_t port);

  bool is_up() const { return process_->is_up(); }
  std::string address() const { return process_->address(); }
  std::string url() const { return process_->url(); }
  std::vector<std::string> asked() const;  // lines of the access log so far
  std::string log() const { return process_->log(); }
  void stop() { process_->stop(); }

 private:
  static constexpr std::uint16_t kAnyPort = 0;
  const std::string directory_;
  std::unique_ptr<PeerProcess> process_;
};

}  // namespace testing_support
