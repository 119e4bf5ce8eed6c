#include "sources/uploaded.h"

#include <gtest/gtest.h>

#include <atomic>
#include <shared_mutex>
#include <thread>

#include "store/data_directory.h"

namespace sources {
namespace {

using namespace std::chrono_literals;

// Else a content that has just lost its last row could go between its bytes and their new one.
TEST(Uploaded, WaitsForWhoeverRemovesBlobs) {
  const auto root = base::TemporaryDirectory::create("uploaded-test").value();
  const auto data = store::DataDirectory::open(root.path(), "test").value();
  store::Blobs blobs = store::Blobs::open(data.blobs(), data.tmp()).value();
  const auto database = db::Database::open(data.database_url()).value();
  ASSERT_TRUE(database->migrate(Uploaded::migrations()).ok());
  Uploaded uploaded(*database, blobs);
  const std::string_view text = "int x;\n";
  base::PendingFile body = blobs.create().value();
  ASSERT_TRUE(body.append(base::bytes_of(text)).ok());
  ASSERT_TRUE(body.sync().ok());
  const base::Sha256 hash = base::sha256_of(base::bytes_of(text));

  std::unique_lock alone(blobs.in_use());
  std::atomic<bool> is_done = false;
  bool is_kept = false;
  std::thread adding([&] {
    is_kept = uploaded.add(hash, "x.c", "peer", std::move(body), {}).ok();
    is_done = true;
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(is_done);
  alone.unlock();
  adding.join();
  EXPECT_TRUE(is_kept);
  EXPECT_TRUE(blobs.has(hash));
}

}  // namespace
}  // namespace sources
