#include "ingest/transaction.h"

#include <gtest/gtest.h>

#include <atomic>
#include <shared_mutex>
#include <thread>

#include "ingest/place_fixture.h"

namespace ingest {
namespace {

using namespace std::chrono_literals;

// Else a content could go between the look at what is here and the rows that name it.
TEST(KeepTransaction, WaitsForWhoeverRemovesBlobs) {
  Place place;
  std::vector<db::Migration> migrations = store::Catalog::migrations();
  for (db::Migration& migration : store::Transactions::migrations()) {
    migrations.push_back(std::move(migration));
  }
  ASSERT_TRUE(place.database->migrate(migrations).ok());
  store::Transactions transactions(*place.database, place.catalog);
  const ident::StorePath path{"libfoo.so", "0403020106050807090A0B0C0D0E0F100", "libfoo.so.sym"};
  const auto receipt = place.put(kSym, path);
  ASSERT_TRUE(receipt.ok());
  store::TransactionRecord record;
  record.kind = "file";
  record.files.push_back({path.name, path.id, path.file, "/bin/x", "bin",
                          receipt->files.at(0).file.file.sha256.hex()});

  std::unique_lock alone(place.blobs.in_use());
  std::atomic<bool> is_done = false;
  bool is_kept = false;
  std::thread keeping([&] {
    const auto kept = keep_transaction(place.blobs, place.catalog, transactions, "peer", record);
    is_kept = kept.ok() && kept->missing.empty();
    is_done = true;
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(is_done);
  alone.unlock();
  keeping.join();
  EXPECT_TRUE(is_kept);
}

}  // namespace
}  // namespace ingest
