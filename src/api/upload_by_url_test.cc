#include "api/upload_by_url.h"

#include <gtest/gtest.h>

namespace api {
namespace {

TEST(UploadByUrl, OnlyAllowedHostsAreAsked) {
  struct Row {
    const char* url;
    const char* host;  // "" when it is refused
  };
  const Row rows[] = {
      {"https://allowed.example/x.zip", "allowed.example"},
      {"https://Allowed.Example:8443/x.zip?a=@b", "allowed.example"},
      {"https://a_b-1.below.example?x.zip", "a_b-1.below.example"},
      {"http://allowed.example/x.zip", ""},
      {"https://evil.example/x.zip", ""},
      {"https://below.example/x.zip", ""},
      {"https://allowed.example@evil.example/x.zip", ""},
      {"https://allowed.example:8443@evil.example/x.zip", ""},
      // libcurl takes all of this before the "@" for a user's name.
      {"https://allowed.example\\@evil.example/x.zip", ""},
      {"https://allowed.example\\x.zip", ""},
      {"https://allowed.example/a\\x.zip", ""},
      {"https://allowed.example\t@evil.example/x.zip", ""},
      {"https://allowed.example/x.zip\r\nHost: evil.example", ""},
      {"https://allowed.example/a x.zip", ""},
      {"https://evil.example%2f.below.example/x.zip", ""},
      {"https://evil.example\uff0f.below.example/x.zip", ""},
      {"https://[::1].below.example/x.zip", ""},
      {"https:///x.zip", ""},
  };
  for (const Row& row : rows) {
    const auto host = allowed_host(row.url, "allowed.example, *.below.example");
    EXPECT_EQ(host.ok() ? *host : "", row.host) << row.url;
  }
}

TEST(UploadByUrl, AListNamesNoHostThatNobodyCanHave) {
  for (const char* good : {"", "a.example", "A_b-1.example, *.below.example,", "*.example"}) {
    EXPECT_TRUE(check_hosts(good).ok()) << good;
  }
  for (const char* wrong : {"https://a.example", "a.example:8443", "a.example b.example", "*.",
                            "a.example\nb.example", "*", "[::1]", "a.example, b/c"}) {
    EXPECT_FALSE(check_hosts(wrong).ok()) << wrong;
  }
}

}  // namespace
}  // namespace api
