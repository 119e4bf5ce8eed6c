// `faultline admin backup` and `restore`: what was acknowledged before a backup began comes back
// whole, however busy the server was.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "base/json.h"
#include "served_place.h"

namespace {

using testing_support::faultline_program;
using testing_support::run;
using testing_support::ServerProcess;
using uploads::File;

class Backup : public uploads::ServedPlace {
 protected:
  void SetUp() override { start(); }
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  static base::ChildEnd restore(const std::string& backup, const std::string& data) {
    return run(faultline_program() + " admin restore " + backup + " --data " + data);
  }
  void expect_all(const std::string& directory, const std::vector<File>& files) {
    const auto restored = ServerProcess::start({directory, {}, {}, {}});
    ASSERT_NE(restored.url(), "");
    for (const File& file : files) {
      EXPECT_TRUE(uploads::send(restored.url(), "GET", file.path).body == file.content)
          << file.name;
    }
  }
};

TEST_F(Backup, HasAllThatWasAcknowledgedBeforeItBegan) {
  std::atomic<bool> ends = false;
  std::mutex mutex;
  std::vector<File> kept;  // guarded by mutex
  std::vector<std::thread> uploaders;
  uploaders.reserve(3);
  for (int thread = 0; thread < 3; ++thread) {
    uploaders.emplace_back([&, thread] {
      for (int number = thread; !ends; number += 3) {
        const auto& dialect =
            uploads::dialects()[static_cast<std::size_t>(number) % uploads::dialects().size()];
        File file = dialect.make("file-" + std::to_string(number) + ".so",
                                 1000 + static_cast<std::size_t>(number % 7) * 40'000);
        if (!dialect.upload(server_->url(), file).acknowledged) continue;
        const std::lock_guard lock(mutex);
        kept.push_back(std::move(file));
      }
    });
  }
  const auto kept_so_far = [&] {
    const std::lock_guard lock(mutex);
    return kept;
  };
  while (kept_so_far().size() < 40) std::this_thread::yield();
  std::vector<std::vector<File>> before;
  for (int number = 0; number < 3; ++number) {
    before.push_back(kept_so_far());
    must_admin("backup " + path("backup-" + std::to_string(number)) +
               (number == 1 ? " --copy" : ""));
  }
  ends = true;
  for (std::thread& uploader : uploaders) uploader.join();
  stop();

  for (int number = 0; number < 3; ++number) {
    const std::string restored = path("restored-" + std::to_string(number));
    const auto end = restore(path("backup-" + std::to_string(number)), restored);
    EXPECT_EQ(end.exit_code, 0) << end.output << end.errors;
    EXPECT_NE(end.output.find("all is well"), std::string::npos) << end.output;
    expect_all(restored, before[static_cast<std::size_t>(number)]);
  }
  std::printf("%zu, %zu, %zu files before each backup\n", before[0].size(), before[1].size(),
              before[2].size());
}

TEST_F(Backup, OfADirectoryThatNobodyServes) {
  const File file = must_upload("lone.so");
  stop();
  must_admin("backup " + path("backup"));
  EXPECT_EQ(restore(path("backup"), path("restored")).exit_code, 0);
  expect_all(path("restored"), {file});
}

TEST_F(Backup, IsRefusedWhereSomethingIsAndWhenItIsNotWhole) {
  must_upload("lone.so");
  ASSERT_TRUE(base::make_directories(path("full")).ok());
  ASSERT_TRUE(base::write_file_durably(path("full/x"), base::bytes_of("x")).ok());
  EXPECT_EQ(admin("backup " + path("full")).exit_code, 1);
  EXPECT_EQ(admin("backup " + data() + "/inside").exit_code, 1);
  must_admin("backup " + path("backup"));
  EXPECT_EQ(restore(path("backup"), path("full")).exit_code, 1);
  EXPECT_EQ(restore(path("backup"), data()).exit_code, 1);

  const auto blobs = base::list_files(path("backup/blobs"));
  ASSERT_TRUE(blobs.ok() && blobs->size() == 1);
  ASSERT_TRUE(base::remove_file(blobs->front()).ok());
  const auto short_one = restore(path("backup"), path("restored"));
  EXPECT_EQ(short_one.exit_code, 1) << short_one.output;
  EXPECT_NE(short_one.errors.find("has 0 files"), std::string::npos) << short_one.errors;
  ASSERT_TRUE(base::remove_file(path("backup/backup.json")).ok());
  EXPECT_EQ(restore(path("backup"), path("restored-2")).exit_code, 1);
}

TEST_F(Backup, GoesIntoOneFileAndThroughAPipe) {
  const File file = must_upload("lone.so", 2'000'000);
  const File small = must_upload("small.so", 100);
  const std::string said = must_admin("backup " + path("all.tar"));
  EXPECT_NE(said.find("all.tar: 2 files"), std::string::npos) << said;
  EXPECT_EQ(admin("backup " + path("all.tar")).exit_code, 1) << "it is there already";
  EXPECT_EQ(restore(path("all.tar"), path("restored-0")).exit_code, 0);
  expect_all(path("restored-0"), {file, small});

  const auto piped = run(faultline_program() + " admin backup - --data " + data() + " | " +
                         faultline_program() + " admin restore - --data " + path("restored-1"));
  EXPECT_EQ(piped.exit_code, 0) << piped.errors;
  EXPECT_NE(piped.output.find("all is well"), std::string::npos) << piped.output;
  expect_all(path("restored-1"), {file, small});
  const auto left = base::list_files(data() + "/tmp");
  ASSERT_TRUE(left.ok());
  EXPECT_TRUE(left->empty()) << left->front();

  // What is no blob is no part of it.
  const std::string stray = data() + "/blobs/ab/" + std::string(200, 'x');
  ASSERT_TRUE(base::write_file_durably(stray, base::bytes_of("stray")).ok());
  stop();
  must_admin("backup " + path("unserved.tar"));
  EXPECT_EQ(restore(path("unserved.tar"), path("restored-2")).exit_code, 0);
  expect_all(path("restored-2"), {file, small});
}

TEST_F(Backup, InOneFileNeverLooksWholeWhenItIsNot) {
  must_upload("lone.so", 300'000);
  must_upload("other.so", 1000);
  stop();
  must_admin("backup " + path("all.tar"));
  const std::string whole = base::read_file(path("all.tar")).value();
  const std::string cut = path("cut.tar");
  int number = 0;
  for (const std::size_t size : {std::size_t{0}, std::size_t{700}, whole.size() / 2,
                                 whole.size() - 3000, whole.size() - 1024 - 512}) {
    ASSERT_TRUE(base::write_file_durably(cut, base::bytes_of(whole.substr(0, size))).ok());
    const std::string target = path("restored-" + std::to_string(number++));
    EXPECT_EQ(restore(cut, target).exit_code, 1) << size;
    EXPECT_FALSE(base::file_exists(target + "/faultline.db")) << size;
  }
  // One that ends properly, without its proof, or with what does not belong there.
  testing_support::must_run("mkdir " + path("out") + " && tar -xf " + path("all.tar") + " -C " +
                            path("out"));
  const auto pack = [&](const std::string& names) {
    testing_support::must_run("cd " + path("out") + " && tar -cf " + cut + " " + names);
    return restore(cut, path("packed-" + std::to_string(number++)));
  };
  EXPECT_NE(pack("faultline.db blobs").errors.find("ends without backup.json"), std::string::npos);
  EXPECT_NE(pack("faultline.db backup.json blobs").errors.find("follows its proof"),
            std::string::npos);
  EXPECT_NE(pack("faultline.db backup.json").errors.find("has 0 files"), std::string::npos);
  testing_support::must_run("touch " + path("out") + "/evil");
  EXPECT_NE(pack("evil faultline.db blobs backup.json").errors.find("a file evil"),
            std::string::npos);
  testing_support::must_run("rm " + path("out") + "/evil");
  const auto good = pack("faultline.db blobs backup.json");
  EXPECT_EQ(good.exit_code, 0) << "packed again by another program: " << good.errors;
}

TEST_F(Backup, IsNoneWhenADirectoryOfBlobsCannotBeRead) {
  must_upload("lone.so");
  std::string odd = data() + "/blobs/00";
  if (::rmdir(odd.c_str()) != 0) odd = data() + "/blobs/01";  // the file is in that one
  static_cast<void>(::rmdir(odd.c_str()));
  ASSERT_EQ(::symlink(odd.c_str(), odd.c_str()), 0) << "a link to itself: nobody can open it";
  for (const char* target : {"backup", "backup.tar"}) {
    const auto end = admin("backup " + path(target));
    EXPECT_EQ(end.exit_code, 1) << end.output;
    EXPECT_NE((end.output + end.errors).find(odd), std::string::npos) << end.output << end.errors;
  }
  EXPECT_FALSE(base::file_exists(path("backup/backup.json")));
}

// It would write on the server's disk, wherever it was asked to. The label is that of the command
// line in the audit log.
TEST_F(Backup, IsNotForThoseWhoAskFromElsewhere) {
  const std::string token = must_admin("token create 'command line' --rights admin");
  uploads::Fields headers{{"Authorization", "Bearer " + token}, {"Via", "1.1 proxy"}};
  const std::string body = "{\"directory\":\"" + path("backup") + "\"}";
  const auto refused =
      uploads::send(server_->url(), "POST", "/api/v1/upkeep/backup", body, headers);
  EXPECT_EQ(refused.status, 403) << refused.body;
  EXPECT_FALSE(base::file_exists(path("backup")));
  headers.erase("Via");
  EXPECT_EQ(uploads::send(server_->url(), "POST", "/api/v1/upkeep/backup", body, headers).status,
            202);
  EXPECT_EQ(uploads::send(server_->url(), "POST", "/api/v1/upkeep/fsck", "{}").status, 403);
}

// A server that listens on an address of its network alone: the command comes from that address.
TEST_F(Backup, IsForThoseWhoHaveTheKeyOfTheDirectory) {
  const std::string key(base::trim(base::read_file(data() + "/admin.key").value()));
  const std::string body = "{\"directory\":\"" + path("backup") + "\"}";
  const uploads::Fields headers{{"Authorization", "Bearer " + key}, {"Host", "192.0.2.7:7070"}};
  const auto begun = uploads::send(server_->url(), "POST", "/api/v1/upkeep/backup", body, headers);
  EXPECT_EQ(begun.status, 202) << begun.body;
  uploads::Fields from_a_page = headers;
  from_a_page["Sec-Fetch-Site"] = "cross-site";
  EXPECT_EQ(
      uploads::send(server_->url(), "POST", "/api/v1/upkeep/backup", body, from_a_page).status,
      403);
}

TEST_F(Backup, OfAServerThatListensElsewhereOnThisMachine) {
  const File file = must_upload("lone.so");
  stop();
  server_.emplace(ServerProcess::start(
      {data(), {}, {}, {}, {"serve", "--data", data(), "--listen", "127.0.0.2:0"}}));
  ASSERT_TRUE(server_->url().starts_with("http://127.0.0.2:")) << server_->url();
  must_admin("backup " + path("backup"));
  EXPECT_EQ(restore(path("backup"), path("restored")).exit_code, 0);
  expect_all(path("restored"), {file});
}

}  // namespace
