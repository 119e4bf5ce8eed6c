#include "base/log.h"

#include <gtest/gtest.h>

#include "base/file.h"

namespace base::log {
namespace {

TEST(Log, AFullFileGetsANumberAndTheOldestGoes) {
  const auto root = TemporaryDirectory::create("log").value();
  const LogFile file{root.path() + "/logs/log.txt", 200, 2};
  ASSERT_TRUE(add_file(file).ok());
  for (int i = 0; i < 10; ++i) error("line {} {}", i, std::string(80, 'x'));
  const std::vector<std::string> paths = paths_of(file);
  ASSERT_EQ(paths.size(), 3u);
  EXPECT_EQ(paths[2], file.path + ".2");
  // A line has some 120 bytes, so each file has one.
  EXPECT_NE(read_file(paths[0]).value().find(" error line 9 "), std::string::npos);
  EXPECT_NE(read_file(paths[1]).value().find(" error line 8 "), std::string::npos);
  EXPECT_NE(read_file(paths[2]).value().find(" error line 7 "), std::string::npos);
  EXPECT_EQ(list_files(root.path()).value().size(), 3u);
}

TEST(Log, AFileThatCannotBeWrittenIsAnError) {
  const auto root = TemporaryDirectory::create("log").value();
  EXPECT_FALSE(add_file({root.path(), 0, 0}).ok());
}

}  // namespace
}  // namespace base::log
