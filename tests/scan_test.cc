// Watched directories on a real server: the reference packages by every build id, what appears
// and what goes, broken and hostile packages, and a server that is killed in the middle.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

using namespace std::chrono_literals;
using testing_support::ServerProcess;

constexpr std::string_view kHello = "c36708a78618d597dee15d0dc989f093ca5f9120";

class ScannedServer : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(base::make_directories(watched_).ok());
    environment_ = {"FAULTLINE_SCAN_PATHS=" + watched_, "FAULTLINE_SCAN_SECONDS=1",
                    "FAULTLINE_SCAN_PACKAGES=usual .pkg.tar.xz .pkg.tar.bz2"};
  }
  void start() {
    server_.emplace(ServerProcess::start({root_.path() + "/data", {}, {}, environment_}));
    ASSERT_NE(server_->url(), "");
  }
  net::ClientAnswer get(const std::string& path) {
    net::ClientRequest request;
    request.url = net::join_url(server_->url(), path);
    net::ClientOptions options;
    options.accept_compressed = false;
    auto answer = net::Client(options).send(request);
    EXPECT_TRUE(answer.ok()) << path;
    return answer.ok() ? std::move(*answer) : net::ClientAnswer{};
  }
  // Until the status is `status`; no time is asserted, only that it comes.
  bool comes_to(const std::string& path, int status) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < until) {
      if (get(path).status == status) return true;
      std::this_thread::sleep_for(50ms);
    }
    return false;
  }
  void copy(const std::string& from, const std::string& name) {
    // Under another name first: a watched file appears whole.
    const std::string to = base::join_path(watched_, name);
    std::filesystem::create_directories(base::parent_of(to));
    std::filesystem::copy_file(from, to + ".part",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::permissions(to + ".part", std::filesystem::perms::owner_write,
                                 std::filesystem::perm_options::add);
    std::filesystem::rename(to + ".part", to);
  }
  std::string url(std::string_view id, std::string_view what) {
    return "/buildid/" + std::string(id) + "/" + std::string(what);
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("scan").value();
  std::string watched_ = root_.path() + "/watched";
  std::vector<std::string> environment_;
  std::optional<ServerProcess> server_;
};

TEST_F(ScannedServer, ServesEveryBuildIdOfTheReferencePackages) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/symbols/archives/";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() == ".json") continue;
    copy(entry.path(), entry.path().string().substr(folder.size()));
  }
  start();
  const auto expected =
      base::JsonValue::parse(base::read_file(folder + "expected.json").value()).value();
  int files = 0;
  int sources = 0;
  for (const auto& [id, what] : *expected["by_build_id"].object()) {
    for (const std::string_view type : {"executable", "debuginfo"}) {
      if (what[type].size() == 0) continue;
      ASSERT_TRUE(comes_to(url(id, type), 200)) << id << " " << type << "\n" << server_->log();
      const net::ClientAnswer answer = get(url(id, type));
      const std::string hash = base::sha256_of(base::bytes_of(answer.body)).hex();
      bool agrees = false;
      for (std::size_t i = 0; i < what[type].size(); ++i) {
        agrees = agrees || what[type].at(i)["sha256"].text_or("") == hash;
      }
      EXPECT_TRUE(agrees) << id << " " << type;
      ++files;
    }
  }
  // Once all packages are read: sources may lie in another package than the symbols that name them.
  for (const auto& [id, what] : *expected["by_build_id"].object()) {
    for (std::size_t i = 0; i < what["source"].size(); ++i) {
      const base::JsonValue& source = what["source"].at(i);
      if (source["sha256"].text_or("").empty()) continue;
      const std::string path = url(id, "source") + std::string(source["path"].text_or(""));
      const net::ClientAnswer answer = get(path);
      EXPECT_EQ(answer.status, 200) << path << " " << answer.body;
      EXPECT_EQ(base::sha256_of(base::bytes_of(answer.body)).hex(), source["sha256"].text_or(""))
          << path;
      ++sources;
    }
    EXPECT_EQ(get(url(id, "source") + "/etc/passwd").status, 404) << id;
  }
  EXPECT_GE(files, 30);
  EXPECT_GE(sources, 10);
}

TEST_F(ScannedServer, WhatAppearsIsServedAndWhatGoesIsNot) {
  REQUIRE_CORPUS(corpus);
  const std::string package = corpus + "/symbols/archives/rpms/fedora30/hello2-1.0-2.x86_64.rpm";
  start();
  const std::string path = url(kHello, "executable");
  EXPECT_EQ(get(path).status, 404);
  copy(package, "a/hello.rpm");
  EXPECT_TRUE(comes_to(path, 200)) << server_->log();
  // The same content elsewhere keeps it alive.
  copy(package, "b/again.rpm");
  std::this_thread::sleep_for(1500ms);
  ASSERT_TRUE(base::remove_file(watched_ + "/a/hello.rpm").ok());
  std::this_thread::sleep_for(1500ms);
  EXPECT_EQ(get(path).status, 200) << server_->log();
  ASSERT_TRUE(base::remove_file(watched_ + "/b/again.rpm").ok());
  EXPECT_TRUE(comes_to(path, 404)) << server_->log();
  const std::string metrics = get("/metrics").body;
  for (const char* name : {"scanned_bytes_total", "found_executable_total"}) {
    const std::string line = "\n" + std::string(name) + "{source=\"archive\"} ";
    EXPECT_NE(metrics.find(line), std::string::npos) << metrics;
    EXPECT_EQ(metrics.find(line + "0\n"), std::string::npos) << metrics;
  }
  EXPECT_NE(metrics.find("\nfdcache_bytes "), std::string::npos) << metrics;
  const auto figure = [&](const std::string& name) {
    const auto at = metrics.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::strtol(&metrics[at + name.size() + 2], nullptr, 10);
  };
  EXPECT_GT(figure("fdcache_op_count{op=\"enqueue\"}"), 0) << metrics;
  EXPECT_GE(figure("fdcache_count"), 0) << metrics;
  EXPECT_GE(figure("thread_count{role=\"scan\"}"), 1) << metrics;
  EXPECT_GE(figure("thread_work_total{role=\"scan\"}"), 2) << metrics;
  EXPECT_EQ(figure("thread_work_pending{role=\"scan\"}"), 0) << metrics;
  EXPECT_GT(figure("groomed_total{decision=\"fresh\"}"), 0) << metrics;
  EXPECT_GE(figure("groom{statistic=\"files scanned (#)\"}"), 0) << metrics;
  EXPECT_EQ(figure("error_count{scan=\"unread\"}"), 0) << metrics;
}

// Between passes, by what the kernel says.
TEST_F(ScannedServer, WhatAppearsBetweenPassesIsSeen) {
  REQUIRE_CORPUS(corpus);
  const std::string package = corpus + "/symbols/archives/rpms/fedora30/hello2-1.0-2.x86_64.rpm";
  environment_.push_back("FAULTLINE_SCAN_SECONDS=86400");
  copy(package, "first/hello.rpm");
  start();
  const std::string path = url(kHello, "executable");
  ASSERT_TRUE(comes_to(path, 200)) << server_->log();
  ASSERT_TRUE(base::remove_file(watched_ + "/first/hello.rpm").ok());
  EXPECT_TRUE(comes_to(path, 404)) << server_->log();
  copy(package, "new/deep/hello.rpm");  // in directories that are new themselves
  EXPECT_TRUE(comes_to(path, 200)) << server_->log();
  std::filesystem::rename(watched_ + "/new", root_.path() + "/away");
  EXPECT_TRUE(comes_to(path, 404)) << server_->log();
  std::filesystem::rename(root_.path() + "/away", watched_ + "/again");
  EXPECT_TRUE(comes_to(path, 200)) << server_->log();
  ASSERT_TRUE(base::remove_file(watched_ + "/again/deep/hello.rpm").ok());
  EXPECT_TRUE(comes_to(path, 404)) << server_->log();
}

TEST_F(ScannedServer, WithoutABudgetMembersComeOnDemandAndNeverWrong) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/symbols/archives/rpms/";
  environment_.push_back("FAULTLINE_SCAN_EXTRACTED=1");
  copy(folder + "fedora30/hello2-1.0-2.x86_64.rpm", "hello.rpm");
  start();
  const std::string path = url(kHello, "executable");
  ASSERT_TRUE(comes_to(path, 200)) << server_->log();
  EXPECT_EQ(base::sha256_of(base::bytes_of(get(path).body)).hex(),
            "730576ff155e5011c5de896e12287eab9b03b063572cb6381b8e5df569808aef");
  // Another package in its place: what was there is gone, and is not made of what is there now.
  copy(folder + "rhel6/hello2-1.0-2.i686.rpm", "hello.rpm");
  EXPECT_TRUE(comes_to(url("d44d42cbd7d915bc938c81333a21e355a6022fb7", "executable"), 200));
  EXPECT_TRUE(comes_to(path, 404));
}

TEST_F(ScannedServer, BrokenAndHostilePackagesDoNotStopIt) {
  REQUIRE_CORPUS(corpus);
  REQUIRE_OR_SKIP(testing_support::have_command("python3"), "no python3");
  const std::string make =
      "import tarfile, io, gzip, os, sys\n"
      "d = sys.argv[1]\n"
      "open(d + '/text.deb', 'w').write('no package')\n"
      "open(d + '/empty.rpm', 'w')\n"
      "t = tarfile.open(d + '/many.tar', 'w')\n"
      "for i in range(100000): t.addfile(tarfile.TarInfo('f%d' % i))\n"
      "t.close()\n"
      "t = tarfile.open(d + '/names.tar', 'w')\n"
      "for n in ['../../../../tmp/faultline-escaped', '/tmp/faultline-escaped', 'a\\udcff']:\n"
      "  i = tarfile.TarInfo(n); b = b'\\x7fELF' + bytes(5000); i.size = len(b)\n"
      "  t.addfile(i, io.BytesIO(b))\n"
      "i = tarfile.TarInfo('link'); i.type = tarfile.SYMTYPE; i.linkname = '/etc/passwd'\n"
      "t.addfile(i); t.close()\n"
      "g = gzip.open(d + '/bomb.tar.gz', 'wb', 9)\n"
      "i = tarfile.TarInfo('zeros'); i.size = 1 << 29\n"
      "g.write(i.tobuf()); z = bytes(1 << 20)\n"
      "for _ in range(512): g.write(z)\n"
      "g.close()\n";
  const auto made = base::run_child("/usr/bin/env", {"env", "python3", "-c", make, watched_});
  ASSERT_TRUE(made.ok() && made->ok()) << made->describe();
  copy(corpus + "/symbols/archives/rpms/fedora30/hello2-1.0-2.x86_64.rpm", "zz/hello.rpm");
  start();
  EXPECT_TRUE(comes_to(url(kHello, "executable"), 200)) << server_->log();
  EXPECT_FALSE(base::file_exists("/tmp/faultline-escaped"));
  EXPECT_EQ(server_->stop(), 0);
}

TEST_F(ScannedServer, AKilledScanIsResumedAndNothingHalfIsServed) {
  REQUIRE_CORPUS(corpus);
  const std::string folder = corpus + "/symbols/archives/";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().extension() != ".rpm") continue;
    copy(entry.path(), entry.path().string().substr(folder.size()));
  }
  const auto expected =
      base::JsonValue::parse(base::read_file(folder + "expected.json").value()).value();
  const base::JsonValue& by_id = expected["by_build_id"];
  for (const auto delay : {0ms, 20ms, 60ms, 120ms, 250ms}) {
    start();
    std::this_thread::sleep_for(delay);
    server_->kill();
  }
  start();
  for (const auto& [id, what] : *by_id.object()) {
    if (what["executable"].size() == 0) continue;
    if (!std::string(what["executable"].at(0)["archive"].text_or("")).ends_with(".rpm")) continue;
    ASSERT_TRUE(comes_to(url(id, "executable"), 200)) << id << server_->log();
    EXPECT_EQ(base::sha256_of(base::bytes_of(get(url(id, "executable")).body)).hex(),
              what["executable"].at(0)["sha256"].text_or(""));
  }
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_TRUE(base::list_files(root_.path() + "/data/tmp")->empty());
}

}  // namespace
