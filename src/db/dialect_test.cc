#include "db/dialect.h"

#include <gtest/gtest.h>

namespace db {
namespace {

TEST(Dialect, NumbersParametersOutsideQuotesAndComments) {
  EXPECT_EQ(with_numbered_parameters("a = ? AND b = '?''?' AND \"c?\" = ? -- ?\n AND d = ?"),
            "a = $1 AND b = '?''?' AND \"c?\" = $2 -- ?\n AND d = $3");
}

TEST(Dialect, PutsInTheEnginesWords) {
  EXPECT_EQ(with_engine_words("a {{bigserial}}, b {{blob}}", Engine::sqlite).value(),
            "a INTEGER, b BLOB");
  EXPECT_EQ(with_engine_words("a {{bigserial}}, b {{blob}}", Engine::postgresql).value(),
            "a BIGSERIAL, b BYTEA");
  EXPECT_EQ(with_engine_words("a COLLATE {{bytewise}}", Engine::sqlite).value(),
            "a COLLATE BINARY");
  EXPECT_EQ(with_engine_words("a COLLATE {{bytewise}}", Engine::postgresql).value(),
            "a COLLATE \"C\"");
  EXPECT_NE(with_engine_words("{{now}}", Engine::sqlite).value().find("strftime"),
            std::string::npos);
  EXPECT_NE(with_engine_words("{{now}}", Engine::postgresql).value().find("EXTRACT"),
            std::string::npos);
  EXPECT_FALSE(with_engine_words("{{json}}", Engine::sqlite).ok());
  EXPECT_FALSE(with_engine_words("{{blob", Engine::sqlite).ok());
}

TEST(Dialect, SplitsStatementsAtLineEnds) {
  EXPECT_EQ(split_statements("A (x; y);\n\nB;\nC").size(), 3u);
  EXPECT_EQ(split_statements("A;").at(0), "A");
  EXPECT_TRUE(split_statements("\n ;\n").empty());
}

}  // namespace
}  // namespace db
