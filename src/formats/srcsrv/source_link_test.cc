#include "formats/srcsrv/source_link.h"

#include <gtest/gtest.h>

namespace srcsrv {
namespace {

std::string url_for(const std::string& json, const std::string& path) {
  const auto map = SourceLink::parse(json);
  EXPECT_TRUE(map.ok()) << map.error().what;
  const auto found = map->find(path);
  return found ? found->url : "";
}

constexpr const char* kMap = R"({"documents": {
  "C:\\src\\*": "https://raw.host/me/repo/abc123/*",
  "C:\\src\\sub\\*": "https://raw.host/me/sub/def456/*?token=x",
  "C:\\src\\generated.c": "https://files.host/generated.c",
  "/_/*": "https://raw.host/det/*"}})";

TEST(SourceLink, FollowsTheMostSpecificRule) {
  struct Case {
    const char* path;
    const char* url;
  };
  for (const Case& one : {
           Case{"C:\\src\\a\\b.c", "https://raw.host/me/repo/abc123/a/b.c"},
           Case{"c:\\SRC\\A\\b.c", "https://raw.host/me/repo/abc123/A/b.c"},
           Case{"C:\\src\\sub\\x.c", "https://raw.host/me/sub/def456/x.c?token=x"},
           Case{"C:\\src\\generated.c", "https://files.host/generated.c"},
           Case{"/_/dir/f.cs", "https://raw.host/det/dir/f.cs"},
           Case{"C:\\src\\a b#c\\d+.c", "https://raw.host/me/repo/abc123/a%20b%23c/d%2B.c"},
           Case{"D:\\other.c", ""},
       }) {
    EXPECT_EQ(url_for(kMap, one.path), one.url) << one.path;
  }
}

TEST(SourceLink, APathDoesNotLeaveWhatItsRuleNames) {
  EXPECT_EQ(url_for(kMap, "C:\\src\\..\\..\\private\\x"), "");
  EXPECT_EQ(url_for(kMap, "/_/a/../../x"), "");
  EXPECT_NE(url_for(kMap, "/_/a/..b/x"), "");
}

TEST(SourceLink, LeavesOutRulesThatAreNone) {
  const auto map = SourceLink::parse(
      R"({"documents": {"a*b": "https://h/*", "c*": "https://h/none", "d": "https://h/*",
          "e*": "https://*/*", "f": 3, "g": "file:///etc/passwd", "": "https://h"}})");
  ASSERT_TRUE(map.ok());
  for (const char* path : {"a*b", "axb", "cx", "d", "ex", "f", "g", ""}) {
    EXPECT_FALSE(map->find(path)) << path;
  }
}

TEST(SourceLink, TakesAByteOrderMark) {
  EXPECT_EQ(url_for("\xef\xbb\xbf{\"documents\":{\"a\":\"https://h/a\"}}", "A"), "https://h/a");
}

TEST(SourceLink, SaysWhatIsWrong) {
  EXPECT_FALSE(SourceLink::parse("").ok());
  EXPECT_FALSE(SourceLink::parse("[]").ok());
  EXPECT_FALSE(SourceLink::parse("{\"documents\": []}").ok());
}

TEST(VcsLocation, KnowsMozillasPaths) {
  struct Case {
    const char* path;
    const char* url;
  };
  for (const Case& one : {
           Case{"hg:hg.mozilla.org/mozilla-central:mfbt/Poison.cpp:1706d4d5",
                "https://hg.mozilla.org/mozilla-central/raw-file/1706d4d5/mfbt/Poison.cpp"},
           Case{"git:github.com/rust-lang/rust:library/std/src/rt.rs:2fd6f5c0",
                "https://raw.githubusercontent.com/rust-lang/rust/2fd6f5c0/library/std/src/rt.rs"},
           Case{"s3:gecko-generated-sources:a5d3747/ipc/PBackground.cpp:",
                "https://gecko-generated-sources.s3.amazonaws.com/a5d3747/ipc/PBackground.cpp"},
           Case{"git:example.com/a/b:c.c:1", ""},
           Case{"hg:h/r:../x:1", ""},
           Case{"hg:h/r:a:", ""},
           Case{"s3:bucket/evil:a:", ""},
           Case{"/usr/src/a.c", ""},
           Case{"C:\\a:b:c", ""},
       }) {
    const auto found = find_vcs_location(one.path);
    EXPECT_EQ(found ? found->url : "", one.url) << one.path;
  }
}

}  // namespace
}  // namespace srcsrv
