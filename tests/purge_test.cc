// `faultline admin purge`: what goes with a content, and that it stays away whoever brings it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/json.h"
#include "served_place.h"

namespace {

using namespace std::chrono_literals;
using uploads::Dialect;
using uploads::File;
using uploads::Outcome;

class Purge : public uploads::ServedPlace {
 protected:
  void SetUp() override { start(); }
  std::size_t derived_count() const {
    const auto paths = base::list_files(data() + "/index");
    return paths.ok() ? paths->size() : 0;
  }
};

TEST_F(Purge, BarsTheContentInEachDialect) {
  for (const Dialect& dialect : uploads::dialects()) {
    SCOPED_TRACE(dialect.name);
    const File file = dialect.make("secret-" + dialect.name + ".so", 5000);
    ASSERT_TRUE(dialect.upload(server_->url(), file).acknowledged);
    ASSERT_TRUE(get(file.path).body == file.content);
    must_admin("purge " + hash_of(file));
    EXPECT_EQ(get(file.path).status, 404);
    EXPECT_FALSE(base::file_exists(blob_of(file)));

    const Outcome again = dialect.upload(server_->url(), file);
    EXPECT_FALSE(again.acknowledged);
    EXPECT_NE(again.said.find("purged"), std::string::npos) << again.status << " " << again.said;
    EXPECT_TRUE(again.status == 403 || again.status == 200) << again.status << " " << again.said;
    EXPECT_EQ(get(file.path).status, 404);
    EXPECT_FALSE(base::file_exists(blob_of(file)));

    must_admin("purge --lift " + hash_of(file));
    const Outcome lifted = dialect.upload(server_->url(), file);
    EXPECT_TRUE(lifted.acknowledged) << lifted.status << " " << lifted.said;
    EXPECT_TRUE(get(file.path).body == file.content);
  }
}

TEST_F(Purge, ByKeyTakesDerivedFilesAlongAndADryRunNothing) {
  const File file = must_upload("secret.so");
  const File other = must_upload("other.so");
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (derived_count() < 2 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(20ms);
  }
  ASSERT_EQ(derived_count(), 2u);
  const std::string shown = must_admin("purge --dry-run " + file.id);
  EXPECT_NE(shown.find(hash_of(file) + " secret.so.sym"), std::string::npos) << shown;
  EXPECT_NE(shown.find("would go"), std::string::npos) << shown;
  EXPECT_TRUE(get(file.path).body == file.content);
  EXPECT_EQ(must_admin("purge --list"), "");

  const std::string gone = must_admin("purge " + file.path.substr(1));
  EXPECT_NE(gone.find("1 derived"), std::string::npos) << gone;
  EXPECT_EQ(get(file.path).status, 404);
  EXPECT_EQ(derived_count(), 1u);
  EXPECT_TRUE(get(other.path).body == other.content);
  EXPECT_NE(must_admin("purge --list").find(hash_of(file)), std::string::npos);
  EXPECT_NE(must_admin("audit").find(hash_of(file) + " secret.so.sym"), std::string::npos)
      << must_admin("audit");
  EXPECT_NE(must_admin("fsck").find("all is well"), std::string::npos);
}

TEST_F(Purge, HoldsAfterARestartAndOnADirectoryThatNobodyServes) {
  const File file = must_upload("secret.so");
  stop();
  must_admin("purge " + file.id);
  EXPECT_FALSE(base::file_exists(blob_of(file)));
  start();
  EXPECT_EQ(get(file.path).status, 404);
  const Outcome again = uploads::dialects().front().upload(server_->url(), file);
  EXPECT_EQ(again.status, 403) << again.said;
}

TEST_F(Purge, BarsWhatWasNeverHereAndFindsNothingForUnknownKeys) {
  const File file = uploads::sym_file("never.so", 1000);
  EXPECT_NE(must_admin("purge " + hash_of(file)).find("barred"), std::string::npos);
  EXPECT_EQ(uploads::dialects().front().upload(server_->url(), file).status, 403);
  const auto unknown = admin("purge never.so/0123456789/never.so");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_NE(unknown.errors.find("nothing here has the key"), std::string::npos) << unknown.errors;
}

// A purged file in a watched directory is found again with each pass, and stays away.
TEST_F(Purge, HoldsForWatchedDirectories) {
  stop();
  const std::string watched = root_.path() + "/watched";
  ASSERT_TRUE(base::make_directories(watched).ok());
  const File file = uploads::elf_file("watched.so", 4000);
  const File other = uploads::elf_file("neighbour.so", 4000);
  for (const File& one : {file, other}) {
    ASSERT_TRUE(
        base::write_file_durably(watched + "/" + one.name, base::bytes_of(one.content)).ok());
  }
  const std::vector<std::string> watching{"FAULTLINE_SCAN_PATHS=" + watched,
                                          "FAULTLINE_SCAN_SECONDS=1"};
  start(watching);
  const auto comes = [&](const File& one) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (get(one.path).status != 200) {
      if (std::chrono::steady_clock::now() >= until) return false;
      std::this_thread::sleep_for(50ms);
    }
    return true;
  };
  ASSERT_TRUE(comes(file));
  must_admin("purge " + hash_of(file));
  EXPECT_EQ(get(file.path).status, 404);
  ASSERT_TRUE(base::write_file_durably(watched + "/again.so", base::bytes_of(file.content)).ok());
  const File third = uploads::elf_file("third.so", 4000);
  ASSERT_TRUE(base::write_file_durably(watched + "/third.so", base::bytes_of(third.content)).ok());
  EXPECT_TRUE(comes(third)) << "a pass went by";
  EXPECT_EQ(get(file.path).status, 404);
  EXPECT_EQ(get(other.path).status, 200);
}

}  // namespace
