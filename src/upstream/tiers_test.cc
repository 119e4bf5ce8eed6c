// How many tiers a symbol store elsewhere has, which nobody wrote down.
#include "upstream/tiers.h"

#include <gtest/gtest.h>

#include <thread>

#include "testing/scripted_server.h"
#include "upstream/upstreams.h"

namespace upstream {
namespace {

using namespace std::chrono_literals;
using base::Error;
using base::Fault;
using testing_support::ScriptedServer;

const std::atomic<bool> kGoesOn = false;

TEST(Tiers, AnAnswerIsGoodForATime) {
  int asked = 0;
  std::optional<bool> answer = false;
  const Tiers::Question ask = [&]() -> base::Result<std::optional<bool>> {
    ++asked;
    return answer;
  };
  Tiers lasting(3600s);
  EXPECT_FALSE(lasting.are_two(ask, kGoesOn).value());
  answer = true;
  EXPECT_FALSE(lasting.are_two(ask, kGoesOn).value());
  EXPECT_EQ(asked, 1);
  Tiers passing(0s);
  EXPECT_TRUE(passing.are_two(ask, kGoesOn).value());
  answer = std::nullopt;
  EXPECT_TRUE(passing.are_two(ask, kGoesOn).value()) << "the old answer stays";
  answer = false;
  EXPECT_FALSE(passing.are_two(ask, kGoesOn).value());
  EXPECT_EQ(asked, 4);
}

TEST(Tiers, NoAnswerIsNotRemembered) {
  Tiers tiers(3600s);
  const Tiers::Question silent = [] { return Error{Fault::timed_out, "no answer"}; };
  EXPECT_EQ(tiers.are_two(silent, kGoesOn).error().fault, Fault::timed_out);
  EXPECT_FALSE(tiers.are_two([] { return std::optional<bool>(); }, kGoesOn).value());
  EXPECT_TRUE(tiers.are_two([] { return std::optional(true); }, kGoesOn).value());
}

TEST(Tiers, WhoComesMeanwhileWaitsForTheSameAnswer) {
  Tiers tiers(3600s);
  std::atomic<int> asked = 0;
  const Tiers::Question ask = [&]() -> base::Result<std::optional<bool>> {
    ++asked;
    std::this_thread::sleep_for(200ms);
    return std::optional(true);
  };
  std::atomic<int> said_two = 0;
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { said_two += tiers.are_two(ask, kGoesOn).value() ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(said_two, 4);
}

// A store that has its file in two tiers alone, or in one.
struct Store {
  explicit Store(const std::string& place, const ScriptedServer::Handler& on_index2 = nullptr)
      : web(
            root.path(),
            [place](net::Request& request) {
              return request.path == place ? net::Answer::text(200, "the file")
                                           : net::Answer::text(404, "no");
            },
            on_index2) {}
  ServerOptions options() const {
    ServerOptions options;
    options.name = "store";
    options.finds_tiers = true;
    options.retry_after = 0s;
    options.transport.location = web.url();
    options.breaker.failures_max = 2;
    return options;
  }
  base::Result<Fetched> fetch(Server& server) const {
    Server::Clock::time_point until = Server::Clock::time_point::max();
    const ident::SymbolRequest request = ident::request_of({"foo.bin", "1", "foo.bin"});
    return server.fetch(request, root.path(), kGoesOn, until);
  }

  base::TemporaryDirectory root = base::TemporaryDirectory::create("tiers").value();
  ScriptedServer web;
};

constexpr const char* kOneTier = "/foo.bin/1/foo.bin";
constexpr const char* kTwoTiers = "/fo/foo.bin/1/foo.bin";

TEST(TiersOfAServer, AreAskedForOnceAndWithTheFirstFile) {
  const Store store(kTwoTiers, [](net::Request&) { return net::Answer::text(200, "Hello"); });
  const auto server = Server::make(store.options()).value();
  EXPECT_EQ(store.web.asked_for_tiers, 0);
  EXPECT_EQ(server->layout(), Layout::symstore);
  EXPECT_TRUE(store.fetch(*server).ok());
  EXPECT_TRUE(store.fetch(*server).ok());
  EXPECT_EQ(store.web.asked_for_tiers, 1);
  EXPECT_EQ(server->layout(), Layout::symstore_two_tier);
}

TEST(TiersOfAServer, WhatIsWrittenDownIsNotAskedFor) {
  const Store store(kOneTier, [](net::Request&) { return net::Answer::text(200, ""); });
  ServerOptions options = store.options();
  options.finds_tiers = false;
  EXPECT_TRUE(store.fetch(*Server::make(options).value()).ok());
  EXPECT_EQ(store.web.asked_for_tiers, 0);
}

TEST(TiersOfAServer, AreOneWhereNothingSaysClearlyThatTheyAreTwo) {
  const std::string long_text(100'000, 'x');
  const std::vector<std::pair<std::string, net::Answer>> rows{
      {"a miss", net::Answer::text(404, "no")},
      {"a refusal", net::Answer::text(403, "no")},
      {"a page", net::Answer::html(200, "no such file")},
      {"a page that is said to be text", net::Answer::text(200, " <!DOCTYPE html>no such file")},
      {"a long text", net::Answer::text(200, long_text)},
      {"trouble", net::Answer::text(500, "no")}};
  for (const auto& [what, answer] : rows) {
    const Store store(kOneTier, [answer = answer](net::Request&) { return answer; });
    const auto server = Server::make(store.options()).value();
    EXPECT_TRUE(store.fetch(*server).ok()) << what;
    EXPECT_TRUE(store.fetch(*server).ok()) << what;
    EXPECT_EQ(store.web.asked_for_tiers, what == "trouble" ? 2 : 1) << what;
  }
}

// A miss there would be none: nobody knows where the file would lie.
TEST(TiersOfAServer, ThatDoesNotAnswerAreNotKnown) {
  std::atomic<bool> is_down = true;
  const Store store(kTwoTiers, [&is_down](net::Request&) {
    net::Answer answer = net::Answer::text(200, "");
    answer.reset = is_down;
    return answer;
  });
  const auto server = Server::make(store.options()).value();
  EXPECT_EQ(store.fetch(*server).error().fault, Fault::unavailable);
  EXPECT_EQ(store.web.asked, 0);
  EXPECT_EQ(server->counts().failures, 1u);
  is_down = false;
  EXPECT_TRUE(store.fetch(*server).ok());
  EXPECT_EQ(server->counts().remembered, 0u);
}

TEST(TiersOfADirectory, AreThoseThatItHasNow) {
  const Store store(kOneTier);
  const std::string tree = store.root.path() + "/tree";
  const auto write = [&](const std::string& path) {
    ASSERT_TRUE(base::write_file_durably(tree + path, base::bytes_of("the file")).ok());
  };
  ServerOptions options = store.options();
  options.transport.location = tree;
  write(kOneTier);
  const auto server = Server::make(options).value();
  EXPECT_TRUE(store.fetch(*server).ok());
  write("/index2.txt");
  EXPECT_EQ(store.fetch(*server).error().fault, Fault::not_found);
  write(kTwoTiers);
  EXPECT_TRUE(store.fetch(*server).ok());
  EXPECT_EQ(server->layout(), Layout::symstore_two_tier);
}

}  // namespace
}  // namespace upstream
