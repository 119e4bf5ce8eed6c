#include "snapshot/snapshot_from_minidump.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/json.h"
#include "testing/corpus.h"

namespace {

std::string expected_beside(std::string path, std::string_view ending) {
  const std::size_t at = path.find("/dumps/");
  path.replace(at, 7, "/expected/");
  return path.substr(0, path.size() - 4) + std::string(ending);
}

TEST(SnapshotFromMinidump, CountsThreadsAndModulesAsTheReferenceDoes) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/minidumps/dumps");
  ASSERT_TRUE(files.ok());
  int compared = 0;
  for (const std::string& path : *files) {
    if (!path.ends_with(".dmp")) continue;
    SCOPED_TRACE(path);
    const auto file = base::MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    const auto crash = snapshot::snapshot_from_minidump(*file);
    const auto refused = base::read_file(expected_beside(path, ".error.txt"));
    if (refused.ok()) {
      ASSERT_FALSE(crash.ok());
      EXPECT_EQ("ERROR " + crash.error().what + "\n", *refused);
      continue;
    }
    ASSERT_TRUE(crash.ok()) << crash.error().what;
    const auto text = base::read_file(expected_beside(path, ".nosymbols.json"));
    ASSERT_TRUE(text.ok());
    const auto json = base::JsonValue::parse(*text);
    ASSERT_TRUE(json.ok());
    EXPECT_EQ(crash->threads.size(), (*json)["threads"].size());
    EXPECT_EQ(crash->modules.size(), (*json)["modules"].size());
    ++compared;
  }
  EXPECT_GE(compared, 30);
}

}  // namespace
