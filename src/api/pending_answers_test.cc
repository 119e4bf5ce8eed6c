#include "api/pending_answers.h"

#include <gtest/gtest.h>

#include <future>

namespace api {
namespace {

using std::chrono::hours;
using Clock = PendingAnswers::Clock;

PendingAnswers::Make text(std::string body) {
  return [body = std::move(body)] { return net::Answer::text(200, body); };
}

// What somebody is told who waits from now on; "unknown" when there is nothing to wait for.
std::future<std::string> wait_for(PendingAnswers& answers, const std::string& id,
                                  Clock::time_point until, std::string_view owner = "me") {
  auto promise = std::make_shared<std::promise<std::string>>();
  auto future = promise->get_future();
  const bool known = answers.wait(id, owner, until, text("pending"), [promise](net::Answer answer) {
    promise->set_value(std::get<std::string>(answer.body));
  });
  if (!known) promise->set_value("unknown");
  return future;
}

Clock::time_point in_an_hour() { return Clock::now() + hours(1); }

TEST(PendingAnswers, WhoWaitsGetsTheAnswerWhenItComes) {
  PendingAnswers answers({});
  const std::string id = answers.begin("me", {10}).value();
  auto waits = wait_for(answers, id, in_an_hour());
  answers.finish(id, text("done"), 1);
  EXPECT_EQ(waits.get(), "done");
  EXPECT_EQ(answers.counts().kept, 0u);
  EXPECT_EQ(wait_for(answers, id, in_an_hour()).get(), "unknown");  // nobody was told its id
}

TEST(PendingAnswers, PatienceEndsAndTheAnswerIsKept) {
  PendingAnswers answers({});
  const std::string id = answers.begin("me", {10}).value();
  EXPECT_EQ(wait_for(answers, id, Clock::now() + std::chrono::milliseconds(1)).get(), "pending");
  EXPECT_EQ(wait_for(answers, id, Clock::now()).get(), "pending");
  answers.finish(id, text("done"), 1);
  EXPECT_EQ(answers.counts().kept, 1u);
  EXPECT_EQ(wait_for(answers, id, Clock::now()).get(), "done");
  EXPECT_EQ(answers.counts().kept, 1u);
  EXPECT_EQ(wait_for(answers, id, in_an_hour()).get(), "done");  // the first may have been lost
}

TEST(PendingAnswers, WhoCameAgainAndWaitedMayComeOnceMore) {
  PendingAnswers answers({});
  const std::string id = answers.begin("me", {10}).value();
  EXPECT_EQ(wait_for(answers, id, Clock::now()).get(), "pending");
  auto waits = wait_for(answers, id, in_an_hour());
  answers.finish(id, text("done"), 1);
  EXPECT_EQ(waits.get(), "done");
  EXPECT_EQ(wait_for(answers, id, in_an_hour()).get(), "done");
}

TEST(PendingAnswers, AnIdIsItsOwnersAlone) {
  PendingAnswers answers({});
  const std::string id = answers.begin("me", {10}).value();
  answers.finish(id, text("done"), 1);
  EXPECT_EQ(wait_for(answers, id, in_an_hour(), "somebody").get(), "unknown");
  EXPECT_EQ(wait_for(answers, id, in_an_hour()).get(), "done");
  EXPECT_EQ(wait_for(answers, "no such id", in_an_hour()).get(), "unknown");
}

TEST(PendingAnswers, OnlySoMuchIsUnderWay) {
  PendingAnswers::Options options;
  options.under_way_max = 2;
  options.under_way_bytes_max = 100;
  PendingAnswers answers(options);
  const std::string large = answers.begin("me", {1000}).value();  // alone it may be
  EXPECT_FALSE(answers.begin("me", {1}));
  answers.finish(large, text("done"), 1);
  EXPECT_TRUE(answers.begin("me", {1}));
  EXPECT_TRUE(answers.begin("me", {1}));
  EXPECT_FALSE(answers.begin("me", {1}));
}

TEST(PendingAnswers, WorkIsCountedByWhatItTurnsOutToTake) {
  PendingAnswers::Options options;
  options.under_way_bytes_max = 100;
  PendingAnswers answers(options);
  const std::string first = answers.begin("me", {10}).value();
  EXPECT_TRUE(answers.grow(first, 1000));  // alone it may be
  EXPECT_TRUE(answers.grow(first, 5));
  EXPECT_EQ(answers.counts().under_way_bytes, 1000u);
  EXPECT_FALSE(answers.begin("me", {1}));
  answers.abandon(first);
  const std::string second = answers.begin("me", {10}).value();
  const std::string third = answers.begin("me", {10}).value();
  EXPECT_TRUE(answers.grow(second, 90));
  EXPECT_FALSE(answers.grow(third, 11));
  answers.abandon(third);
  EXPECT_EQ(answers.counts().under_way_bytes, 90u);
  answers.finish(second, text("done"), 1);
  EXPECT_EQ(answers.counts().under_way_bytes, 0u);
}

TEST(PendingAnswers, OnlySoMuchLiesOnDisk) {
  PendingAnswers::Options options;
  options.under_way_disk_max = 100;
  PendingAnswers answers(options);
  const std::string first = answers.begin("me", {1, 60}).value();
  EXPECT_FALSE(answers.begin("me", {1, 60}));
  EXPECT_TRUE(answers.begin("me", {1, 40}));
  answers.finish(first, text("done"), 1);
  EXPECT_EQ(answers.counts().under_way_disk, 40u);
  EXPECT_TRUE(answers.begin("me", {1, 60}));
}

TEST(PendingAnswers, TheOldestGoesWhenTooMuchIsKept) {
  PendingAnswers::Options options;
  options.kept_bytes_max = 100;
  PendingAnswers answers(options);
  const std::string first = answers.begin("me", {1}).value();
  const std::string second = answers.begin("me", {1}).value();
  answers.finish(first, text("first"), 60);
  answers.finish(second, text("second"), 60);
  EXPECT_EQ(wait_for(answers, first, in_an_hour()).get(), "unknown");
  EXPECT_EQ(wait_for(answers, second, in_an_hour()).get(), "second");
}

TEST(PendingAnswers, WhatNobodyComesForIsForgotten) {
  PendingAnswers::Options options;
  options.kept_for = std::chrono::milliseconds(0);
  PendingAnswers answers(options);
  const std::string id = answers.begin("me", {1}).value();
  answers.finish(id, text("done"), 1);
  const auto give_up = Clock::now() + std::chrono::seconds(30);
  while (answers.counts().kept != 0 && Clock::now() < give_up) std::this_thread::yield();
  EXPECT_EQ(answers.counts().kept, 0u);
}

TEST(PendingAnswers, TheEndOfTheServerEndsAllWaits) {
  std::future<std::string> waits;
  {
    PendingAnswers answers({});
    waits = wait_for(answers, answers.begin("me", {1}).value(), in_an_hour());
  }
  EXPECT_EQ(waits.get(), "pending");
}

}  // namespace
}  // namespace api
