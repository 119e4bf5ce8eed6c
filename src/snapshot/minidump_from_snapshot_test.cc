#include "snapshot/minidump_from_snapshot.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "snapshot/describe_crash.h"
#include "snapshot/snapshot_from_minidump.h"
#include "testing/corpus.h"
#include "testing/golden.h"

namespace {

using snapshot::Crash;

// Writing lists every stack in the memory list, merges equal blocks, and knows whether a
// mapping is executable but not more about its protection: what is left must survive.
void normalise(Crash& crash) {
  for (const snapshot::Thread& thread : crash.threads) {
    if (!thread.stack.bytes.empty()) crash.memory.push_back(thread.stack);
  }
  const auto key = [](const snapshot::MemoryRegion& region) {
    return std::pair(region.base.value, region.bytes.size());
  };
  std::sort(crash.memory.begin(), crash.memory.end(),
            [&](const auto& a, const auto& b) { return key(a) < key(b); });
  crash.memory.erase(std::unique(crash.memory.begin(), crash.memory.end(),
                                 [&](const auto& a, const auto& b) { return key(a) == key(b); }),
                     crash.memory.end());
}

TEST(MinidumpFromSnapshot, WhatIsWrittenIsReadAgain) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/minidumps/dumps");
  ASSERT_TRUE(files.ok());
  for (const std::string& path : *files) {
    const auto file = base::MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    auto crash = snapshot::snapshot_from_minidump(*file);
    if (!crash.ok()) continue;
    SCOPED_TRACE(path);
    const auto bytes = snapshot::minidump_from_snapshot(*crash);
    ASSERT_TRUE(bytes.ok()) << bytes.error().what;
    const auto again = snapshot::minidump_from_snapshot(*crash);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(*bytes, *again) << "not deterministic";
    const auto read = snapshot::snapshot_from_minidump(*bytes);
    ASSERT_TRUE(read.ok()) << read.error().what;
    normalise(*crash);
    EXPECT_EQ("", testing_support::first_difference(snapshot::describe(*crash),
                                                    snapshot::describe(*read)));
  }
}

}  // namespace
