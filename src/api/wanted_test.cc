#include "api/wanted.h"

#include <gtest/gtest.h>

namespace api {
namespace {

constexpr const char* kBuildidPath = "/buildid/0123456789abcdef0123/debuginfo";
constexpr const char* kSymPath = "/a.so/000000000000000000000000000000010/a.so.sym";

net::Request with(std::string_view path, std::string_view header, std::string_view value) {
  net::Request request = net::Request::of("GET", path);
  request.headers.set(header, value);
  return request;
}

TEST(Spelling, IsThePathWhenNothingElseSaysWhatIsWanted) {
  EXPECT_EQ(spelling_of(net::Request::of("GET", kSymPath)), kSymPath);
  EXPECT_EQ(spelling_of(with(kSymPath, "Accept", "*/*")), kSymPath);
  EXPECT_EQ(spelling_of(net::Request::of("GET", std::string(kSymPath) + "?try")), "");
  EXPECT_EQ(spelling_of(with(kSymPath, "SymbolChecksum", "SHA256:00")), "");
  EXPECT_EQ(spelling_of(with("/a.pdb/1/a.pdb", "Accept", "application/msfz0")), "");
}

// LLDB gets a package for what others get debug information for.
TEST(Spelling, TellsLldbFromOthers) {
  const std::string gdb = spelling_of(with(kBuildidPath, "User-Agent", "elfutils/0.188"));
  const std::string lldb = spelling_of(with(kBuildidPath, "User-Agent", "LLVM-HTTPClient/22"));
  EXPECT_EQ(gdb, kBuildidPath);
  EXPECT_NE(lldb, "");
  EXPECT_NE(lldb, gdb);
}

TEST(Spelling, StandsForTheWishOnlyWithoutRightsAndLayouts) {
  const auto stands = [](std::string_view path) {
    const auto wanted = ident::find_request(path);
    return wanted && is_whole_wish(path, *wanted);
  };
  EXPECT_TRUE(stands(kSymPath));
  EXPECT_TRUE(stands(kBuildidPath));
  EXPECT_FALSE(stands("/p/game" + std::string(kSymPath)));
  EXPECT_FALSE(stands("/p/game/t/secret" + std::string(kSymPath)));
  EXPECT_FALSE(stands("/try" + std::string(kSymPath)));
  EXPECT_FALSE(stands("/symbols" + std::string(kSymPath)));
  EXPECT_FALSE(stands("/" + std::string(kSymPath)));
  EXPECT_FALSE(stands("/a.pdb/00000000000000000000000000000000a/a.pd_"));
}

}  // namespace
}  // namespace api
