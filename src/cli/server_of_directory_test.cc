#include "cli/server_of_directory.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace cli {
namespace {

using base::Error;
using base::Fault;

TEST(ServerOfDirectory, IsAskedWhereItListens) {
  struct Case {
    const char* holder;
    const char* url;
  };
  const Case cases[] = {
      {"127.0.0.1:7070 (process 4711)", "http://127.0.0.1:7070"},
      {"192.0.2.7:80 (process 1)", "http://192.0.2.7:80"},
      {"[2001:db8::7]:7070 (process 1)", "http://[2001:db8::7]:7070"},
      {"localhost:7070 (process 1)", "http://localhost:7070"},
      {"faultline admin", ""},
      {" (process 4711)", ""},
      {"", ""},
  };
  for (const Case& row : cases) EXPECT_EQ(url_of_holder(row.holder), row.url) << row.holder;
}

// As a stranger it would be refused what local requests may.
TEST(ServerOfDirectory, IsAskedOnLoopbackWhenItListensOnEveryAddress) {
  for (const char* holder : {"0.0.0.0:7070 (process 1)", "*:7070 (process 1)", ":7070"}) {
    EXPECT_EQ(url_of_holder(holder), "http://127.0.0.1:7070") << holder;
  }
  for (const char* holder : {"[::]:7070 (process 1)", ":::7070 (process 1)"}) {
    EXPECT_EQ(url_of_holder(holder), "http://[::1]:7070") << holder;
  }
}

TEST(ServerOfDirectory, IsNotWhyADirectoryCannotBeOpened) {
  const auto root = base::TemporaryDirectory::create("holder").value();
  const Error in_use{Fault::unavailable, "in use"};
  EXPECT_EQ(url_of_server(root.path(), in_use).error().what, "in use") << "nobody ever held it";
  const std::string lock = root.path() + "/faultline.lock";
  ASSERT_TRUE(base::write_file_durably(lock, base::bytes_of("0.0.0.0:80 (process 1)")).ok());
  EXPECT_EQ(url_of_server(root.path(), in_use).value(), "http://127.0.0.1:80");
  const Error denied{Fault::denied, "not yours"};
  EXPECT_EQ(url_of_server(root.path(), denied).error().what, "not yours");
}

}  // namespace
}  // namespace cli
