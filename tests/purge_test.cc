// `faultline admin purge`: what goes with a content, and that it stays away whoever brings it.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/json.h"
#include "served_place.h"
#include "testing/scripted_server.h"

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

// Of a size that is shown while it comes. `path` is where it is found.
File large_file(const std::string& name) {
  const std::string id = "0123456789ABCDEF0123456789ABCDEF1";
  File file{name, id, "/" + name + "/" + id + "/" + name, ""};
  for (std::size_t i = 0; file.content.size() < 400'000; ++i) {
    file.content += name + std::to_string(i);
  }
  return file;
}

class PurgeUpstream : public Purge {
 protected:
  void SetUp() override {}
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  void write(const std::string& name, const std::string& content) const {
    ASSERT_TRUE(base::write_file_durably(path(name), base::bytes_of(content)).ok());
  }
  bool comes(const std::string& name) const {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (!base::file_exists(path(name))) {
      if (std::chrono::steady_clock::now() >= until) return false;
      std::this_thread::sleep_for(20ms);
    }
    return true;
  }
  // A 404 at once, of which nothing is the file's.
  void expect_refused(const std::string& at) const {
    const auto answer = get(at);
    EXPECT_EQ(answer.status, 404) << at;
    EXPECT_LT(answer.body.size(), 1000u) << at;
  }
};

TEST_F(PurgeUpstream, WhatAnotherServerMayGiveIsAskedForNoMore) {
  const File file = large_file("secret.bin");
  const File other = large_file("other.bin");
  testing_support::ScriptedServer upstream(root_.path(), [&](net::Request& request) {
    for (const File& one : {file, other}) {
      if (request.path == "/store" + one.path) return net::Answer::text(200, one.content);
    }
    return net::Answer::text(404, "no");
  });
  const std::vector<std::string> asking{"FAULTLINE_UPSTREAM_0_URL=" + upstream.url() + "/store",
                                        "FAULTLINE_UPSTREAM_0_RETRY_SECONDS=1"};
  start(asking);
  ASSERT_TRUE(get(file.path).body == file.content);
  must_admin("purge " + file.path.substr(1));
  const int asked = upstream.asked;
  expect_refused(file.path);
  expect_refused("/SECRET.bin/" + base::lower_ascii(file.id) + "/secret.BIN");
  expect_refused("/secret.bin/" + file.id + "/secret.bi_");
  std::this_thread::sleep_for(1100ms);  // misses of servers are forgotten
  expect_refused(file.path);
  EXPECT_EQ(upstream.asked, asked);
  EXPECT_NE(server_->log().find("was purged here"), std::string::npos);
  EXPECT_EQ(server_->log().find("another file"), std::string::npos);
  EXPECT_TRUE(get(other.path).body == other.content);

  stop();
  start(asking);
  const int asked_then = upstream.asked;
  expect_refused(file.path);
  EXPECT_EQ(upstream.asked, asked_then);
  must_admin("purge --lift " + hash_of(file));
  EXPECT_TRUE(get(file.path).body == file.content);
}

TEST_F(PurgeUpstream, TakesItOutOfTheTreesOfCopies) {
  const File file = large_file("secret.bin");
  const File other = large_file("other.bin");
  for (const File& one : {file, other}) write("store" + one.path, one.content);
  // As another program wrote it there.
  write("own/Secret.bin/0123456789abcdef0123456789abcdef1/Secret.bin", file.content);
  write("own/other.bin/1/other.bin", std::string(file.content.size(), 'x'));
  start({"FAULTLINE_UPSTREAM_0_URL=" + path("store"), "FAULTLINE_UPSTREAM_0_CACHE=" + path("own"),
         "FAULTLINE_UPSTREAMS_CACHE=" + path("all")});
  for (const File& one : {file, other}) ASSERT_TRUE(get(one.path).body == one.content);
  for (const File& one : {file, other}) {
    ASSERT_TRUE(comes("own" + one.path));
    ASSERT_TRUE(comes("all" + one.path));
  }
  const std::string shown = must_admin("purge --dry-run " + hash_of(file));
  EXPECT_NE(shown.find("3 copies in trees would go"), std::string::npos) << shown;
  EXPECT_TRUE(base::file_exists(path("all" + file.path)));
  const std::string gone = must_admin("purge " + hash_of(file));
  EXPECT_NE(gone.find("3 copies in trees are gone"), std::string::npos) << gone;
  EXPECT_FALSE(base::file_exists(path("own/secret.bin")));
  EXPECT_FALSE(base::file_exists(path("own/Secret.bin")));
  EXPECT_FALSE(base::file_exists(path("all/secret.bin")));
  expect_refused(file.path);
  EXPECT_TRUE(base::file_exists(path("own/other.bin/1/other.bin")));
  EXPECT_TRUE(base::file_exists(path("all" + other.path)));
  EXPECT_TRUE(base::file_exists(path("store" + file.path))) << "which is no tree of ours";
  EXPECT_TRUE(get(other.path).body == other.content);
  EXPECT_FALSE(base::file_exists(path("all" + file.path)));
}

TEST_F(PurgeUpstream, HoldsForATreeThatNobodyServedMeanwhile) {
  const File file = large_file("secret.bin");
  write("tree" + file.path, file.content);
  const std::vector<std::string> asking{"FAULTLINE_UPSTREAMS_CACHE=" + path("tree")};
  start(asking);
  ASSERT_TRUE(get(file.path).body == file.content);
  stop();
  must_admin("purge " + file.path.substr(1));
  start(asking);
  expect_refused(file.path);
  EXPECT_NE(must_admin("purge " + hash_of(file)).find("1 copies"), std::string::npos);
  EXPECT_FALSE(base::file_exists(path("tree/secret.bin")));
  expect_refused(file.path);
}

// Nobody can know as what it will be asked for, until it has come once.
TEST_F(PurgeUpstream, WhatWasNeverHereIsRefusedAtItsEndAndKnownFromThenOn) {
  const File file = large_file("secret.bin");
  write("tree" + file.path, file.content);
  write("store" + file.path, file.content);
  start({"FAULTLINE_UPSTREAM_0_URL=" + path("store"), "FAULTLINE_UPSTREAM_0_RETRY_SECONDS=1",
         "FAULTLINE_UPSTREAMS_CACHE=" + path("tree")});
  must_admin("purge " + hash_of(file));
  const auto first = net::Client().get(server_->url() + file.path);
  EXPECT_FALSE(first.ok() && first->status == 200) << "its end does not come";
  EXPECT_TRUE(server_->log_comes_to_say("was purged, and is gone"));
  EXPECT_FALSE(base::file_exists(path("tree" + file.path)));
  EXPECT_TRUE(base::file_exists(path("store" + file.path)));
  for (int i = 0; i < 2; ++i) {
    expect_refused(file.path);
    std::this_thread::sleep_for(1100ms);
  }
  EXPECT_EQ(server_->log().find("is another file"), std::string::npos);
}

}  // namespace
