// One thread's event loop: readiness of sockets, posted calls, one repeating tick. Asio stands
// behind event_loop.cc and nowhere else.
// post() and stop() may be called by any thread; all else belongs to the thread in run().
// A Watch owns its descriptor and must go before its loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "base/file.h"

namespace net {

enum class Direction : std::uint8_t { read, write };

class Watched {
 public:
  virtual ~Watched() = default;
  virtual void on_ready(Direction direction) = 0;
};

class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  void run();  // until stop()
  void stop();
  void post(std::function<void()> call);
  // REQUIRES: once, before run().
  void every(std::chrono::milliseconds period, std::function<void()> tick);

 private:
  friend class Watch;
  struct State;
  std::unique_ptr<State> state_;
};

class Watch {
 public:
  Watch(EventLoop& loop, base::Fd fd);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  int fd() const { return fd_; }
  // Calls watched->on_ready(direction) once when the descriptor is ready or broken; not after
  // close().
  void wait(Direction direction, std::shared_ptr<Watched> watched);
  void close();
  bool closed() const { return fd_ < 0; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  int fd_ = -1;
};

}  // namespace net
