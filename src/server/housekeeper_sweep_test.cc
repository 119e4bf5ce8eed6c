#include "server/housekeeper.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <shared_mutex>
#include <thread>

#include "base/clock.h"
#include "base/text.h"
#include "store/data_directory.h"

namespace server {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kSecond = 1'000'000;

// What a server needs to keep house.
struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("housekeeper").value();
  store::DataDirectory data = store::DataDirectory::open(root.path() + "/data", "test").value();
  std::unique_ptr<db::Database> database = db::Database::open(data.database_url()).value();
  store::Blobs blobs = store::Blobs::open(data.blobs(), data.tmp()).value();
  store::Catalog catalog{*database};
  store::Containers containers{*database, catalog};
  store::Access access{*database};
  store::DiskWatch disk{data.path(), {0, 0, 0}};
  std::unique_ptr<ingest::UploadSessions> sessions =
      ingest::UploadSessions::open(data.uploads() + "/sessions").value();
  std::unique_ptr<ingest::ChunkStore> chunks =
      ingest::ChunkStore::open(data.uploads() + "/chunks").value();
  api::PartialUploads partial{root.path() + "/partial", data.tmp()};

  Place() {
    std::vector<db::Migration> tables = store::Catalog::migrations();
    const auto& more = store::Containers::migrations();
    tables.insert(tables.end(), more.begin(), more.end());
    EXPECT_TRUE(database->migrate(tables).ok());
  }
  api::PartialUploads::Name must_send(const std::string& content, std::int64_t age_s) {
    const api::PartialUploads::Name name{base::sha256_of(base::bytes_of(content)), ""};
    EXPECT_TRUE(partial.append(name, 0, base::bytes_of("x")).ok());
    const timespec then{base::now().us / kSecond - age_s, 0};
    const std::array<timespec, 2> times{then, then};
    const std::string path = root.path() + "/partial/" + name.sha256.hex();
    EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
    return name;
  }
};

TEST(Housekeeper, SweepsUploadsInPartsThatNobodyGoesOnWith) {
  Place place;
  const auto old = place.must_send("old", 8 * 86'400);
  const auto late = place.must_send("late", 6 * 86'400);
  const auto nothing = [](const auto&) -> base::Result<void> { return {}; };
  const Housekeeper housekeeper({place.disk, place.access, place.catalog, place.containers,
                                 place.blobs, *place.sessions, *place.chunks, place.partial,
                                 nothing, false});
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (place.partial.received(old) != 0 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(place.partial.received(old), 0u);
  EXPECT_EQ(place.partial.received(late), 1u);
}

// A backup holds the blobs for minutes.
TEST(Housekeeper, LooksAtTheDiskWhileItWaitsToTakeBlobsAway) {
  Place place;
  store::Upload attempt;
  attempt.is_try = true;
  attempt.expires_at = {1};
  store::NewFile file;
  file.file.sha256 = base::sha256_of(base::bytes_of("expired"));
  file.keys.push_back({ident::SymbolKey::from_text(ident::KeyKind::path, "a/a", "1"), true});
  ASSERT_TRUE(place.catalog.commit(attempt, {file}).ok());
  const auto within_20s = [](const auto& holds) {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (!holds() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(10ms);
    return holds();
  };
  std::shared_lock backup(place.blobs.in_use());
  const auto nothing = [](const auto&) -> base::Result<void> { return {}; };
  const Housekeeper housekeeper({place.disk, place.access, place.catalog, place.containers,
                                 place.blobs, *place.sessions, *place.chunks, place.partial,
                                 nothing, false});
  ASSERT_TRUE(within_20s([&] { return !place.catalog.has(file.file.sha256).value(); }));
  const std::uint64_t free = place.disk.free_bytes();
  const std::string filler(32 << 20, 'x');
  ASSERT_TRUE(base::write_file_durably(place.root.path() + "/filler", base::bytes_of(filler)).ok());
  EXPECT_TRUE(within_20s([&] { return place.disk.free_bytes() != free; }));
  backup.unlock();
}

}  // namespace
}  // namespace server
