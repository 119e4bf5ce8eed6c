// elfutils' own client and gdb when things go slowly or wrong on our side: what is late is held and
// comes, what cannot come is reset and forgotten, and never is "not found" kept for ten minutes
// when the file is only late. What the client keeps is a file without a bit of permission.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/text.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/free_port.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"

namespace {

using namespace std::chrono_literals;
using testing_support::have_command;
using testing_support::must_run;
using testing_support::run;
using testing_support::ServerProcess;

constexpr const char* kId = "aabbccdd11";
constexpr const char* kOther = "aabbccdd22";

class DebuginfodClients : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_OR_SKIP(have_command("cc") && have_command("debuginfod-find"), "no compiler or client");
    must_run("mkdir -p " + root_ + "/watched " + root_ + "/run && cd " + root_ +
             "/run && echo 'int flicker(int a) { return a * 3; } int main(void) { return "
             "flicker(7) == 77; }' >lamp.c && cc -g -O0 -Wl,--build-id=0x" +
             kId + " -o lamp lamp.c && strip -o stripped lamp");
  }

  // The lamp lies in a package that takes as long as `gate` is shut, and is not kept extracted.
  void watch_a_slow_package() {
    must_run("cd " + root_ + "/run && tar cf ../watched/lamp.slow lamp && touch " + gate_);
    command_ = {"-Z", ".slow=while [ ! -e " + gate_ + " ]; do sleep 0.02; done; cat",
                "--fdcache-mbs=0", root_ + "/watched"};
    start();
    // Known, and not asked for yet: the first who asks has it unpacked again.
    const std::string known = "/metadata?key=buildid&value=" + std::string(kId);
    ASSERT_TRUE(comes_to_hold(known, "lamp.slow")) << server_->log();
    shut();
  }
  void watch_a_file() {
    must_run("cp " + root_ + "/run/lamp " + root_ + "/watched/lamp");
    command_ = {"-F", root_ + "/watched"};
    start();
    ASSERT_TRUE(comes_to(url(kId), 200)) << server_->log();
  }
  void start() {
    server_.emplace(ServerProcess::start_debuginfod(root_ + "/data", command_, environment_));
    ASSERT_NE(server_->url(), "");
  }
  void shut() { must_run("rm -f " + gate_); }
  void open() { must_run("touch " + gate_); }

  static std::string url(const std::string& id) { return "/buildid/" + id + "/debuginfo"; }
  bool comes_to(const std::string& path, int status) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < until) {
      const auto answer = net::Client().get(server_->url() + path);
      if (answer.ok() && answer->status == status) return true;
      std::this_thread::sleep_for(50ms);
    }
    return false;
  }

  bool comes_to_hold(const std::string& path, const std::string& text) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < until) {
      const auto answer = net::Client().get(server_->url() + path);
      if (answer.ok() && answer->body.find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(50ms);
    }
    return false;
  }

  std::string environment(const std::string& urls = "") const {
    return "HOME=" + root_ + " DEBUGINFOD_URLS='" + (urls.empty() ? server_->url() : urls) +
           "' DEBUGINFOD_CACHE_PATH=" + cache_ + " ";
  }
  base::ChildEnd find(const std::string& variables = "", const std::string& id = kId,
                      const std::string& urls = "") const {
    return run(environment(urls) + variables + " debuginfod-find debuginfo " + id);
  }
  void expect_found(const base::ChildEnd& end) const {
    EXPECT_TRUE(end.ok()) << end.errors << server_->log();
    const auto found = base::read_file(std::string(base::trim(end.output)));
    EXPECT_TRUE(found.ok() && *found == base::read_file(root_ + "/run/lamp").value());
  }
  static void expect_failed(const base::ChildEnd& end, const std::string& why) {
    EXPECT_FALSE(end.ok()) << end.output;
    EXPECT_NE(end.errors.find(why), std::string::npos) << end.errors;
  }
  // How libdebuginfod remembers that there is no such file.
  int negative_entries() const {
    int count = 0;
    std::error_code absent;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(cache_, absent)) {
      struct stat info{};
      if (entry.is_regular_file() && ::stat(entry.path().c_str(), &info) == 0 &&
          info.st_size == 0) {
        ++count;
      }
    }
    return count;
  }
  int resets_in_log() const {
    const std::string log = server_->log();
    int count = 0;
    for (auto at = log.find(" status=reset "); at != std::string::npos;
         at = log.find(" status=reset ", at + 1)) {
      ++count;
    }
    return count;
  }
  // Of a server that is done with it: the line comes after the connection has gone.
  bool log_comes_to(int resets) const {
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (resets_in_log() < resets && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(20ms);
    }
    return resets_in_log() == resets;
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("clients").value();
  std::string root_ = directory_.path();
  std::string cache_ = root_ + "/cache";
  std::string gate_ = root_ + "/gate";
  std::vector<std::string> command_, environment_;
  std::optional<ServerProcess> server_;
};

// The control: this is what must not happen to what is only late.
TEST_F(DebuginfodClients, WhatIsNotHereIsRememberedByTheClient) {
  watch_a_file();
  expect_failed(find("", kOther), "No such file");
  EXPECT_EQ(negative_entries(), 1);
  expect_found(find());
  EXPECT_EQ(negative_entries(), 1);
}

TEST_F(DebuginfodClients, WhatIsLateIsHeldAndComes) {
  watch_a_slow_package();
  std::thread opener([this] {
    std::this_thread::sleep_for(1500ms);
    open();
  });
  expect_found(find());
  opener.join();
  EXPECT_EQ(resets_in_log(), 0);
  EXPECT_EQ(negative_entries(), 0);
}

TEST_F(DebuginfodClients, GdbWaitsForWhatIsLate) {
  REQUIRE_OR_SKIP(have_command("gdb"), "no gdb");
  watch_a_slow_package();
  std::thread opener([this] {
    std::this_thread::sleep_for(1500ms);
    open();
  });
  const auto gdb = run(environment() +
                       "gdb -nx -batch -iex 'set debuginfod enabled on' -ex "
                       "'info line flicker' " +
                       root_ + "/run/stripped 2>&1");
  opener.join();
  EXPECT_NE(gdb.output.find("of \"lamp.c\" starts at"), std::string::npos)
      << gdb.output << server_->log();
}

// Held once, and its two retries are not: the user waits for one patience and not for three.
TEST_F(DebuginfodClients, WhatIsTooLateIsResetForgottenAndFoundTheNextTime) {
  watch_a_slow_package();
  const auto begin = std::chrono::steady_clock::now();
  expect_failed(find(), "Connection reset by peer");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 9s) << "its retries were held as well";
  EXPECT_TRUE(log_comes_to(3)) << server_->log();
  EXPECT_EQ(negative_entries(), 0);
  std::this_thread::sleep_for(2500ms);
  expect_failed(find("DEBUGINFOD_RETRY_LIMIT=0"), "Connection reset by peer");
  EXPECT_TRUE(log_comes_to(4)) << server_->log();
  EXPECT_EQ(negative_entries(), 0);
  open();
  ASSERT_TRUE(comes_to(url(kId), 200)) << server_->log();
  expect_found(find());
}

TEST_F(DebuginfodClients, AClientsOwnBoundsPoisonNothing) {
  watch_a_slow_package();
  expect_failed(find("DEBUGINFOD_MAXTIME=1"), "Timer expired");
  expect_failed(find("DEBUGINFOD_TIMEOUT=1 DEBUGINFOD_RETRY_LIMIT=0"), "Timer expired");
  EXPECT_EQ(negative_entries(), 0);
  open();
  ASSERT_TRUE(comes_to(url(kId), 200)) << server_->log();
  expect_failed(find("DEBUGINFOD_MAXSIZE=1000"), "File too large");
  EXPECT_TRUE(server_->log_comes_to_say("status=406")) << server_->log();
  EXPECT_EQ(negative_entries(), 0);
  expect_found(find("DEBUGINFOD_MAXSIZE=100000000 DEBUGINFOD_MAXTIME=60"));
}

// Trouble of the disk is ours, and no reason to say that there is no such file.
TEST_F(DebuginfodClients, LostBytesAreAResetAndNoMiss) {
  start();
  must_run("curl -sf -T " + root_ + "/run/lamp " + server_->url() + "/api/v1/files/lamp");
  EXPECT_EQ(server_->stop(), 0);
  const std::string blob =
      root_ + "/data/blobs/" +
      must_run("cd " + root_ + "/data/blobs && find . -type f -size +1k").output;
  const std::string path(base::trim(blob));
  must_run("mv " + path + " " + root_ + "/lost");
  start();
  expect_failed(find("DEBUGINFOD_RETRY_LIMIT=0"), "Connection reset by peer");
  EXPECT_EQ(negative_entries(), 0) << server_->log();
  must_run("mv " + root_ + "/lost " + path);
  ASSERT_TRUE(comes_to(url(kId), 200)) << server_->log();
  expect_found(find());
}

// All places are taken by clients that are being held: who comes waits outside.
TEST_F(DebuginfodClients, AFullServerLetsThemWait) {
  environment_ = {"FAULTLINE_LIMITS_CONNECTIONS=4"};
  watch_a_slow_package();
  std::vector<std::unique_ptr<testing_support::RawClient>> others;
  for (int i = 0; i < 8; ++i) {
    others.push_back(std::make_unique<testing_support::RawClient>(server_->url().substr(7)));
    ASSERT_TRUE(others.back()->send("GET " + url(kId) +
                                    " HTTP/1.1\r\nHost: h\r\nUser-Agent: curl/8\r\n\r\n"));
  }
  expect_failed(find("DEBUGINFOD_TIMEOUT=1 DEBUGINFOD_RETRY_LIMIT=0"), "Timer expired");
  EXPECT_EQ(negative_entries(), 0);
  std::thread opener([this] {
    std::this_thread::sleep_for(1500ms);
    open();
  });
  expect_found(find());
  opener.join();
  EXPECT_EQ(negative_entries(), 0);
}

TEST_F(DebuginfodClients, OneOfSeveralServersIsEnough) {
  watch_a_file();
  ServerProcess empty = ServerProcess::start({root_ + "/empty", {}, {}, {}});
  ASSERT_NE(empty.url(), "");
  const std::string nobody = "http://127.0.0.1:" + std::to_string(testing_support::free_port());
  for (const std::string& urls : std::vector<std::string>{
           empty.url() + " " + server_->url(), nobody + " " + server_->url(),
           server_->url() + "/ " + nobody, "ima:ignore " + empty.url() + " " + server_->url()}) {
    std::filesystem::remove_all(cache_);
    expect_found(find("", kId, urls));
    EXPECT_EQ(negative_entries(), 0) << urls;
  }
}

TEST_F(DebuginfodClients, AnIdMayBeWrittenInCapitals) {
  watch_a_file();
  expect_found(find("", base::upper_ascii(kId)));
  const auto section =
      must_run(environment() + "debuginfod-find section " + base::upper_ascii(kId) + " .text");
  EXPECT_FALSE(base::read_file(std::string(base::trim(section.output)))->empty());
}

}  // namespace
