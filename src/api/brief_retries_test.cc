#include "api/brief_retries.h"

#include <gtest/gtest.h>

#include "api/clients.h"

namespace api {
namespace {

using namespace std::chrono_literals;

net::Request request_for(const std::string& path, const std::string& peer = "10.0.0.1:5000",
                         const std::string& agent = "elfutils/0.188,Linux/x86_64,debian/12") {
  net::Request request;
  request.path = path;
  request.peer = peer;
  request.headers.add("User-Agent", agent);
  return request;
}

TEST(BriefRetries, WhoWasJustResetIsNotHeldAgain) {
  BriefRetries retries;
  const auto now = BriefRetries::Clock::now();
  const net::Request first = request_for("/buildid/aa/debuginfo");
  EXPECT_EQ(retries.patience_of(first, now), patience_of(first));
  net::Answer reset;
  reset.reset = true;
  retries.note(first, reset, now);
  const net::Request again = request_for("/buildid/aa/debuginfo", "10.0.0.1:5001");
  EXPECT_EQ(retries.patience_of(again, now + 10ms), BriefRetries::kMoment);
  EXPECT_EQ(retries.patience_of(again, now + BriefRetries::kAtOnce + 1ms), patience_of(first));
  for (const net::Request& other :
       {request_for("/buildid/aa/executable"),
        request_for("/buildid/aa/debuginfo", "10.0.0.2:5000"),
        request_for("/buildid/aa/debuginfo", "10.0.0.1:5000", "symbolicator/25.1.0")}) {
    EXPECT_EQ(retries.patience_of(other, now + 10ms), patience_of(other)) << other.path;
  }
}

TEST(BriefRetries, OtherAnswersAreNotRemembered) {
  BriefRetries retries;
  const auto now = BriefRetries::Clock::now();
  const net::Request request = request_for("/buildid/aa/debuginfo");
  retries.note(request, net::Answer::text(404, ""), now);
  EXPECT_EQ(retries.patience_of(request, now), patience_of(request));
}

TEST(BriefRetries, ManyAreNotKept) {
  BriefRetries retries;
  const auto now = BriefRetries::Clock::now();
  net::Answer reset;
  reset.reset = true;
  for (std::size_t i = 0; i < BriefRetries::kKeptMax * 3; ++i) {
    const net::Request request = request_for("/buildid/" + std::to_string(i) + "/debuginfo");
    retries.note(request, reset, now);
    EXPECT_EQ(retries.patience_of(request, now), BriefRetries::kMoment);
  }
  EXPECT_EQ(retries.patience_of(request_for("/buildid/0/debuginfo"), now), 5000ms);
}

}  // namespace
}  // namespace api
