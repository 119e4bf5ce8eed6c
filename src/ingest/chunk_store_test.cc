#include "ingest/chunk_store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <ctime>

#include "base/digest.h"

namespace ingest {
namespace {

struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("chunks-test").value();
  std::unique_ptr<ChunkStore> chunks = ChunkStore::open(root.path() + "/chunks").value();

  std::string put(std::string_view text) {
    std::string name = sha1_of(text);
    EXPECT_TRUE(chunks->put(name, base::bytes_of(text)).ok());
    return name;
  }
  static std::string sha1_of(std::string_view text) {
    return base::hex_digest_of(base::bytes_of(text), base::DigestKind::sha1);
  }
  void age(const std::string& chunk, std::chrono::hours hours) {
    const timespec then{std::time(nullptr) - std::chrono::seconds(hours).count(), 0};
    const std::array<timespec, 2> times{then, then};
    const std::string path = root.path() + "/chunks/" + chunk;
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  }
};

TEST(ChunkStore, AChunkServesEveryFileThatHasIt) {
  Place place;
  const std::string common = place.put("common");
  const std::string own = place.put("own");
  for (const std::string_view whole : {"commonown", "owncommon"}) {
    const bool first = whole.starts_with("common");
    const std::vector<std::string> chunks = {first ? common : own, first ? own : common};
    const auto file = place.chunks->join(chunks, Place::sha1_of(whole), place.root.path(), 1 << 20);
    EXPECT_TRUE(file.ok()) << whole;
  }
}

TEST(ChunkStore, SweepsWhatNobodyAskedForOfLate) {
  Place place;
  const std::string left = place.put("left");
  const std::string wanted = place.put("wanted");
  place.age(left, std::chrono::hours(30));
  place.age(wanted, std::chrono::hours(30));
  EXPECT_TRUE(place.chunks->hold(wanted));
  EXPECT_EQ(place.chunks->sweep(std::chrono::hours(24)), 1u);
  EXPECT_FALSE(place.chunks->hold(left));
  EXPECT_TRUE(place.chunks->hold(wanted));
}

TEST(ChunkStore, JoinsNothingOfNamesThatAreNoHash) {
  Place place;
  EXPECT_FALSE(place.chunks->join({"../x"}, "", place.root.path(), 100).ok());
  EXPECT_FALSE(place.chunks->hold("../x"));
}

}  // namespace
}  // namespace ingest
