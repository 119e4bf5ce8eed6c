// A port on 127.0.0.1 where something else listens than was meant: whoever connects is told the
// same words, whatever he says.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>

#include <string>
#include <thread>

#include "testing/silent_listener.h"

namespace testing_support {

class GreetingListener {
 public:
  explicit GreetingListener(std::string greeting) : greeting_(std::move(greeting)) {
    thread_ = std::thread([this] { greet_forever(); });
  }
  ~GreetingListener() {
    ::shutdown(listener_.fd(), SHUT_RDWR);  // ends accept4()
    thread_.join();
  }
  GreetingListener(const GreetingListener&) = delete;
  GreetingListener& operator=(const GreetingListener&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(listener_.port()); }

 private:
  void greet_forever() const {
    for (;;) {
      const base::Fd peer(::accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!peer.valid()) return;
      ::send(peer.get(), greeting_.data(), greeting_.size(), MSG_NOSIGNAL);
      ::shutdown(peer.get(), SHUT_WR);
      // What is left unread at the end would reset the connection, and take the greeting along.
      const timeval patience{10, 0};
      ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      char said[1024];
      while (::recv(peer.get(), said, sizeof said, 0) > 0) {
      }
    }
  }

  const std::string greeting_;
  const SilentListener listener_;
  std::thread thread_;
};

}  // namespace testing_support
