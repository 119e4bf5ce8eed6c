// Two servers that are each other's upstream, asked for the same file at the same instant: neither
// may wait for the other.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "net/client.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"

namespace {

using testing_support::ScriptedServer;
using testing_support::ServerProcess;

constexpr std::chrono::seconds kAtOnce{10};  // they would wait for 55 s

// Passes on to another server what it is asked, and back what is answered.
net::Answer relay(const net::Request& request, const std::string& url) {
  net::ClientRequest onward;
  onward.method = request.method == net::Method::head ? "HEAD" : "GET";
  onward.url = url + request.path;
  onward.headers.add("X-Faultline-Asked-By", request.header("X-Faultline-Asked-By"));
  const auto told = net::Client().send(onward);
  if (!told.ok()) return net::Answer::text(502, told.error().what);
  net::Answer answer = net::Answer::text(told->status, told->body);
  for (const auto& [name, value] : told->headers.all()) {
    if (name.starts_with("X-Faultline") || name.starts_with("x-faultline")) {
      answer.headers.add(name, value);
    }
  }
  return answer;
}

class CirclesTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }

  ServerProcess start(const std::string& name, const std::string& tables) const {
    const std::string config = path(name + ".toml");
    EXPECT_TRUE(base::write_file_durably(config, base::bytes_of(tables)).ok());
    return ServerProcess::start({path(name), {"--config", config}, {}, {}});
  }
  static std::string table(const std::string& url) {
    return "[[upstream]]\nurl = \"" + url + "\"\nretry_seconds = 3600\ncabinets = 0\n";
  }
  // The left one asks the right one through `relay_`, since it starts first.
  void start_both(const std::string& first_of_all, const std::string& last_of_left = "") {
    left_.emplace(start("left", first_of_all + table(relay_.url()) + last_of_left));
    right_.emplace(start("right", first_of_all + table(left_->url())));
    right_url_ = right_->url();
  }
  struct Told {
    int status = 0;
    std::string body;
    std::chrono::steady_clock::duration after{};
  };
  static Told ask(const std::string& url) {
    const auto began = std::chrono::steady_clock::now();
    const auto answer = net::Client().get(url);
    if (!answer.ok()) return {};
    return {answer->status, answer->body, std::chrono::steady_clock::now() - began};
  }
  std::pair<Told, Told> ask_both(const std::string& at) const {
    Told left, right;
    std::thread other([&] { left = ask(left_->url() + at); });
    right = ask(right_->url() + at);
    other.join();
    return {left, right};
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("circles").value();
  std::string right_url_;
  ScriptedServer relay_{root_.path(),
                        [this](net::Request& request) { return relay(request, right_url_); }};
  std::optional<ServerProcess> left_, right_;
};

// Holds both up until each of them has been asked, so that they ask one another at once.
net::Answer hold_and_miss(net::Request& request) {
  (void)request;
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  return net::Answer::text(404, "no");
}

TEST_F(CirclesTest, WhatNeitherHasIsAMissAtOnceThatNobodyRemembers) {
  ScriptedServer slow(root_.path(), hold_and_miss);
  start_both(slow.table("retry_seconds = 3600\ncabinets = 0\n"));
  const auto [left, right] = ask_both("/f/1/f");
  EXPECT_EQ(left.status, 404);
  EXPECT_EQ(right.status, 404);
  EXPECT_LT(left.after, kAtOnce);
  EXPECT_LT(right.after, kAtOnce);
  net::ClientRequest put;
  put.method = "PUT";
  put.url = right_->url() + "/f/1/f";
  put.body = "the file";
  const auto taken = net::Client().send(put);
  ASSERT_TRUE(taken.ok() && taken->status < 300);
  const auto until = std::chrono::steady_clock::now() + kAtOnce;
  while (ask(left_->url() + "/f/1/f").status != 200 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_EQ(ask(left_->url() + "/f/1/f").body, "the file");
}

TEST_F(CirclesTest, WhatOneOfThemFindsElsewhereItServes) {
  ScriptedServer slow(root_.path(), hold_and_miss);
  ASSERT_TRUE(base::write_file_durably(path("store/f/1/f"), base::bytes_of("the file")).ok());
  start_both(slow.table("cabinets = 0\n"), table(path("store")));
  const auto [left, right] = ask_both("/f/1/f");
  EXPECT_EQ(left.body, "the file");
  EXPECT_LT(left.after, kAtOnce);
  EXPECT_LT(right.after, kAtOnce);
}

// Who joins late waits for what comes from a server that asks nobody back.
TEST_F(CirclesTest, WhoAsksInNoCircleWaits) {
  std::atomic<int> heads = 0;
  ScriptedServer slow(root_.path(), [&](net::Request& request) {
    if (request.method == net::Method::head) ++heads;
    if (request.path.ends_with("/none")) return net::Answer::text(404, "no");
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return net::Answer::text(200, "the file");
  });
  left_.emplace(start("left", slow.table("cabinets = 0\n")));
  EXPECT_EQ(ask(left_->url() + "/none/1/none").status, 404);  // it is no server of ours
  std::thread first([&] { EXPECT_EQ(ask(left_->url() + "/f/1/f").body, "the file"); });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  net::ClientRequest later;
  later.url = left_->url() + "/f/1/f";
  later.headers.add("X-Faultline-Asked-By", "another");
  const auto told = net::Client().send(later);
  EXPECT_EQ(told.ok() ? told->body : "", "the file");
  first.join();
  EXPECT_EQ(heads, 0);
}

// The other one answers only when we have answered it.
TEST_F(CirclesTest, WhoWaitsForTheOneThatWeAskIsAnswered) {
  std::atomic<int> told = 0;
  ScriptedServer other(root_.path(), [&](net::Request& request) {
    net::Answer round = net::Answer::text(404, "we have asked for it ourselves");
    round.headers.set("X-Faultline-Came-Round", "1");
    const std::string_view asked_by = request.header("X-Faultline-Asked-By");
    if (asked_by.find("zzz") != std::string_view::npos) return round;
    net::ClientRequest back;
    back.url = left_->url() + "/f/1/f";
    back.headers.add("X-Faultline-Asked-By", "zzz");  // its own client's, not ours
    const auto answer = net::Client().send(back);
    told = answer.ok() && answer->headers.find("X-Faultline-Came-Round") ? answer->status : -1;
    return net::Answer::text(200, "the file");
  });
  left_.emplace(start("left", other.table("cabinets = 0\n")));
  const Told left = ask(left_->url() + "/f/1/f");
  EXPECT_EQ(told, 404);
  EXPECT_EQ(left.body, "the file");
  EXPECT_LT(left.after, kAtOnce);
}

}  // namespace
