#include "api/long_work.h"

#include <gtest/gtest.h>

#include <future>
#include <new>

namespace {

using net::Answer;

struct Client : net::Completer {
  std::promise<Answer> promise;
  std::future<Answer> answer = promise.get_future();
  void complete(Answer answer_of_job) override { promise.set_value(std::move(answer_of_job)); }
  bool has_answer() const {
    return answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
};

std::shared_ptr<Client> ask(api::LongWork& work, std::function<Answer()> job) {
  auto client = std::make_shared<Client>();
  const net::Reply reply =
      work.reply(std::move(job), [] { return Answer::text(503, "too many\n"); });
  std::get<net::Later>(reply).start(client);
  return client;
}

TEST(LongWork, RefusesWhatComesWhenTooMuchWaits) {
  api::LongWork work({2, 3});
  std::promise<void> gate;
  const std::shared_future<void> opened(gate.get_future());
  const auto wait = [opened] {
    opened.wait();
    return Answer::text(201, "done\n");
  };
  std::vector<std::shared_ptr<Client>> taken;
  taken.reserve(5);
  for (int i = 0; i < 5; ++i) taken.push_back(ask(work, wait));
  const auto refused = ask(work, wait);
  ASSERT_TRUE(refused->has_answer());
  const Answer busy = refused->answer.get();
  EXPECT_EQ(busy.status, 503);
  EXPECT_EQ(busy.headers.find("Retry-After").value_or(""), "60");
  for (const auto& client : taken) EXPECT_FALSE(client->has_answer());
  gate.set_value();
  for (const auto& client : taken) EXPECT_EQ(client->answer.get().status, 201);
  EXPECT_EQ(ask(work, wait)->answer.get().status, 201) << "there is room again";
}

TEST(LongWork, FinishesWhatRunsAndRefusesWhatWaitsAtTheEnd) {
  std::promise<void> started, gate;
  std::shared_ptr<Client> running, waiting;
  std::thread opener;
  {
    api::LongWork work({1, 3});
    running = ask(work, [&] {
      started.set_value();
      gate.get_future().wait();
      return Answer::text(201, "done\n");
    });
    waiting = ask(work, [] { return Answer::text(201, "done\n"); });
    started.get_future().wait();
    opener = std::thread([&gate] {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      gate.set_value();
    });
  }
  opener.join();
  EXPECT_EQ(running->answer.get().status, 201);
  EXPECT_EQ(waiting->answer.get().status, 503);
}

TEST(LongWork, AJobThatThrowsIsAnsweredAndTakesNoRoom) {
  api::LongWork work({1, 0});
  for (int i = 0; i < 3; ++i) {
    const auto client = ask(work, []() -> Answer { throw std::bad_alloc(); });
    EXPECT_EQ(client->answer.get().status, 500);
  }
}

TEST(LongWork, WhatRunsIsToldOfTheEnd) {
  std::promise<void> started;
  std::shared_ptr<Client> running;
  {
    api::LongWork work({1, 0});
    running = ask(work, [&] {
      started.set_value();
      while (!work.is_stopping()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return Answer::text(410, "stopped\n");
    });
    started.get_future().wait();
  }
  EXPECT_EQ(running->answer.get().status, 410);
}

}  // namespace
