// The statistics with their tables, on both engines.
#include "statistics/statistics.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "statistics/tables.h"
#include "testing/on_each_engine.h"

namespace statistics {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr const char* kId = "0123456789ABCDEF0123456789ABCDEF1";

Asked asked(std::string_view name, Outcome outcome) {
  Asked asked;
  asked.name = name;
  asked.outcome = outcome;
  asked.us = 1000;
  return asked;
}

Asked missing(std::string_view name, std::string_view id, std::string_view file) {
  Asked miss = asked(name, Outcome::missing);
  miss.is_told = true;
  miss.path_name = name;
  miss.id = id;
  miss.file = file;
  return miss;
}

class StatisticsOn : public testing_support::OnEachEngine {
 protected:
  void SetUp() override { open({migrations()}); }

  std::unique_ptr<Statistics> start(Options options = {}) {
    options.gather_every = std::chrono::milliseconds(20);
    return Statistics::open(*database_, std::move(options)).value();
  }
  static Counts row_of(Statistics& statistics, std::string_view name) {
    const auto rows = statistics.symbols();
    for (const SymbolRow& row : *rows) {
      if (row.name == name) return row.counts;
    }
    return {};
  }
  static std::uint64_t listed(Statistics& statistics) {
    return statistics.missing().list({})->total;
  }
};

TEST_P(StatisticsOn, AreKeptOverARestart) {
  Options options;
  options.servers = {"one", "two"};
  {
    const auto first = start(options);
    first->answered(asked("Foo.pdb", Outcome::here));
    first->answered(asked("foo.pdb", Outcome::failed));
    first->answered(asked("foo.pdb", Outcome::missing));
    first->upstream_said("foo.pdb", 1, true);
    first->upstream_said("foo.pdb", 0, false);
    first->waits("foo.pdb", 1);
  }
  options.servers = {"two", "three"};  // the list was changed meanwhile
  const auto second = start(options);
  second->answered(asked("FOO.PDB", Outcome::here));
  const Counts counts = row_of(*second, "Foo.pdb");
  EXPECT_EQ(counts.requests, 4);
  EXPECT_EQ(counts.successes, 2);
  EXPECT_EQ(counts.failures, 2);
  EXPECT_EQ(counts.misses, 1);
  EXPECT_EQ(counts.us, 4000);
  EXPECT_EQ(counts.waiting, 0);
  ASSERT_EQ(counts.servers.size(), 1u);
  EXPECT_EQ(counts.servers[0].hits, 1);
  EXPECT_EQ(second->totals().counts.requests, 4);
  EXPECT_EQ(second->totals().names, 1u);
}

TEST_P(StatisticsOn, OfTwoServersAddUp) {
  {
    const auto first = start();
    const auto second = start();
    first->answered(asked("foo.pdb", Outcome::here));
    second->answered(asked("foo.pdb", Outcome::here));
  }
  EXPECT_EQ(row_of(*start(), "foo.pdb").requests, 2);
}

TEST_P(StatisticsOn, KeepOnlySoManyNames) {
  Options options;
  options.names_max = 50;
  {
    const auto first = start(options);
    for (int i = 0; i < 200; ++i) first->answered(asked("f" + std::to_string(i), Outcome::here));
    EXPECT_LE(first->symbols()->size(), 50u);
    EXPECT_EQ(first->totals().counts.requests, 200);
  }
  EXPECT_LE(start(options)->symbols()->size(), 50u);
}

TEST_P(StatisticsOn, ListWhatNobodyHad) {
  const auto statistics = start();
  Asked miss = missing("foo.pdb", kId, "foo.sym");
  statistics->answered(miss);
  miss.code_file = "foo.dll";
  miss.code_id = "5f000000";
  statistics->answered(miss);
  miss.code_file = miss.code_id = "";
  statistics->answered(miss);
  statistics->answered(missing("bar_%.pdb", kId, "bar_%.sym"));
  ASSERT_TRUE(statistics->save_soon().ok());
  MissingQuery query;
  query.name = "FOO";
  const MissingPage page = statistics->missing().list(query).value();
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].times, 3);
  EXPECT_EQ(page.rows[0].debug_id, kId);
  EXPECT_EQ(page.rows[0].code_file, "foo.dll");
  EXPECT_EQ(page.rows[0].code_id, "5f000000");
  EXPECT_LE(page.rows[0].created_at, page.rows[0].modified_at);
  query.name = "r_%";  // meant as it is, and no pattern
  EXPECT_EQ(statistics->missing().list(query)->total, 1u);
  query.name = "f_%";
  EXPECT_EQ(statistics->missing().list(query)->total, 0u);
  std::vector<std::string> today;
  ASSERT_TRUE(statistics->missing()
                  .list_day(day_of(base::now()),
                            [&](const MissingSymbol& symbol) { today.push_back(symbol.name); })
                  .ok());
  EXPECT_EQ(today.size(), 2u);
}

TEST_P(StatisticsOn, DoNotListWhatIsExcluded) {
  Options options;
  options.is_excluded = [](std::string_view name) { return name == "mso.pdb"; };
  const auto statistics = start(options);
  statistics->answered(missing("mso.pdb", kId, "mso.pdb"));
  ASSERT_TRUE(statistics->save_soon().ok());
  EXPECT_EQ(listed(*statistics), 0u);
  EXPECT_EQ(row_of(*statistics, "mso.pdb").excluded, 1);
}

TEST_P(StatisticsOn, FollowWhatIsExcludedByNow) {
  std::atomic<std::uint64_t> changes = 0;
  Options options;
  options.exclusion_changes = [&] { return changes.load(); };
  options.is_excluded = [&](std::string_view name) {
    return name == (changes == 0 ? "mso.pdb" : "foo.pdb");
  };
  const auto statistics = start(options);
  const auto suggested = [&] {
    std::string patterns;
    for (const Suggestion& one : statistics->suggestions()) patterns += one.pattern + " ";
    return patterns;
  };
  const auto ask_for_both = [&] {
    for (int i = 0; i < 10; ++i) {
      statistics->answered(missing("mso.pdb", kId, "mso.sym"));
      statistics->answered(missing("foo.pdb", kId, "foo.sym"));
    }
  };
  ask_for_both();
  EXPECT_EQ(suggested(), "foo\\.pdb$ ");
  changes = 1;
  EXPECT_EQ(suggested(), "");
  ask_for_both();
  EXPECT_EQ(suggested(), "mso\\.pdb$ ");
  for (const char* name : {"mso.pdb", "foo.pdb"}) {
    EXPECT_EQ(row_of(*statistics, name).excluded, 10) << name;
    EXPECT_EQ(row_of(*statistics, name).failures, 10) << name;
  }
  EXPECT_EQ(statistics->totals().counts.excluded, 20);
  ASSERT_TRUE(statistics->save_soon().ok());
  const MissingPage page = statistics->missing().list({}).value();
  ASSERT_EQ(page.rows.size(), 2u);
  EXPECT_EQ(page.rows[0].times, 10);
  EXPECT_EQ(page.rows[1].times, 10);
}

TEST_P(StatisticsOn, TakeOffTheListWhatCame) {
  Options options;
  options.is_here = [](const ident::SymbolRequest& request) -> base::Result<bool> {
    return request.asked && request.asked->file == "foo.pdb";
  };
  const auto statistics = start(options);
  statistics->answered(missing("foo.pdb", kId, "foo.pdb"));
  statistics->answered(missing("foo.pdb", kId, "foo.sym"));  // is not there, for all its id
  statistics->arrived({"0123456789abcdef0123456789abcdef1"});
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (listed(*statistics) != 1 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  const MissingPage page = statistics->missing().list({}).value();
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].file, "foo.sym");
}

TEST_P(StatisticsOn, ForgetWhatWasLongNotMissed) {
  const auto statistics = start();
  MissingSymbols& list = statistics->missing();
  const std::int64_t now = base::now().us;
  std::vector<Miss> misses{
      {"old.pdb", kId, "old.sym", "", "", 1, {now - 400 * kDayUs}, {now - 300 * kDayUs}},
      {"new.pdb", kId, "new.sym", "", "", 1, {now - 400 * kDayUs}, {now}}};
  ASSERT_TRUE(list.add(misses).ok());
  EXPECT_TRUE(misses.empty());
  ASSERT_TRUE(list.drop_old({now}).ok());
  const MissingPage page = list.list({}).value();
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].name, "new.pdb");
  EXPECT_EQ(list.with_ids({"0123456789abcdef0123456789abcdef1"})->size(), 1u);
  ASSERT_TRUE(list.remove(ident::StorePath{"NEW.pdb", kId, "new.sym"}).ok());
  EXPECT_EQ(list.list({})->total, 0u);
}

TEST_P(StatisticsOn, ABuildIdIsListedWithoutAName) {
  const auto statistics = start();
  Asked miss = missing("", "0123456789abcdef", "debuginfo");
  miss.name = "buildid/debuginfo";
  statistics->answered(miss);
  ASSERT_TRUE(statistics->save_soon().ok());
  const MissingPage page = statistics->missing().list({}).value();
  ASSERT_EQ(page.rows.size(), 1u);
  const auto request = request_of(page.rows[0]);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->artifact, ident::Artifact::debuginfo);
  EXPECT_EQ(statistics->missing().with_ids({"0123456789abcdef"})->size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Engines, StatisticsOn, testing_support::engines());

}  // namespace
}  // namespace statistics
