#include "net/event_loop.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#pragma GCC diagnostic pop

namespace net {

namespace asio = boost::asio;
using boost::system::error_code;

struct EventLoop::State {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard{io.get_executor()};
  asio::steady_timer timer{io};
  std::chrono::milliseconds period{0};
  std::function<void()> tick;

  void arm() {
    timer.expires_after(period);
    timer.async_wait([this](error_code error) {
      if (error) return;
      tick();
      arm();
    });
  }
};

EventLoop::EventLoop() : state_(std::make_unique<State>()) {}
EventLoop::~EventLoop() = default;

void EventLoop::run() { state_->io.run(); }
void EventLoop::stop() { state_->io.stop(); }

void EventLoop::post(std::function<void()> call) { asio::post(state_->io, std::move(call)); }

void EventLoop::every(std::chrono::milliseconds period, std::function<void()> tick) {
  state_->period = period;
  state_->tick = std::move(tick);
  state_->arm();
}

struct Watch::State {
  using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
  Descriptor descriptor;
};

Watch::Watch(EventLoop& loop, base::Fd fd)
    : state_(std::make_unique<State>(State{State::Descriptor(loop.state_->io, fd.get())})),
      fd_(fd.get()) {
  fd.release();
}

Watch::~Watch() = default;

void Watch::wait(Direction direction, std::shared_ptr<Watched> watched) {
  using Base = asio::posix::descriptor_base;
  state_->descriptor.async_wait(direction == Direction::read ? Base::wait_read : Base::wait_write,
                                [watched = std::move(watched), direction](error_code error) {
                                  if (error != asio::error::operation_aborted)
                                    watched->on_ready(direction);
                                });
}

void Watch::close() {
  error_code ignored;
  ignored = state_->descriptor.close(ignored);
  fd_ = -1;
}

}  // namespace net
