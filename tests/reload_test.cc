// What a running server takes over at SIGHUP, and what it leaves for the next start.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "base/file.h"
#include "net/client.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"

namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::ScriptedServer;
using testing_support::ServerProcess;

constexpr std::string_view kWaits = "waits for the next start";

std::size_t count_of(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

class Reload : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  void write(const std::string& config) const {
    ASSERT_TRUE(base::write_file_durably(path("faultline.toml"), base::bytes_of(config)).ok());
  }
  void start(const std::string& config) {
    write(config);
    server_.emplace(
        ServerProcess::start({path("data"), {"--config", path("faultline.toml")}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  // Until the log says once more what became of the configuration.
  void hang_up(const std::string& config, std::string_view says = "configuration read again") {
    write(config);
    const std::size_t before = count_of(server_->log(), says);
    ASSERT_EQ(::kill(server_->pid(), SIGHUP), 0);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (count_of(server_->log(), says) == before && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ASSERT_EQ(count_of(server_->log(), says), before + 1) << server_->log();
  }
  int status_of(const std::string& name, const std::string& client = "") const {
    net::ClientRequest request;
    request.url = fmt::format("{0}/{1}/1/{1}", server_->url(), name);
    if (!client.empty()) request.headers.set("X-Forwarded-For", client);
    const auto answer = net::Client().send(request);
    EXPECT_TRUE(answer.ok());
    return answer.ok() ? answer->status : 0;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("reload").value();
  std::optional<ServerProcess> server_;
  ScriptedServer upstream_{root_.path(), [](net::Request& request) {
                             return net::Answer::text(200, "file of " + request.path);
                           }};
};

TEST_F(Reload, TheRatesOfRequestsHoldFromThenOn) {
  const std::string proxies = "trusted_proxies = [\"127.0.0.1\"]\n";
  start(proxies);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(status_of("a", "192.0.2.1"), 404);
  hang_up(proxies + "[limits]\nrequests_per_address = 1\nrequests_burst = 1\n");
  int refused = 0;
  for (int i = 0; i < 20; ++i) refused += status_of("a", "192.0.2.1") == 429 ? 1 : 0;
  EXPECT_GE(refused, 10);
  hang_up(proxies);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(status_of("a", "192.0.2.1"), 404);
  EXPECT_THAT(server_->log(), Not(HasSubstr(kWaits)));
}

TEST_F(Reload, TwoServersAtOnePlaceKeepTheirOwnLists) {
  const auto tables = [&](const char* second) {
    return upstream_.table("cabinets = 0\nallow = [\"a\"]\n") +
           upstream_.table(fmt::format("cabinets = 0\nallow = [\"{}\"]\n", second));
  };
  start(tables("b"));
  hang_up(tables("b"));
  EXPECT_EQ(status_of("a1"), 200);
  EXPECT_EQ(status_of("b1"), 200);
  EXPECT_EQ(status_of("c1"), 404);
  hang_up(tables("c"));
  EXPECT_EQ(status_of("a2"), 200);
  EXPECT_EQ(status_of("b2"), 404);
  EXPECT_EQ(status_of("c1"), 200) << "that nobody was asked for it is not remembered";
  EXPECT_THAT(server_->log(), Not(HasSubstr(kWaits)));
}

TEST_F(Reload, WhatIsDeniedEverywhereHoldsForServersThatChanged) {
  start(upstream_.table("name = \"changing\"\ncabinets = 0\nallow = [\"a\", \"secret\"]\n"));
  EXPECT_EQ(status_of("secret1"), 200);
  const int asked = upstream_.asked;
  hang_up("[upstreams]\ndeny = [\"secret\"]\n" +
          upstream_.table("name = \"changing\"\ncabinets = 0\nretry_seconds = 7\n"));
  EXPECT_THAT(server_->log(), HasSubstr(fmt::format("{}: [[upstream]] changing\n", kWaits)));
  EXPECT_EQ(status_of("secret2"), 404);
  EXPECT_EQ(upstream_.asked, asked);
  EXPECT_EQ(status_of("b"), 404) << "its own list is the old one";
  EXPECT_EQ(status_of("a"), 200);
}

TEST_F(Reload, ServersAreKnownInAnotherPlace) {
  const auto table = [&](const char* name, const char* denied) {
    return upstream_.table(
        fmt::format("name = \"{}\"\ncabinets = 0\nrequests_max = {}\n"
                    "deny = [\"{}\"]\n",
                    name, name[0] - 'a' + 1, denied));
  };
  start(table("first", "none") + table("second", "none"));
  hang_up(table("new", "none") + table("first", "a") + table("second", "a"));
  EXPECT_THAT(server_->log(), HasSubstr(fmt::format("{}: [[upstream]] new\n", kWaits)));
  EXPECT_EQ(status_of("a"), 404);
  EXPECT_EQ(status_of("b"), 200);
  hang_up(table("second", "none") + table("first", "none"));
  EXPECT_THAT(server_->log(), HasSubstr(fmt::format("{}: the order of [[upstream]]\n", kWaits)));
  EXPECT_EQ(status_of("a"), 200);
}

TEST_F(Reload, ACacheThatCannotBeMadeIsInNobodysWay) {
  const std::string cache = "[upstreams]\ncache = \"" + path("faultline.toml/none") + "\"\n";
  start(cache + upstream_.table("cabinets = 0\n"));
  hang_up(cache + upstream_.table("cabinets = 0\n"));
  EXPECT_THAT(server_->log(), Not(HasSubstr(kWaits)));
  hang_up(cache + upstream_.table("cabinets = 0\ndeny = [\"a\"]\n"));
  EXPECT_EQ(status_of("a"), 404);
  EXPECT_EQ(status_of("b"), 200);
}

TEST_F(Reload, WhatIsWrongAnywhereChangesNothing) {
  start(upstream_.table("cabinets = 0\n"));
  const std::string denying = upstream_.table("cabinets = 0\ndeny = [\"a\"]\n");
  for (const char* wrong : {"log_format = \"xml\"\n", "retention.projects = [\"nobody\"]\n",
                            "no_such_key = 1\n", "upstreams.deny = [\"(\"]\n"}) {
    hang_up(wrong + denying, "configuration not read again, the old stays");
  }
  hang_up(denying + "[[upstream]]\nurl = \"https://user:hidden@symbols.example/\"\n",
          "configuration not read again, the old stays");
  EXPECT_EQ(status_of("a"), 200);
  EXPECT_THAT(server_->log(), Not(HasSubstr("hidden")));
}

}  // namespace
