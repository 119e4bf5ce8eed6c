#include "upstream/race.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/file.h"

namespace upstream {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// What a server does when it is asked; by name.
struct Deed {
  std::chrono::milliseconds first_byte{0};
  std::chrono::milliseconds rest{0};
  bool has_it = true;
  bool is_packed = false;
};

class RaceTest : public testing::Test {
 protected:
  void add(const std::string& name, const Deed& deed) {
    ServerOptions options;
    options.name = name;
    options.transport.location = root_.path();
    servers_.push_back(Server::make(options).value());
    deeds_[name] = deed;
  }

  std::vector<Racers::Answer> race(Watcher* watcher = nullptr) {
    std::vector<Server*> servers;
    servers.reserve(servers_.size());
    for (const auto& server : servers_) servers.push_back(server.get());
    return racers_.race(
        servers,
        [this](Server& server, const std::atomic<bool>& stop, Clock::time_point& /*until*/,
               Watcher* lane) { return run(server.name(), stop, lane); },
        watcher, stop_);
  }

  std::string seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

  std::atomic<bool> stop_ = false;

 private:
  static bool wait(std::chrono::milliseconds time, const std::atomic<bool>& stop) {
    const auto until = Clock::now() + time;
    while (Clock::now() < until && !stop) std::this_thread::sleep_for(1ms);
    return !stop;
  }

  Result<Fetched> run(const std::string& name, const std::atomic<bool>& stop, Watcher* lane) {
    const Deed deed = deeds_.at(name);
    const Error stopped{Fault::unavailable, "was stopped"};
    if (!wait(deed.first_byte, stop)) return told(name, stopped);
    if (!deed.has_it) return Error{Fault::not_found, "has it not"};
    base::PendingFile file = base::PendingFile::create(root_.path()).value();
    Place place{"a/1/a", "a", deed.is_packed};
    if (!deed.is_packed) lane->began(place, file, std::nullopt);
    if (!wait(deed.rest, stop)) return told(name, stopped);
    if (!deed.is_packed) lane->grew_to(7);
    return Fetched{std::move(file), place, name};
  }

  Error told(const std::string& name, Error error) {
    const std::lock_guard lock(mutex_);
    seen_ += name + " ";
    return error;
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("race").value();
  std::vector<std::unique_ptr<Server>> servers_;
  std::map<std::string, Deed> deeds_;
  std::mutex mutex_;
  std::string seen_;  // who was stopped; guarded by mutex_
  Racers racers_{8};  // goes first: its threads use all of the above
};

class Log : public Watcher {
 public:
  void asks(Server& /*server*/, const Place& /*place*/) override {}
  void began(const Place& /*place*/, const base::PendingFile& /*file*/,
             std::optional<std::uint64_t> /*total*/) override {
    text += "began ";
  }
  void grew_to(std::uint64_t size) override { text += std::to_string(size) + " "; }
  void ended(bool is_good) override { text += is_good ? "good " : "bad "; }
  std::string text;
};

TEST_F(RaceTest, WhoseBytesComeFirstHasItAloneHoweverLongTheRestTakes) {
  add("late", {10s, 0ms});
  add("first", {0ms, 200ms});
  Log log;
  const auto answers = race(&log);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].server, 1u);
  ASSERT_TRUE(answers[0].fetched.ok());
  EXPECT_EQ(answers[0].fetched->from, "first");
  EXPECT_EQ(log.text, "began 7 ") << "that it is good is for the caller to say";
  for (int i = 0; i < 5000 && seen().empty(); ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(seen(), "late ");
}

TEST_F(RaceTest, WhoSaidNoBeforeHasAnswered) {
  add("has it not", {0ms, 0ms, false});
  add("has it", {300ms, 0ms});
  add("later", {10s, 0ms});
  const auto answers = race();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].server, 1u) << "the winner comes first";
  EXPECT_EQ(answers[1].server, 0u);
  EXPECT_EQ(answers[1].fetched.error().fault, Fault::not_found);
}

TEST_F(RaceTest, WithoutAWinnerAllAnswer) {
  add("one", {0ms, 0ms, false});
  add("two", {50ms, 0ms, false});
  const auto answers = race();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_FALSE(answers[0].fetched.ok());
  EXPECT_FALSE(answers[1].fetched.ok());
}

TEST_F(RaceTest, WhatIsPackedHasWonWhenItIsHere) {
  add("plain", {300ms, 10s});
  add("packed", {0ms, 50ms, true, true});
  Log log;
  const auto answers = race(&log);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].server, 1u);
  EXPECT_EQ(log.text, "");
}

TEST_F(RaceTest, StopEndsItWithoutAnAnswer) {
  add("slow", {20s, 0ms});
  add("slower", {30s, 0ms});
  std::thread stopper([this] {
    std::this_thread::sleep_for(50ms);
    stop_ = true;
  });
  const auto begun = Clock::now();
  Log log;
  EXPECT_TRUE(race(&log).empty());
  stopper.join();
  EXPECT_LT(Clock::now() - begun, 10s);
  EXPECT_EQ(log.text, "");
}

}  // namespace
}  // namespace upstream
