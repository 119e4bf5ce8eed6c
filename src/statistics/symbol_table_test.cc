#include "statistics/symbol_table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace statistics {
namespace {

Tally::Batch batch_of(const std::string& name, std::int64_t at, const Counts& counts = {},
                      std::int64_t failed_hits = 0) {
  Tally::Count count{counts, failed_hits};
  count.counts.last_at = {at};
  Tally::Batch batch;
  batch.names.emplace_back(name, count);
  return batch;
}

Counts requests(std::int64_t count) {
  Counts counts;
  counts.requests = count;
  return counts;
}

Counts row_of(const SymbolTable& table, std::string_view name) {
  const auto rows = table.copy();
  for (const SymbolRow& row : *rows) {
    if (row.name == name) return row.counts;
  }
  return {};
}

TEST(SymbolTable, AddsUpByNameWithoutCase) {
  SymbolTable table(100, nullptr);
  table.merge(batch_of("Foo.pdb", 1, requests(2)));
  table.merge(batch_of("foo.PDB", 2, requests(3)));
  EXPECT_EQ(table.size(), 1u);
  EXPECT_EQ(row_of(table, "Foo.pdb").requests, 5);
  EXPECT_EQ(table.totals().requests, 5);
}

TEST(SymbolTable, CountsFailuresOfRefusedNamesAsExcluded) {
  SymbolTable table(100, [](std::string_view name) { return name == "mso.pdb"; });
  Counts counts = requests(4);
  counts.successes = 1;
  counts.failures = counts.misses = 3;
  counts.hits = 3;
  table.merge(batch_of("mso.pdb", 1, counts, 2));
  table.merge(batch_of("foo.pdb", 1, counts, 2));
  EXPECT_EQ(row_of(table, "mso.pdb").excluded, 3);
  EXPECT_EQ(row_of(table, "mso.pdb").failures, 0);
  EXPECT_EQ(row_of(table, "mso.pdb").misses, 0);
  EXPECT_EQ(row_of(table, "mso.pdb").hits, 1);
  EXPECT_EQ(row_of(table, "foo.pdb").failures, 3);
  EXPECT_EQ(row_of(table, "foo.pdb").misses, 3);
  EXPECT_TRUE(table.is_excluded("MSO.pdb"));
  EXPECT_EQ(table.totals().excluded, 3);
}

TEST(SymbolTable, AsksAgainWhatIsExcludedWhenThatHasChanged) {
  std::string denied = "mso.pdb";
  std::uint64_t changes = 0;
  int asked = 0;
  const auto is_excluded = [&](std::string_view name) {
    ++asked;
    return name == denied;
  };
  SymbolTable table(100, is_excluded, [&] { return changes; });
  Counts counts = requests(1);
  counts.failures = counts.misses = 1;
  table.load({"foo.pdb", counts});
  for (int i = 0; i < 2; ++i) {
    table.merge(batch_of("mso.pdb", 1, counts));
    table.merge(batch_of("foo.pdb", 1, counts));
  }
  EXPECT_EQ(asked, 2) << "each name once";
  denied = "foo.pdb";
  ++changes;
  EXPECT_TRUE(table.is_excluded("foo.pdb"));
  EXPECT_FALSE(table.is_excluded("mso.pdb"));
  table.merge(batch_of("mso.pdb", 1, counts));
  table.merge(batch_of("foo.pdb", 1, counts));
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(row_of(table, "mso.pdb").excluded, 2) << "as it was then";
  EXPECT_EQ(row_of(table, "mso.pdb").failures, 1);
  EXPECT_EQ(row_of(table, "foo.pdb").failures, 3);
  EXPECT_EQ(row_of(table, "foo.pdb").excluded, 1);
  EXPECT_EQ(table.totals().excluded, 3);
}

TEST(SymbolTable, DropsWhatWasAskedForLongestAgo) {
  SymbolTable table(100, nullptr);
  for (int i = 0; i < 101; ++i) table.merge(batch_of("f" + std::to_string(i), i + 1, requests(1)));
  EXPECT_LE(table.size(), 100u);
  EXPECT_GE(table.size(), 90u);
  EXPECT_EQ(row_of(table, "f0").requests, 0);
  EXPECT_EQ(row_of(table, "f100").requests, 1);
  EXPECT_EQ(table.totals().requests, 101);
  const SymbolTable::Unsaved unsaved = table.take_unsaved();
  EXPECT_EQ(unsaved.rows.size(), table.size());
  EXPECT_EQ(unsaved.gone.size(), 101 - table.size());
}

TEST(SymbolTable, WritesOfAFloodWhatWasAskedForMost) {
  SymbolTable table(100'000, nullptr);
  Tally::Batch batch;
  for (std::size_t i = 0; i < SymbolTable::kWrittenMax + 100; ++i) {
    Tally::Count count{requests(i == 7 ? 9 : 1), 0};
    count.counts.last_at = {1};
    batch.names.emplace_back("f" + std::to_string(i), count);
  }
  table.merge(std::move(batch));
  const SymbolTable::Unsaved unsaved = table.take_unsaved();
  EXPECT_EQ(unsaved.rows.size(), SymbolTable::kWrittenMax);
  EXPECT_TRUE(std::any_of(unsaved.rows.begin(), unsaved.rows.end(),
                          [](const SymbolRow& row) { return row.name == "f7"; }));
}

TEST(SymbolTable, TellsEachChangeOnceAndAgainWhenItWasNotWritten) {
  SymbolTable table(100, nullptr);
  Counts counts = requests(2);
  counts.waiting = 1;
  table.merge(batch_of("foo.pdb", 1, counts));
  SymbolTable::Unsaved unsaved = table.take_unsaved();
  ASSERT_EQ(unsaved.rows.size(), 1u);
  EXPECT_EQ(unsaved.rows[0].counts.waiting, 0) << "who waits now does not after a restart";
  EXPECT_TRUE(table.take_unsaved().empty());
  table.give_back(std::move(unsaved));
  table.merge(batch_of("foo.pdb", 2, requests(5)));
  unsaved = table.take_unsaved();
  ASSERT_EQ(unsaved.rows.size(), 1u);
  EXPECT_EQ(unsaved.rows[0].counts.requests, 7);
  EXPECT_EQ(unsaved.totals.requests, 7);
}

}  // namespace
}  // namespace statistics
