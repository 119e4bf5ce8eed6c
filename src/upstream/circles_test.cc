// What comes round: another server's word for it, and how we find out.
#include <gtest/gtest.h>

#include "net/round_trips.h"
#include "testing/scripted_server.h"
#include "upstream/upstreams.h"

namespace upstream {
namespace {

using namespace std::chrono_literals;
using testing_support::ScriptedServer;

net::Answer round_answer() {
  net::Answer answer = net::Answer::text(404, "no");
  answer.headers.set("X-Faultline-Reason", "not_found: it comes round");
  answer.headers.set(net::kCameRound, "1");
  return answer;
}

struct Asking {
  explicit Asking(const ScriptedServer::Handler& handler) : other(root.path(), handler) {
    ServerOptions options;
    options.name = "other";
    options.own_name = "us";
    options.also.cabinets = false;
    options.retry_after = 3600s;
    options.transport.location = other.url();
    server = Server::make(options).value();
  }
  base::Error must_miss() {
    auto fetched = server->fetch(request, root.path(), stop, until);
    EXPECT_FALSE(fetched.ok());
    return fetched.ok() ? base::Error{} : fetched.error();
  }

  base::TemporaryDirectory root = base::TemporaryDirectory::create("circles").value();
  ScriptedServer other;
  std::unique_ptr<Server> server;
  const ident::SymbolRequest request = ident::request_of({"f", "1", "f"});
  const std::atomic<bool> stop = false;
  Server::Clock::time_point until = Server::Clock::time_point::max();
};

TEST(Circles, WhatCameRoundIsRememberedByNobody) {
  Asking asking([](net::Request&) { return round_answer(); });
  EXPECT_TRUE(net::says_came_round(asking.must_miss()));
  EXPECT_LT(asking.until, Server::Clock::now() + 10s);
  EXPECT_TRUE(net::says_came_round(asking.must_miss()));
  EXPECT_EQ(asking.other.asked, 2);  // in spite of retry_after
  EXPECT_EQ(asking.server->counts().remembered, 0u);
}

TEST(Circles, AQuestionOnBehalfOfAnotherTells) {
  std::atomic<int> heads = 0;
  Asking asking([&](net::Request& request) {
    if (request.method == net::Method::head) ++heads;
    return request.header(net::kAskedBy) == "them, us" ? round_answer()
                                                       : net::Answer::text(200, "the file");
  });
  const Place place = place_at("f/1/f");
  EXPECT_TRUE(asking.server->comes_round(place, "them", asking.root.path(), asking.stop));
  EXPECT_FALSE(asking.server->comes_round(place, "others", asking.root.path(), asking.stop));
  EXPECT_EQ(heads, 2);
}

// Servers of another kind are not asked a second time for that.
TEST(Circles, OnlyAServerOfOursMayAskBack) {
  std::atomic<bool> is_ours = false;
  Asking asking(
      [&](net::Request&) { return is_ours ? round_answer() : net::Answer::text(404, "no"); });
  EXPECT_TRUE(asking.server->may_ask_back());  // nobody knows
  asking.must_miss();
  EXPECT_FALSE(asking.server->may_ask_back());
  is_ours = true;
  asking.server->misses().forget_all();
  asking.must_miss();
  EXPECT_TRUE(asking.server->may_ask_back());
}

TEST(Circles, ADirectoryAsksNobody) {
  const auto root = base::TemporaryDirectory::create("circles").value();
  ServerOptions options;
  options.own_name = "us";
  options.transport.location = root.path();
  EXPECT_FALSE(Server::make(options).value()->may_ask_back());
}

}  // namespace
}  // namespace upstream
