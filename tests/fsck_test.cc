// `faultline admin fsck`: what it finds of what disks and people do to a data directory, what it
// repairs, and that a file that is brought again is whole again.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "base/json.h"
#include "served_place.h"
#include "testing/corpus.h"
#include "testing/small_disk.h"

namespace {

using namespace std::chrono_literals;
using uploads::File;

class Fsck : public uploads::ServedPlace, public testing::WithParamInterface<bool> {
 protected:
  static bool is_served() { return GetParam(); }
  void SetUp() override { start(); }
  void before_admin() {
    if (!is_served()) stop();
  }
  void after_admin() {
    if (!is_served()) start();
  }
  static void flip_a_byte(const std::string& path, std::streamoff at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    ASSERT_TRUE(file.is_open()) << path;
    file.seekg(at);
    const char byte = static_cast<char>(file.get() ^ 0x40);
    file.seekp(at);
    file.put(byte);
  }
  std::vector<std::string> indexes() const {
    std::vector<std::string> found;
    const auto paths = base::list_files(data() + "/index");
    for (const std::string& path : paths.ok() ? *paths : std::vector<std::string>()) {
      if (path.ends_with(".idx")) found.push_back(path);
    }
    return found;
  }
};

TEST_P(Fsck, SetsBrokenFilesAsideAndForgetsLostOnes) {
  const File good = must_upload("good.so");
  const File broken = must_upload("broken.so");
  const File lost = must_upload("lost.so");
  EXPECT_NE(must_admin("fsck").find("3 blobs"), std::string::npos);
  before_admin();
  ASSERT_NO_FATAL_FAILURE(flip_a_byte(blob_of(broken), 200));
  ASSERT_TRUE(base::remove_file(blob_of(lost)).ok());

  const auto found = admin("fsck");
  EXPECT_EQ(found.exit_code, 1);
  const std::string hash = hash_of(broken);
  EXPECT_NE(found.output.find("damaged blobs/" + hash.substr(0, 2) + "/" + hash + ":"),
            std::string::npos)
      << found.output << found.errors;
  EXPECT_NE(found.output.find("lost " + hash_of(lost) + ": the bytes of lost.so.sym"),
            std::string::npos)
      << found.output;
  EXPECT_EQ(found.output.find(hash_of(good)), std::string::npos) << found.output;
  EXPECT_TRUE(base::file_exists(blob_of(broken))) << "without --repair nothing changes";
  // All but the last line, which also counts what a server makes meanwhile.
  const auto problems_of = [](const std::string& output) {
    return output.substr(0, output.rfind('\n', output.size() - 2));
  };
  EXPECT_EQ(problems_of(admin("fsck").output), problems_of(found.output));

  const auto repaired = admin("fsck --repair");
  EXPECT_EQ(repaired.exit_code, 0) << repaired.output << repaired.errors;
  EXPECT_TRUE(base::file_exists(data() + "/quarantine/" + hash));
  EXPECT_NE(must_admin("fsck").find("1 blobs"), std::string::npos);
  EXPECT_NE(must_admin("fsck").find("all is well"), std::string::npos);
  after_admin();

  EXPECT_TRUE(get(good.path).body == good.content);
  for (const File& file : {broken, lost}) {
    EXPECT_EQ(get(file.path).status, 404) << "a miss is told as one: " << file.name;
    must_upload(file.name);
    EXPECT_TRUE(get(file.path).body == file.content) << file.name;
  }
  EXPECT_NE(must_admin("fsck").find("all is well"), std::string::npos);
  EXPECT_NE(must_admin("audit").find("fsck repair"), std::string::npos);
}

TEST_P(Fsck, RemovesDamagedIndexes) {
  const File file = must_upload("indexed.so");
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (indexes().empty() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(20ms);
  }
  ASSERT_EQ(indexes().size(), 1u);
  const std::string index = indexes().front();
  before_admin();
  const auto size = base::read_file(index).value().size();
  ASSERT_NO_FATAL_FAILURE(flip_a_byte(index, static_cast<std::streamoff>(size / 2)));
  const auto found = admin("fsck");
  EXPECT_EQ(found.exit_code, 1);
  EXPECT_NE(found.output.find("derived index/v1/"), std::string::npos) << found.output;
  EXPECT_EQ(admin("fsck --repair").exit_code, 0);
  EXPECT_FALSE(base::file_exists(index));
  must_admin("fsck");
  after_admin();
}

TEST_P(Fsck, SaysItAsJson) {
  const File lost = must_upload("lost.so");
  before_admin();
  ASSERT_TRUE(base::remove_file(blob_of(lost)).ok());
  const auto end = admin("fsck --json");
  EXPECT_EQ(end.exit_code, 1);
  const auto json = base::JsonValue::parse(end.output);
  ASSERT_TRUE(json.ok()) << end.output << end.errors;
  EXPECT_EQ((*json)["unrepaired"].integer_or(-1), 1);
  EXPECT_EQ((*json)["problems"].at(0)["kind"].text_or(""), "lost");
  EXPECT_EQ((*json)["problems"].at(0)["subject"].text_or(""), hash_of(lost));
  EXPECT_NE((*json)["problems"].at(0)["todo"].text_or(""), "");
  after_admin();
}

INSTANTIATE_TEST_SUITE_P(Places, Fsck, testing::Bool(),
                         [](const auto& info) { return info.param ? "Served" : "Alone"; });

class FsckOfTwoDisks : public uploads::ServedPlace {};

TEST_F(FsckOfTwoDisks, SetsBrokenCopiesAsideOnTheDiskOfTheData) {
  auto disk = testing_support::SmallDisk::mount("8m");
  REQUIRE_OR_SKIP(disk.has_value(), "may not mount a tmpfs");
  ASSERT_NO_FATAL_FAILURE(start({"FAULTLINE_CACHE_PATH=" + disk->path()}));
  const std::string name(64, 'a');
  const std::string copy = data() + "/extracted/aa/" + name;
  for (const std::string& aside : {name, name + ".2"}) {  // served, and then alone
    ASSERT_TRUE(base::write_file_durably(copy, base::bytes_of("of something else")).ok());
    EXPECT_EQ(admin("fsck").exit_code, 1);
    const auto repaired = admin("fsck --repair");
    EXPECT_EQ(repaired.exit_code, 0) << repaired.output << repaired.errors;
    EXPECT_FALSE(base::file_exists(copy));
    EXPECT_EQ(base::read_file(data() + "/quarantine/" + aside).value_or(""), "of something else");
    EXPECT_NE(must_admin("fsck").find("all is well"), std::string::npos);
    if (server_) stop();
  }
}

class BusyFsck : public uploads::ServedPlace {};

// While uploads come nothing is said to be wrong that is only on its way.
TEST_F(BusyFsck, FindsNothingWrongWhileOthersUpload) {
  ASSERT_NO_FATAL_FAILURE(start());
  std::atomic<bool> ends = false;
  std::thread uploader([&] {
    for (int number = 0; !ends; ++number) must_upload("busy-" + std::to_string(number) + ".so");
  });
  for (int i = 0; i < 5; ++i) {
    const auto end = admin("fsck");
    EXPECT_EQ(end.exit_code, 0) << end.output << end.errors;
  }
  ends = true;
  uploader.join();
}

}  // namespace
