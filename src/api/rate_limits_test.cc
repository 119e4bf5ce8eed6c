#include "api/rate_limits.h"

#include <gtest/gtest.h>

namespace api {
namespace {

constexpr std::int64_t kSecond = 1'000'000;

TEST(RateLimits, LetABurstGoAndThenTheRate) {
  RateLimits limits({5, 0, 2});
  int taken = 0;
  while (limits.take("k", 5, kSecond)) ++taken;
  EXPECT_EQ(taken, 10);
  EXPECT_FALSE(limits.take("k", 5, kSecond + kSecond / 10));
  EXPECT_TRUE(limits.take("k", 5, kSecond + kSecond / 4));
  EXPECT_FALSE(limits.take("k", 5, kSecond + kSecond / 4));
  EXPECT_TRUE(limits.take("other", 5, kSecond)) << "each has its own";
  taken = 0;
  while (limits.take("k", 5, 100 * kSecond)) ++taken;
  EXPECT_EQ(taken, 10) << "never more than a burst";
}

TEST(RateLimits, HoldAsTheyAreNow) {
  RateLimits limits({0, 0, 1});
  net::Request request = net::Request::of("GET", "/a.pdb/1/a.pdb");
  request.peer = "192.0.2.1:1000";
  request.headers.set("Host", "symbols.example");
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(limits.refuse(request));
  limits.use({1, 0, 1});
  EXPECT_FALSE(limits.refuse(request));
  EXPECT_TRUE(limits.refuse(request));
  limits.use({0, 0, 1});
  EXPECT_FALSE(limits.refuse(request));
}

net::Request from(const std::string& peer, const std::string& agent) {
  net::Request request = net::Request::of("GET", "/a.pdb/1/a.pdb");
  request.peer = peer;
  request.headers.set("Host", "symbols.example");
  if (!agent.empty()) request.headers.set("User-Agent", agent);
  return request;
}

TEST(RateLimits, TellEachClientWhatItUnderstands) {
  struct Case {
    const char* agent;
    int status;
    const char* header;
    bool reset;
  };
  for (const Case& row :
       {Case{"curl/8.5.0", 429, "Retry-After", false},
        Case{"Microsoft-Symbol-Server/10.0", 503, "Symbol-Agent-Status", false},
        Case{"elfutils/0.196", 503, "", true}, Case{"symbolicator/26.8.0", 503, "", false}}) {
    SCOPED_TRACE(row.agent);
    RateLimits limits({1, 0, 1});
    EXPECT_FALSE(limits.refuse(from("192.0.2.1:1000", row.agent)));
    const auto refused = limits.refuse(from("192.0.2.1:1001", row.agent));
    ASSERT_TRUE(refused) << "another connection is the same address";
    EXPECT_EQ(refused->status, row.status);
    EXPECT_EQ(refused->reset, row.reset);
    if (*row.header != '\0') EXPECT_TRUE(refused->headers.find(row.header));
    EXPECT_FALSE(limits.refuse(from("192.0.2.2:1000", row.agent)));
  }
}

TEST(RateLimits, CountTokensWhereverTheyComeFrom) {
  RateLimits limits({0, 2, 1});
  for (int i = 0; i < 4; ++i) {
    net::Request request = from("192.0.2." + std::to_string(i) + ":1", "curl/8");
    // A label behind it makes no other token of it.
    request.headers.set("Authorization", "Bearer secret-" + std::to_string(i));
    EXPECT_EQ(limits.refuse(request).has_value(), i >= 2) << i;
    EXPECT_FALSE(limits.refuse(from("192.0.2.9:1", "curl/8"))) << "without one nothing counts";
  }
}

TEST(RateLimits, CountAProjectsClientsTogether) {
  RateLimits limits({0, 0, 1, 2}, [](const net::Request& request) {
    return request.path.starts_with("/p/game/") ? std::string("game") : std::string();
  });
  for (int i = 0; i < 4; ++i) {
    net::Request request = from("192.0.2." + std::to_string(i) + ":1", "curl/8");
    EXPECT_FALSE(limits.refuse(request)) << "nobody's";
    request.path = "/p/game/a.pdb/1/a.pdb";
    const auto refused = limits.refuse(request);
    ASSERT_EQ(refused.has_value(), i >= 2) << i;
    if (refused) {
      EXPECT_EQ(refused->status, 429);
    }
  }
}

TEST(RateLimits, DoNotCountThisMachine) {
  RateLimits limits({1, 1, 1});
  for (int i = 0; i < 5; ++i) {
    net::Request request = from("127.0.0.1:5", "curl/8");
    request.headers.set("Host", "localhost:7070");
    EXPECT_FALSE(limits.refuse(request));
  }
}

}  // namespace
}  // namespace api
