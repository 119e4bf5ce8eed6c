#include "net/round_trips.h"

#include <gtest/gtest.h>

namespace net {
namespace {

Request with(std::string_view name, std::string_view value) {
  Request request = Request::of("GET", "/x");
  request.headers.set(name, value);
  return request;
}

TEST(RoundTrips, AreKnownByOnesOwnName) {
  EXPECT_FALSE(comes_round(Request::of("GET", "/x"), "us"));
  EXPECT_FALSE(comes_round(with(kAskedBy, "them, others"), "us"));
  EXPECT_FALSE(comes_round(with(kAskedBy, "thus"), "us"));
  EXPECT_TRUE(comes_round(with(kAskedBy, "them,us , others"), "us"));
  EXPECT_TRUE(comes_round(with(kAskedBy, asked_by_too(asked_by_too("", "us"), "them")), "us"));
  EXPECT_EQ(asked_by_too("us", "them"), "us, them");
}

TEST(RoundTrips, EndWhenTooManyHaveAsked) {
  EXPECT_FALSE(comes_round(with("X-Forwarded-For", "1, 2, 3, 4, 5, 6, 7, 8"), "us"));
  EXPECT_TRUE(comes_round(with("X-Forwarded-For", "1, 2, 3, 4, 5, 6, 7, 8, 9"), "us"));
  EXPECT_TRUE(comes_round(with(kAskedBy, "1, 2, 3, 4, 5, 6, 7, 8, 9"), "us"));
}

TEST(RoundTrips, OneOfTwoGivesWay) {
  EXPECT_TRUE(gives_way("b", "a"));
  EXPECT_FALSE(gives_way("a", "b"));
  EXPECT_TRUE(gives_way("0, b", "a"));  // who asked us last counts
}

}  // namespace
}  // namespace net
