// How the server lets go: of slow and idle clients, of too many, and of all of them at its end.
#include "net/body_budget.h"
#include "net/server_fixture.h"

namespace net {
namespace {

using testing_support::raw_get;
using testing_support::RawClient;

TEST_F(ServerTest, SlowAndIdleClientsAreLetGo) {
  options_.head_timeout = 1s;
  options_.idle_timeout = 1s;
  options_.body_stall_timeout = 1s;
  options_.write_stall_timeout = 1s;
  start();
  RawClient slow(address()), idle(address()), stalled(address()), unread(address()),
      silent(address());
  slow.send("GET /hello HTT");
  idle.send(kGet);
  EXPECT_EQ(idle.read_answer().status, 200);
  stalled.send("POST /memory HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  std::string many;
  for (int i = 0; i < 8; ++i) many += "GET /large HTTP/1.1\r\nHost: h\r\n\r\n";
  unread.send(many);
  EXPECT_TRUE(slow.read_all().starts_with("HTTP/1.1 408"));
  EXPECT_TRUE(stalled.read_all().starts_with("HTTP/1.1 408"));
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_EQ(idle.end(), RawClient::End::closed);
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_EQ(silent.end(), RawClient::End::closed);
  std::this_thread::sleep_for(2s);
  unread.read_all();
  EXPECT_EQ(unread.end(), RawClient::End::reset);
}

TEST_F(ServerTest, WhoHasAShareOfABudgetMustSend) {
  options_.body_pace_time = 2s;  // and body_stall_timeout is far away
  constexpr std::size_t kPieces = 30, kPiece = 70'000, kSize = kPieces * kPiece;
  Route budgeted = route("POST", "/budgeted", [](Request& request) {
    return Answer::text(200, std::to_string(request.body.size()));
  });
  budgeted.body = BodyPolicy::memory(kSize);
  budgeted.body.budget = std::make_shared<BodyBudget>(3 * kSize);
  router_.add(budgeted);
  start();
  RawClient slow(address()), small(address()), steady(address());
  for (RawClient* client : {&slow, &small, &steady}) {
    client->send("POST /budgeted HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(kSize) +
                 "\r\n\r\n");
  }
  small.send(std::string(BodyBudget::kFree, 'x'));  // which costs nobody anything
  slow.send(std::string(50'000, 'x'));
  std::string said;
  for (std::size_t i = 0; i < kPieces || (said.empty() && i < 600); ++i) {
    if (said.empty()) slow.send("x");
    if (i < kPieces) steady.send(std::string(kPiece, 'x'));
    if (said.empty()) said = slow.read_all(100ms);
  }
  EXPECT_TRUE(said.starts_with("HTTP/1.1 408")) << said;
  EXPECT_EQ(steady.read_answer().body, std::to_string(kSize));
  small.send(std::string(kSize - BodyBudget::kFree, 'x'));
  EXPECT_EQ(small.read_answer().body, std::to_string(kSize));
}

TEST_F(ServerTest, ConnectionsHaveALimit) {
  options_.connections_max = 2;
  start();
  RawClient a(address()), b(address());
  for (RawClient* client : {&a, &b}) {
    client->send(kGet);
    EXPECT_EQ(client->read_answer().status, 200);
    client->send("GET /hello HTT");  // no idle connection
  }
  RawClient c(address());
  c.send(kGet);
  EXPECT_EQ(c.read_all(1500ms), "") << "every answer would be remembered by somebody";
  EXPECT_EQ(c.end(), RawClient::End::open);
  EXPECT_EQ(options_.figures->connections, 2u);
  EXPECT_GE(options_.figures->full, 1u);
  a.send("P/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(a.read_answer().status, 200);
  a.close();
  EXPECT_EQ(c.read_answer().status, 200);
}

TEST_F(ServerTest, IdleConnectionsMakeRoomWhenOthersWait) {
  options_.connections_max = 2;
  start();
  RawClient a(address()), b(address());
  for (RawClient* client : {&a, &b}) {
    client->send(kGet);
    EXPECT_EQ(client->read_answer().status, 200);
  }
  RawClient c(address());
  c.send(kGet);
  EXPECT_EQ(c.read_answer().status, 200);  // idle_timeout is far away
  EXPECT_EQ(a.read_all(), "");
  EXPECT_EQ(a.end(), RawClient::End::closed);
}

TEST_F(ServerTest, WhoKeepsDescriptorsInStoreIsToldOfACrowd) {
  std::atomic<unsigned> told{0};
  options_.on_crowd = [&] { ++told; };
  start();
  std::vector<std::unique_ptr<RawClient>> crowd;
  for (unsigned i = 0; i < ServerOptions::kCrowdStep; ++i) {
    EXPECT_EQ(told, 0u) << i;
    crowd.push_back(std::make_unique<RawClient>(address()));
    crowd.back()->send(kGet);
    EXPECT_EQ(crowd.back()->read_answer().status, 200);
  }
  EXPECT_EQ(told, 1u);
}

TEST_F(ServerTest, StopDrains) {
  start();
  RawClient parked(address()), idle(address()), download(address());
  idle.send(kGet);
  EXPECT_EQ(idle.read_answer().status, 200);
  download.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  parked.send("GET /parked HTTP/1.1\r\nHost: h\r\n\r\n");
  for (;;) {
    const std::lock_guard lock(parked_mutex_);
    if (parked_) break;
  }
  std::thread stopping([&] { server_->stop(); });
  std::this_thread::sleep_for(100ms);
  idle.send(kGet);  // within the grace time
  EXPECT_EQ(idle.read_answer().header("Connection"), "close");
  parked_->complete(Answer::text(200, "done\n"));
  EXPECT_EQ(parked.read_answer().body, "done\n");
  EXPECT_EQ(download.read_answer().body, large_);
  stopping.join();
}

TEST_F(ServerTest, StopDoesNotWaitForEver) {
  options_.drain_timeout = 1s;
  start();
  RawClient parked(address());
  parked.send("GET /parked HTTP/1.1\r\nHost: h\r\n\r\n");
  for (;;) {
    const std::lock_guard lock(parked_mutex_);
    if (parked_) break;
  }
  server_->stop();
  parked.read_all();
  EXPECT_EQ(parked.end(), RawClient::End::reset);
  parked_->complete(Answer::text(200, "too late\n"));
}

TEST_F(ServerTest, ClientsThatLeaveInMidDownloadHurtNobody) {
  start();
  for (int i = 0; i < 20; ++i) {
    RawClient client(address());
    client.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\nGET /large HTTP/1.1\r\nHost: h\r\n\r\n");
    if (i % 2 == 0) std::this_thread::sleep_for(1ms);
    client.reset();
  }
  EXPECT_EQ(raw_get(address(), "/hello").status, 200);
}

TEST_F(ServerTest, AnAddressInUseIsNamed) {
  start();
  ServerOptions options = options_;
  options.listen = address();
  const auto second = Server::start(options, Router(), pool_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().fault, base::Fault::unavailable);
  EXPECT_NE(second.error().what.find(address()), std::string::npos);
  options.listen = "nonsense";
  EXPECT_EQ(Server::start(options, Router(), pool_).error().fault, base::Fault::malformed);
}

}  // namespace
}  // namespace net
