#include "base/log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "base/file.h"
#include "base/json.h"

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

// No descriptor is left when the next file is to be begun: lines are lost, and no older ones.
TEST(Log, AFileThatCannotBeBegunCostsNoOther) {
  const auto root = TemporaryDirectory::create("log").value();
  const LogFile file{root.path() + "/log.txt", 200, 2};
  ASSERT_TRUE(add_file(file).ok());
  const auto write_line = [](int i) { error("line {} {}", i, std::string(80, 'x')); };
  for (int i = 0; i < 3; ++i) write_line(i);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{3, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  for (int i = 3; i < 9; ++i) write_line(i);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  write_line(9);
  const std::vector<std::string> paths = paths_of(file);
  EXPECT_NE(read_file(paths[0]).value().find(" error line 9 "), std::string::npos);
  EXPECT_NE(read_file(paths[1]).value().find(" error line 2 "), std::string::npos);
  EXPECT_NE(read_file(paths[2]).value().find(" error line 1 "), std::string::npos);
}

TEST(Log, AFileThatCannotBeWrittenIsAnError) {
  const auto root = TemporaryDirectory::create("log").value();
  EXPECT_FALSE(add_file({root.path(), 0, 0}).ok());
}

TEST(Log, ALineForMachinesIsOneObject) {
  const auto root = TemporaryDirectory::create("log").value();
  const std::string path = root.path() + "/log.json";
  set_format(Format::json);
  ASSERT_TRUE(add_file({path, 0, 0}).ok());
  error("a \"text\"\nof two lines");
  write(Level::error, "answer",
        {{"path", Field::Kind::text, "/a\"b"},
         {"status", Field::Kind::number, "404"},
         {"client", Field::Kind::word, "gdb"}});
  set_format(Format::text);
  const std::string text = read_file(path).value();
  const auto end = text.find('\n');
  const auto first = JsonValue::parse(text.substr(0, end));
  ASSERT_TRUE(first.ok()) << text;
  EXPECT_EQ((*first)["message"].text_or(""), "a \"text\"\nof two lines");
  EXPECT_EQ((*first)["level"].text_or(""), "error");
  EXPECT_TRUE((*first)["time"].text_or("").ends_with("Z"));
  const auto second = JsonValue::parse(text.substr(end + 1));
  ASSERT_TRUE(second.ok()) << text;
  EXPECT_EQ((*second)["message"].text_or(""), "answer");
  EXPECT_EQ((*second)["path"].text_or(""), "/a\"b");
  EXPECT_EQ((*second)["status"].integer_or(0), 404);
}

TEST(Log, ALineForPeopleHasNamesAndValues) {
  EXPECT_EQ(text_of("answer", {{"path", Field::Kind::text, "/a\"\n"},
                               {"status", Field::Kind::number, "404"}}),
            "answer path=\"/a??\" status=404");
}

TEST(Log, WhatALineQuotesStaysOnIt) {
  EXPECT_EQ(text_of("no such file: a\n2026-01-01T00:00:00.000Z info forged\r\x1b[2J\x7f\xff", {}),
            "no such file: a 2026-01-01T00:00:00.000Z info forged??[2J?\xef\xbf\xbd");
}

}  // namespace
}  // namespace base::log
