// No client holds a loop: what others ask is answered between the parts of what one sends. There is
// one loop, and it is held by a handler while everything arrives; so the order is certain.
#include <fmt/core.h>

#include <future>

#include "base/codec.h"
#include "net/server_fixture.h"

namespace net {
namespace {

using testing_support::RawClient;

class TurnsTest : public ServerTest {
 protected:
  void start_one_loop() {
    options_.threads = 1;
    Route asked = route("GET", "/asked/{who}", [this](Request& request) {
      order_ += request.path_parameter("who");
      return Answer::text(200, "");
    });
    router_.add(asked);
    asked.method = "POST";
    asked.body = BodyPolicy::file(100 << 20);
    asked.handler = [this](Request& request) {
      order_ += request.path_parameter("who");
      const auto bytes = request.body_bytes();
      return Answer::text(200, std::to_string(bytes.ok() ? bytes->size() : 0));
    };
    router_.add(asked);
    router_.add(route("GET", "/gate", [this](Request&) {
      held_.set_value();
      opened_.get_future().wait();
      return Answer::text(200, "");
    }));
    start();
    gate_.emplace(address());
    greedy_.emplace(address());
    other_.emplace(address());
    for (RawClient* client : {&*gate_, &*greedy_, &*other_}) {  // the loop knows them from now on
      client->send(kGet);
      EXPECT_EQ(client->read_answer().status, 200);
    }
    gate_->send("GET /gate HTTP/1.1\r\nHost: h\r\n\r\n");
    held_.get_future().wait();
  }

  // The other one's comes after the first of the greedy one's.
  void ask_and_open() {
    other_->send("GET /asked/o HTTP/1.1\r\nHost: h\r\n\r\n");
    std::this_thread::sleep_for(50ms);
    opened_.set_value();
    EXPECT_EQ(other_->read_answer().status, 200);
  }

  std::string order_;  // who was asked for, on the loop's thread
  std::promise<void> held_, opened_;
  std::optional<RawClient> gate_, greedy_, other_;
};

TEST_F(TurnsTest, WhoAsksMuchAtATimeLetsOthersAsk) {
  start_one_loop();
  std::string requests;
  for (int i = 0; i < 500; ++i) requests += "GET /asked/g HTTP/1.1\r\nHost: h\r\n\r\n";
  greedy_->send(requests);
  ask_and_open();
  for (int i = 0; i < 500; ++i) ASSERT_EQ(greedy_->read_answer().status, 200);
  server_.reset();
  EXPECT_EQ(order_.size(), 501u);
  EXPECT_LT(order_.find('o'), 100u);
}

TEST_F(TurnsTest, WhoSendsEmptyLinesLetsOthersAsk) {
  start_one_loop();
  std::string lines;
  while (lines.size() < 20 * 64 * 1024) lines += "\r\n";  // some reads more than a turn has
  std::promise<void> sent;
  std::thread sending([&] {
    greedy_->send(lines + "GET /asked/g HTTP/1.1\r\nHost: h\r\n\r\n");
    sent.set_value();
    EXPECT_EQ(greedy_->read_answer().status, 200);
  });
  sent.get_future().wait_for(1s);  // the kernel's buffers hold it all, as a rule
  ask_and_open();
  sending.join();
  server_.reset();
  EXPECT_EQ(order_, "og");
}

// A body of some 40 KiB, which come in one read.
class UnpackingTurnsTest : public TurnsTest {
 protected:
  static constexpr std::size_t kPlain = 40 << 20;

  void send_and_ask(std::string_view framing, std::string_view framed) {
    start_one_loop();
    greedy_->send("POST /asked/g HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\n" +
                  std::string(framing) + "\r\n\r\n" + std::string(framed));
    ask_and_open();
    EXPECT_EQ(greedy_->read_answer().body, std::to_string(kPlain));
    greedy_->send(kGet);  // and what follows is the next request
    EXPECT_EQ(greedy_->read_answer().body, "hello\n");
    server_.reset();
    EXPECT_EQ(order_, "og");
  }

  const std::vector<std::uint8_t> packed_ = base::gzip(std::vector<std::uint8_t>(kPlain));
  const std::string_view body_ = base::text_of(packed_);
};

TEST_F(UnpackingTurnsTest, LetOthersAsk) {
  send_and_ask("Content-Length: " + std::to_string(body_.size()), body_);
}

TEST_F(UnpackingTurnsTest, LetOthersAskAmidChunks) {
  std::string chunks;
  for (std::size_t at = 0; at < body_.size(); at += 4000) {
    const std::string_view piece = body_.substr(at, 4000);
    chunks += fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
  }
  send_and_ask("Transfer-Encoding: chunked", chunks + "0\r\n\r\n");
}

}  // namespace
}  // namespace net
