#include "net/origin.h"

#include <gtest/gtest.h>

namespace net {
namespace {

TEST(Origin, IsOfTheAuthorityAlone) {
  struct Row {
    const char* url;
    const char* parts;
  };
  for (const Row& row :
       {Row{"HTTP://Host/A?b=//c", "http host "}, Row{"https://host:8443", "https host 8443"},
        Row{"http://user:secret@host:80#@other/", "http host 80"},
        Row{"https://[FE80::1]:1/", "https fe80::1 1"}, Row{"http://[::1]", "http ::1 "},
        Row{"host:7070/path", " host 7070"}, Row{"file:///etc/passwd", "file  "}}) {
    const Origin origin = origin_of(row.url);
    EXPECT_EQ(origin.scheme + " " + origin.host + " " + origin.port, row.parts) << row.url;
  }
}

TEST(Origin, TheSameServerHasOneHostAndIsAsSafe) {
  struct Row {
    const char* from;
    const char* to;
    bool is_same;
  };
  for (const Row& row :
       {Row{"http://h/a", "http://h/b", true}, Row{"http://h/", "http://H:80/", true},
        Row{"https://h/", "HTTPS://h:443/", true}, Row{"https://h:443/", "https://h/", true},
        Row{"http://h:7070/", "http://h:7070/", true}, Row{"http://h/", "https://h/", true},
        Row{"http://h:80/", "https://h:443/", true}, Row{"http://h:7070/", "https://h/", false},
        Row{"http://h/", "https://h:8443/", false}, Row{"http://h:7070/", "https://h:7070/", false},
        Row{"http://h:443/", "https://h:443/", false}, Row{"https://h/", "http://h/", false},
        Row{"https://h:443/", "http://h:443/", false}, Row{"http://h/", "http://h:8080/", false},
        Row{"http://h/", "http://h.other/", false}, Row{"http://h/", "http://h@other/", false},
        Row{"http://h/", "http://other/@h", false}, Row{"http://h/", "ftp://h/", false}}) {
    EXPECT_EQ(is_same_server(origin_of(row.from), origin_of(row.to)), row.is_same)
        << row.from << " " << row.to;
  }
}

TEST(Origin, OfAUrlTheSchemeAloneIsLowered) {
  EXPECT_EQ(with_lower_scheme("HTTPS://Host/A?B"), "https://Host/A?B");
  EXPECT_EQ(with_lower_scheme("S3://Bucket"), "s3://Bucket");
  EXPECT_EQ(with_lower_scheme("/Srv/A://B"), "/Srv/A://B");
  EXPECT_EQ(with_lower_scheme("\\\\Server\\Share"), "\\\\Server\\Share");
  EXPECT_EQ(with_lower_scheme(""), "");
}

}  // namespace
}  // namespace net
