#include "symbolicate/undecorate.h"

#include <gtest/gtest.h>

namespace symbolicate {
namespace {

TEST(Undecorate, TakesOffWhatTheCallingConventionAdded) {
  struct Row {
    const char* name;
    const char* plain;
  };
  const Row rows[] = {
      {"_main", "main"},
      {"__start", "_start"},
      {"_KiUserCallbackDispatcher@12", "KiUserCallbackDispatcher"},
      {"@fast@8", "fast"},
      {"vector@@16", "vector"},
      {"?name@@YAXXZ", "?name@@YAXXZ"},
      {"std::_Init(int)", "std::_Init(int)"},
      {"_odd@7", "_odd@7"},
      {"plain", "plain"},
      {"plain@8", "plain@8"},
      {"_", "_"},
      {"@4", "@4"},
      {"_@4", "_@4"},
      {"", ""},
  };
  for (const Row& row : rows) EXPECT_EQ(undecorated(row.name), row.plain) << row.name;
}

}  // namespace
}  // namespace symbolicate
