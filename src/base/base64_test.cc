#include "base/base64.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace base {
namespace {

// The vectors of RFC 4648 section 10.
TEST(Base64, BothWays) {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(base64_of(bytes_of(plain)), coded);
    const auto back = bytes_from_base64(coded);
    ASSERT_TRUE(back) << coded;
    EXPECT_EQ(text_of(*back), plain);
  }
  EXPECT_EQ(base64_of(bytes_of("\xff\xfe\xfd")), "//79");
}

}  // namespace
}  // namespace base
