// What every way of uploading owes when the server is killed, its disk is full or cannot be
// written, or its clock jumps: what was acknowledged is there and whole, nothing is there by half.
// FAULTLINE_LONG=1 lets the clock test wait until the sweeps of all rooms have passed.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <set>
#include <thread>

#include "base/child.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/text.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"
#include "testing/small_disk.h"
#include "testing/wrong_clock.h"
#include "upload_dialects.h"

namespace {

using namespace std::chrono_literals;
using testing_support::faultline_program;
using testing_support::ServerProcess;
using testing_support::SmallDisk;
using uploads::Dialect;
using uploads::File;
using uploads::Outcome;
using uploads::send;

bool is_long() {
  const char* value = std::getenv("FAULTLINE_LONG");
  return value != nullptr && std::string_view(value) == "1";
}

std::size_t files_below(const std::string& path) {
  const auto files = base::list_files(path);
  return files.ok() ? files->size() : 0;
}

// An upload's own file is gone when it is answered; one of a conversion may stay a moment longer.
bool gets_empty(const std::string& path) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (files_below(path) != 0) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(20ms);
  }
  return true;  // a conversion may begin a file the next moment
}

// One of the files of a run, by its number: of each dialect in turn, of 1 KB to 400 KB.
const Dialect& dialect_of(int number) {
  const auto& all = uploads::dialects();
  return all[static_cast<std::size_t>(number) % all.size()];
}
File file_of(int number) {
  const Dialect& dialect = dialect_of(number);
  const std::size_t size = 1000 + static_cast<std::size_t>(number % 7) * 60'000;
  return dialect.make(dialect.name + "-" + std::to_string(number) + ".so", size);
}

// What a thread brings to a server that is about to be killed.
struct Uploader {
  std::vector<int> sent, acknowledged;
  std::thread thread;

  void start(const std::string& url, std::atomic<int>& next, const std::atomic<bool>& stop) {
    thread = std::thread([this, url, &next, &stop] {
      while (!stop) {
        const int number = next++;
        sent.push_back(number);
        const Outcome outcome = dialect_of(number).upload(url, file_of(number));
        if (outcome.acknowledged) acknowledged.push_back(number);
        if (outcome.status == 0) return;
        EXPECT_TRUE(outcome.acknowledged)
            << dialect_of(number).name << ": " << outcome.status << " " << outcome.said;
      }
    });
  }
};

// Whole, or not there; never something else.
void expect_whole(const std::string& url, int number, bool must_be_there) {
  const File file = file_of(number);
  const auto answer = send(url, "GET", file.path);
  if (must_be_there) EXPECT_EQ(answer.status, 200) << dialect_of(number).name << " " << file.path;
  if (answer.status == 200) {
    EXPECT_TRUE(answer.body == file.content) << dialect_of(number).name << " " << file.path;
  }
}

class KilledServer : public testing::Test {
 protected:
  // A server with a watched directory, so that passes are killed as well.
  ServerProcess start() {
    auto server = ServerProcess::start({data_,
                                        {},
                                        {},
                                        {"FAULTLINE_SCAN_PATHS=" + watched_,
                                         "FAULTLINE_SCAN_FILES=1", "FAULTLINE_SCAN_SECONDS=1"}});
    EXPECT_EQ(send(server.url(), "GET", "/healthz").status, 200);
    return server;
  }
  void watch_a_file(int number) {
    const File file = uploads::elf_file("watched-" + std::to_string(number) + ".so", 200'000);
    const std::string path = base::join_path(watched_, file.name);
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(file.content)).ok());
  }
  // A file goes out whole, or the transfer fails: short content with a good status is neither.
  void download_until(const std::string& url, const std::vector<int>& files,
                      const std::atomic<bool>& stop) {
    for (std::size_t i = 0; !stop && !files.empty(); ++i) {
      const auto answer = send(url, "GET", file_of(files[i % files.size()]).path);
      if (answer.status == 0) return;
      EXPECT_EQ(answer.status, 200);
      EXPECT_TRUE(answer.body == file_of(files[i % files.size()]).content);
    }
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("killed").value();
  std::string data_ = root_.path() + "/data";
  std::string watched_ = root_.path() + "/watched";
};

TEST_F(KilledServer, LosesNothingThatAnyDialectWasToldIsKept) {
  ASSERT_TRUE(base::make_directories(watched_).ok());
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  constexpr std::size_t kUploads = 1000;
  std::atomic<int> next = 0;
  std::vector<int> sent, acknowledged;
  int kills = 0, repairs = 0;
  while (sent.size() < kUploads) {
    watch_a_file(kills);
    auto server = start();
    ASSERT_NE(server.url(), "");
    const std::string log = server.log();
    repairs += log.find("unfinished") != std::string::npos ? 1 : 0;
    std::atomic<bool> stop = false;
    std::vector<Uploader> uploaders(3);
    for (Uploader& uploader : uploaders) uploader.start(server.url(), next, stop);
    std::thread downloads([&] { download_until(server.url(), acknowledged, stop); });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 400'000));
    server.kill();
    ++kills;
    stop = true;
    downloads.join();
    for (Uploader& uploader : uploaders) {
      uploader.thread.join();
      sent.insert(sent.end(), uploader.sent.begin(), uploader.sent.end());
      acknowledged.insert(acknowledged.end(), uploader.acknowledged.begin(),
                          uploader.acknowledged.end());
    }
  }
  const auto server = start();
  for (const int number : acknowledged) expect_whole(server.url(), number, true);
  for (const int number : sent) expect_whole(server.url(), number, false);
  const std::set<std::string> ways = [&] {
    std::set<std::string> names;
    for (const int number : acknowledged) names.insert(dialect_of(number).name);
    return names;
  }();
  EXPECT_EQ(ways.size(), uploads::dialects().size()) << "a dialect was never acknowledged";
  EXPECT_TRUE(gets_empty(data_ + "/tmp"));
  EXPECT_GT(repairs, 0) << "no start has said that it removed anything";
  std::printf("%zu uploads sent, %zu acknowledged, %d kills, %d starts that repaired\n",
              sent.size(), acknowledged.size(), kills, repairs);
}

// Each dialect brings files of 900 KB to a disk of 9 MB until it is told that there is no room.
TEST(FullDisk, IsSaidInEachDialectAndNothingIsLost) {
  for (const Dialect& dialect : uploads::dialects()) {
    SCOPED_TRACE(dialect.name);
    auto disk = SmallDisk::mount("9m");
    REQUIRE_OR_SKIP(disk.has_value(), "may not mount a tmpfs");
    const std::string data = disk->path() + "/data";
    const auto server = ServerProcess::start(
        {data, {}, {}, {"FAULTLINE_LIMITS_DISK_FREE=0", "FAULTLINE_DISK_STOP_EXTRACTING=0"}});
    ASSERT_NE(server.url(), "");
    std::vector<File> kept;
    Outcome refused{true, 0, ""};
    for (int number = 0; number < 30 && refused.acknowledged; ++number) {
      File file = dialect.make("full-" + std::to_string(number) + ".so", 900'000);
      refused = dialect.upload(server.url(), file);
      if (refused.acknowledged) kept.push_back(std::move(file));
    }
    ASSERT_FALSE(refused.acknowledged);
    if (refused.status == 200) {  // sentry-cli's assemble says it of the one file
      EXPECT_NE(refused.said.find("\"state\":\"error\""), std::string::npos) << refused.said;
    } else {
      EXPECT_TRUE(refused.status == 507 || refused.status == 503 || refused.status == 201)
          << refused.status << " " << refused.said;
    }
    EXPECT_GT(kept.size(), 1u);
    EXPECT_TRUE(gets_empty(data + "/tmp")) << "unfinished files stay on a full disk";
    EXPECT_EQ(send(server.url(), "GET", "/healthz").status, 200);
    for (const File& file : kept) {
      EXPECT_TRUE(send(server.url(), "GET", file.path).body == file.content) << file.path;
    }
    disk->resize("40m");  // it goes on without a restart
    const File after = dialect.make("after.so", 900'000);
    const Outcome again = dialect.upload(server.url(), after);
    EXPECT_TRUE(again.acknowledged) << again.status << " " << again.said;
    EXPECT_TRUE(send(server.url(), "GET", after.path).body == after.content);
  }
}

// Unpacking stops before uploads do: a package is refused, its files alone are taken.
TEST(FullDisk, PackagesAreRefusedBeforeUploadsAre) {
  auto disk = SmallDisk::mount("60m");
  REQUIRE_OR_SKIP(disk.has_value(), "may not mount a tmpfs");
  const auto server = ServerProcess::start(
      {disk->path() + "/data",
       {},
       {},
       {"FAULTLINE_LIMITS_DISK_FREE=0", "FAULTLINE_DISK_STOP_EXTRACTING=100 MiB"}});
  ASSERT_NE(server.url(), "");
  for (const Dialect& dialect : uploads::dialects()) {
    const Outcome outcome = dialect.upload(server.url(), dialect.make("a.so", 5000));
    if (dialect.name == "package") {
      EXPECT_EQ(outcome.status, 507) << outcome.said;
      EXPECT_NE(outcome.said.find("too full to unpack"), std::string::npos) << outcome.said;
    } else {
      EXPECT_TRUE(outcome.acknowledged) << dialect.name << " " << outcome.said;
    }
  }
  // By name, and a debug file that comes compressed: 503 would make clients try again in vain.
  const auto by_name = send(server.url(), "PUT", "/api/v1/files/x.tar", uploads::tar_end());
  EXPECT_EQ(by_name.status, 507) << by_name.body;
  const File file = uploads::elf_file("packed.so", 5000);
  const auto packed = base::gzip(base::bytes_of(file.content));
  const auto put = send(server.url(), "PUT", file.path + ".gz", {packed.begin(), packed.end()});
  EXPECT_EQ(put.status, 507) << put.body;
  EXPECT_EQ(send(server.url(), "GET", file.path + ".gz").status, 404);
}

// What the probes' owner sees of it.
TEST(FullDisk, HasALevelInTheMetrics) {
  auto disk = SmallDisk::mount("60m");
  REQUIRE_OR_SKIP(disk.has_value(), "may not mount a tmpfs");
  struct Case {
    const char *caching, *extracting, *uploads, *level;
  };
  for (const Case& row : {Case{"0", "0", "0", "0"}, Case{"1 GiB", "0", "0", "1"},
                          Case{"1 GiB", "1 GiB", "0", "2"}, Case{"0", "0", "1 GiB", "3"}}) {
    const auto server =
        ServerProcess::start({disk->path() + "/data",
                              {},
                              {},
                              {std::string("FAULTLINE_DISK_STOP_CACHING=") + row.caching,
                               std::string("FAULTLINE_DISK_STOP_EXTRACTING=") + row.extracting,
                               std::string("FAULTLINE_LIMITS_DISK_FREE=") + row.uploads}});
    ASSERT_NE(server.url(), "");
    const std::string metrics = send(server.url(), "GET", "/metrics").body;
    EXPECT_NE(metrics.find(std::string("\nfaultline_disk_level ") + row.level + "\n"),
              std::string::npos)
        << row.level << metrics;
  }
}

// A body without a length is let in, and then there is no room for its end.
TEST(FullDisk, IsNoPassingTroubleForAPart) {
  auto disk = SmallDisk::mount("12m");
  REQUIRE_OR_SKIP(disk.has_value(), "may not mount a tmpfs");
  const auto server =
      ServerProcess::start({disk->path() + "/data", {}, {}, {"FAULTLINE_LIMITS_DISK_FREE=1"}});
  ASSERT_NE(server.url(), "");
  testing_support::RawClient client(server.url().substr(std::string_view("http://").size()));
  constexpr std::size_t kPart = 20 << 20;
  client.send("PUT /api/v1/uploads/" + std::string(64, 'a') +
              "?offset=0 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" +
              "1400000\r\n" + std::string(kPart, 'x') + "\r\n0\r\n\r\n");
  const auto answer = client.read_answer();
  EXPECT_EQ(answer.status, 507) << answer.body;
}

// Below the mark for uploads each is refused before it is read, and told so.
TEST(FullDisk, IsSeenBeforeTheUploadInEachDialect) {
  auto disk = SmallDisk::mount("12m");
  REQUIRE_OR_SKIP(disk.has_value(), "may not mount a tmpfs");
  const auto server = ServerProcess::start({disk->path() + "/data", {}, {}, {}});
  ASSERT_NE(server.url(), "");
  for (const Dialect& dialect : uploads::dialects()) {
    const Outcome outcome = dialect.upload(server.url(), dialect.make("little.so", 1000));
    EXPECT_FALSE(outcome.acknowledged) << dialect.name;
    EXPECT_EQ(outcome.status, 507) << dialect.name << " " << outcome.said;
  }
}

// The disk turns read-only under a running server, as a broken one does: nothing is acknowledged,
// what was there is served, and when it is mended uploads go on.
TEST(ReadOnlyDisk, IsSaidInEachDialect) {
  const auto root = base::TemporaryDirectory::create("read-only").value();
  const std::string data = root.path() + "/data";
  const auto server = ServerProcess::start({data, {}, {}, {}});
  ASSERT_NE(server.url(), "");
  const File before = uploads::sym_file("before.so", 1000);
  ASSERT_TRUE(uploads::dialects().front().upload(server.url(), before).acknowledged);
  std::vector<std::string> places;
  for (const std::string& place : std::vector<std::string>{"tmp", "uploads", "partial"}) {
    const std::string path = base::join_path(data, place);
    ASSERT_TRUE(base::make_directories(path).ok());
    if (::mount("none", path.c_str(), "tmpfs", MS_RDONLY, "size=64k") == 0) places.push_back(path);
  }
  const bool mounted = places.size() == 3;
  for (const Dialect& dialect : uploads::dialects()) {
    if (!mounted) break;
    const File file = dialect.make("during.so", 300'000);
    const Outcome outcome = dialect.upload(server.url(), file);
    EXPECT_FALSE(outcome.acknowledged) << dialect.name;
    EXPECT_GE(outcome.status, 200) << dialect.name << " lost the connection";
    EXPECT_NE(send(server.url(), "GET", file.path).status, 200) << dialect.name;
  }
  EXPECT_TRUE(send(server.url(), "GET", before.path).body == before.content);
  for (const std::string& path : places) ::umount2(path.c_str(), MNT_DETACH);
  REQUIRE_OR_SKIP(mounted, "may not mount a tmpfs");
  for (const Dialect& dialect : uploads::dialects()) {
    const File file = dialect.make("after.so", 1000);
    const Outcome outcome = dialect.upload(server.url(), file);
    EXPECT_TRUE(outcome.acknowledged) << dialect.name << " " << outcome.status << outcome.said;
  }
}

TEST(ReadOnlyDisk, AServerDoesNotStartOnOne) {
  auto disk = SmallDisk::mount("4m");
  REQUIRE_OR_SKIP(disk.has_value(), "may not mount a tmpfs");
  ASSERT_EQ(::mount("none", disk->path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  base::ChildLimits limits;
  limits.wall = 20s;
  const auto end = base::run_child(
      faultline_program(),
      {"faultline", "serve", "--listen", "127.0.0.1:0", "--data", disk->path() + "/data"}, limits);
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->exit_code, 1);
  EXPECT_NE(end->errors.find("ead-only file system"), std::string::npos) << end->errors;
}

// The years in the "created_at" of a list of uploads.
std::set<std::string> years_of(std::string_view json) {
  constexpr std::string_view kKey = "\"created_at\":\"";
  std::set<std::string> years;
  for (auto at = json.find(kKey); at != std::string_view::npos; at = json.find(kKey, at + 1)) {
    years.emplace(json.substr(at + kKey.size(), 4));
  }
  return years;
}

// Forward by a year and back by two while uploads come: all are taken and found, and nothing that
// has an end ends before its time.
TEST(ClockJumps, TakeNothingAway) {
  constexpr std::int64_t kYear = 366 * 86'400;
  const auto root = base::TemporaryDirectory::create("clock").value();
  testing_support::WrongClock clock(root.path() + "/offset");
  std::vector<File> kept;
  const File attempt = uploads::sym_file("try.so", 1000);
  {
    const auto server = ServerProcess::start({root.path() + "/data", {}, {}, clock.environment()});
    ASSERT_NE(server.url(), "");
    EXPECT_EQ(send(server.url(), "PUT", "/try" + attempt.path, attempt.content).status, 201);
    for (const std::int64_t offset : {std::int64_t{0}, kYear, -kYear, std::int64_t{0}}) {
      clock.set(offset);
      const auto head = send(server.url(), "GET", "/healthz");
      EXPECT_EQ(head.status, 200);
      // A look of the housekeeper at least; with time, a sweep as well.
      std::this_thread::sleep_for(is_long() ? 65s : 1500ms);
      for (const Dialect& dialect : uploads::dialects()) {
        File file = dialect.make(dialect.name + std::to_string(offset) + ".so", 2000);
        const Outcome outcome = dialect.upload(server.url(), file);
        EXPECT_TRUE(outcome.acknowledged)
            << dialect.name << " " << offset << " " << outcome.status << outcome.said;
        kept.push_back(std::move(file));
      }
      EXPECT_EQ(send(server.url(), "GET", "/try" + attempt.path).status, 200) << offset;
    }
    const auto list = send(server.url(), "GET", "/api/v1/uploads");
    // The preloaded clock is really wrong: the records of the years before and after say so.
    EXPECT_GE(years_of(list.body).size(), 3u) << list.body.substr(0, 2000);
  }
  const auto server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  for (const File& file : kept) {
    EXPECT_TRUE(send(server.url(), "GET", file.path).body == file.content) << file.path;
  }
  EXPECT_EQ(send(server.url(), "GET", "/try" + attempt.path).status, 200);
}

}  // namespace
