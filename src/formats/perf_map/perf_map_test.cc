#include "formats/perf_map/perf_map.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace perf_map {
namespace {

constexpr std::string_view kText =
    "FFFFFFFF 00 734D59D6DE0E96AA3C77B3E2ED498097\r\nFFFFFFFE 00 1\nFFFFFFFD 00 2\n"
    "FFFFFFFC 00 3\nFFFFFFFB 00 1\n000115D0 0D A::.ctor()\n";

TEST(PerfMap, ReadsItsHead) {
  const auto head = find_head(base::bytes_of(kText));
  ASSERT_TRUE(head);
  EXPECT_EQ(base::hex_of(head->signature), "734d59d6de0e96aa3c77b3e2ed498097");
  EXPECT_EQ(head->version, 1u);
  EXPECT_EQ(head->os, 2u);
  EXPECT_EQ(head->abi, 1u);
}

TEST(PerfMap, TheMapOfAProcessHasNoHead) {
  EXPECT_FALSE(find_head(base::bytes_of("7f1100 10 main\n7f1110 10 f\n")));
  EXPECT_FALSE(find_head(base::bytes_of("FFFFFFFF 00 12\nFFFFFFFE 00 1\n")));
}

TEST(PerfMap, EveryPrefixYieldsAHeadOrNone) {
  for (std::size_t size = 0; size < kText.size(); ++size) {
    const auto head = find_head(base::bytes_of(kText.substr(0, size)));
    EXPECT_EQ(head.has_value(), size >= kText.find("\nFFFFFFFD")) << size;
  }
}

}  // namespace
}  // namespace perf_map
