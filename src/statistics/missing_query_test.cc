#include "statistics/missing_query.h"

#include <gtest/gtest.h>

#include <map>

namespace statistics {
namespace {

using Query = std::map<std::string, std::string, std::less<>>;

base::Result<MissingQuery> parse(const Query& query) {
  return parse_missing_query([&](std::string_view name) -> std::optional<std::string> {
    const auto at = query.find(name);
    if (at == query.end()) return std::nullopt;
    return at->second;
  });
}

TEST(MissingQuery, IsTheLastMissedFirstUnlessSaid) {
  const MissingQuery query = parse({}).value();
  EXPECT_EQ(query.order, MissingQuery::Order::modified);
  EXPECT_TRUE(query.descending);
  EXPECT_EQ(query.offset, 0u);
  EXPECT_EQ(query.limit, 100u);
}

TEST(MissingQuery, ReadsDatesWithRelations) {
  const MissingQuery query =
      parse({{"modified_at", ">=1970-01-02, <1970-01-03T00:00:01Z"}}).value();
  ASSERT_EQ(query.bounds.size(), 2u);
  EXPECT_EQ(query.bounds[0].relation, MissingQuery::Relation::at_least);
  EXPECT_EQ(query.bounds[0].time.us, 86'400'000'000);
  EXPECT_EQ(query.bounds[1].relation, MissingQuery::Relation::less);
  EXPECT_EQ(query.bounds[1].time.us, 2 * 86'400'000'000 + 1'000'000);
}

TEST(MissingQuery, TakesADateAloneForItsDay) {
  const MissingQuery query = parse({{"created_at", "1970-01-02"}}).value();
  ASSERT_EQ(query.bounds.size(), 2u);
  EXPECT_EQ(query.bounds[0].of, MissingQuery::Order::created);
  EXPECT_EQ(query.bounds[1].time.us - query.bounds[0].time.us, 86'400'000'000);
}

TEST(MissingQuery, SortsAndTurnsPages) {
  const MissingQuery query = parse({{"sort", "count"}, {"reverse", "true"}, {"page", "3"}}).value();
  EXPECT_EQ(query.order, MissingQuery::Order::times);
  EXPECT_TRUE(query.descending);
  EXPECT_EQ(query.offset, 200u);
  EXPECT_FALSE(parse({{"sort", "symbol"}})->descending);
}

TEST(MissingQuery, RefusesWhatMakesNoSense) {
  for (const Query& query : std::vector<Query>{{{"page", "0"}},
                                               {{"page", "x"}},
                                               {{"sort", "password"}},
                                               {{"modified_at", "yesterday"}},
                                               {{"modified_at", ">=2026-13-01"}},
                                               {{"modified_at", "2026-01-01T99:00:00"}},
                                               {{"created_at", "1,2,3,4,5,6,7,8,9"}}}) {
    const auto parsed = parse(query);
    ASSERT_FALSE(parsed.ok()) << query.begin()->second;
    EXPECT_TRUE(parsed.error().what.starts_with(query.begin()->first)) << parsed.error().what;
  }
}

}  // namespace
}  // namespace statistics
