#include "statistics/tally.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace statistics {
namespace {

Asked asked(std::string_view name, Outcome outcome, bool from_memory = false, std::int64_t us = 0) {
  Asked asked;
  asked.name = name;
  asked.outcome = outcome;
  asked.from_memory = from_memory;
  asked.us = us;
  return asked;
}

Counts counts_of(const Tally::Batch& batch, std::string_view name) {
  for (const auto& [known, count] : batch.names) {
    if (known == name) return count.counts;
  }
  return {};
}

TEST(Tally, CountsWhatCameOfEachRequest) {
  Tally tally;
  tally.answered(asked("foo.pdb", Outcome::here, true, 5));
  tally.answered(asked("foo.pdb", Outcome::here, false, 7));
  tally.answered(asked("FOO.pdb", Outcome::missing));
  tally.answered(asked("foo.pdb", Outcome::failed, true));
  tally.answered(asked("foo.pdb", Outcome::invalid, true, 100));
  const Counts counts = counts_of(tally.take(), "foo.pdb");
  EXPECT_EQ(counts.requests, 4);
  EXPECT_EQ(counts.invalid, 1);
  EXPECT_EQ(counts.successes, 2);
  EXPECT_EQ(counts.failures, 2);
  EXPECT_EQ(counts.misses, 1) << "trouble is no miss";
  EXPECT_EQ(counts.hits, 2);
  EXPECT_EQ(counts.us, 12);
  EXPECT_GT(counts.last_at.us, 0);
}

TEST(Tally, GivesEachCountOnce) {
  Tally tally;
  tally.answered(asked("foo.pdb", Outcome::here));
  EXPECT_EQ(counts_of(tally.take(), "foo.pdb").requests, 1);
  EXPECT_TRUE(tally.take().names.empty());
  tally.answered(asked("foo.pdb", Outcome::here));
  EXPECT_EQ(counts_of(tally.take(), "foo.pdb").requests, 1);
}

TEST(Tally, CountsOnManyThreads) {
  Tally tally;
  std::vector<std::thread> threads;
  threads.reserve(20);
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) tally.answered(asked("foo.pdb", Outcome::here));
    });
  }
  std::int64_t seen = 0;
  const auto add = [&] {
    for (const auto& [name, count] : tally.take().names) seen += count.counts.requests;
  };
  for (int i = 0; i < 50; ++i) add();
  for (std::thread& thread : threads) thread.join();
  add();
  EXPECT_EQ(seen, 20'000);
}

TEST(Tally, TheSpellingThatCameFirstComesFirstWhateverTheThread) {
  for (const bool from_here : {true, false}) {
    Tally tally;
    const auto ask_on = [&](bool here, std::string_view name) {
      const auto ask = [&] { tally.answered(asked(name, Outcome::here)); };
      here ? ask() : std::thread(ask).join();
    };
    ask_on(from_here, "lost.pdb");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    ask_on(!from_here, "LOST.pdb");
    const Tally::Batch batch = tally.take();
    ASSERT_EQ(batch.names.size(), 2u);
    EXPECT_EQ(batch.names[0].first, "lost.pdb");
    EXPECT_EQ(batch.names[1].first, "LOST.pdb");
  }
}

TEST(Tally, CountsWithoutANameWhatDoesNotFit) {
  Tally tally;
  for (std::size_t i = 0; i < Tally::kNamesMax + 10; ++i) {
    tally.answered(asked("f" + std::to_string(i), Outcome::here));
  }
  const Tally::Batch batch = tally.take();
  EXPECT_EQ(batch.names.size(), Tally::kNamesMax);
  EXPECT_EQ(batch.nameless.counts.requests, 10);
}

TEST(Tally, NotesMissesThatAreToldOf) {
  Tally tally;
  Asked miss = asked("foo.pdb", Outcome::missing);
  tally.answered(miss);
  miss.is_told = true;
  miss.path_name = "foo.pdb";
  miss.id = "ABC1";
  miss.file = "foo.sym";
  tally.answered(miss);
  miss.id = "abc1";
  miss.code_file = "foo.dll";
  tally.answered(miss);
  miss.outcome = Outcome::failed;  // it may be here yet
  tally.answered(miss);
  const Tally::Batch batch = tally.take();
  ASSERT_EQ(batch.misses.size(), 1u);
  EXPECT_EQ(batch.misses[0].id, "ABC1");
  EXPECT_EQ(batch.misses[0].count, 2);
  EXPECT_EQ(batch.misses[0].code_file, "foo.dll");
}

TEST(Tally, KnowsWhoWaits) {
  Tally tally;
  tally.waits("foo.pdb", 1);
  tally.waits("foo.pdb", 1);
  EXPECT_EQ(counts_of(tally.take(), "foo.pdb").waiting, 2);
  tally.waits("foo.pdb", -1);
  EXPECT_EQ(counts_of(tally.take(), "foo.pdb").waiting, -1);
}

}  // namespace
}  // namespace statistics
