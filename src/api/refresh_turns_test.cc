#include "api/refresh_turns.h"

#include <gtest/gtest.h>

namespace api {
namespace {

using namespace std::chrono_literals;

net::Request request_from(const std::string& peer) {
  net::Request request = net::Request::of("GET", "/x");
  request.peer = peer;
  request.headers.set("Host", "localhost");
  return request;
}

ident::SymbolRequest file(const std::string& name) { return ident::request_of({name, "1", name}); }

TEST(RefreshTurns, OneForEachFileInAWhileWhoeverAsks) {
  RefreshTurns turns;
  const auto now = RefreshTurns::Clock::now();
  EXPECT_TRUE(turns.take(request_from("10.0.0.1:5000"), file("a"), now));
  EXPECT_FALSE(turns.take(request_from("10.0.0.1:5000"), file("a"), now + 1s));
  EXPECT_FALSE(turns.take(request_from("10.0.0.2:5000"), file("a"), now + 1s));
  EXPECT_TRUE(turns.take(request_from("10.0.0.2:5000"), file("b"), now + 1s));
  EXPECT_TRUE(turns.take(request_from("10.0.0.1:5000"), file("a"), now + RefreshTurns::kPause));
}

TEST(RefreshTurns, FromThisMachineAlways) {
  RefreshTurns turns;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(turns.take(request_from("127.0.0.1:5000"), file("a")));
}

TEST(RefreshTurns, NamesWithoutEndGetNoMore) {
  RefreshTurns turns;
  const auto now = RefreshTurns::Clock::now();
  const net::Request remote = request_from("10.0.0.1:5000");
  for (std::size_t i = 0; i < RefreshTurns::kKeptMax; ++i) {
    EXPECT_TRUE(turns.take(remote, file("a" + std::to_string(i)), now));
  }
  EXPECT_FALSE(turns.take(remote, file("b"), now));
  EXPECT_FALSE(turns.take(remote, file("a0"), now));
  EXPECT_TRUE(turns.take(remote, file("b"), now + RefreshTurns::kPause));
}

}  // namespace
}  // namespace api
