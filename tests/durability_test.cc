// What a server keeps when it is killed, when its disk is full, when another one is in its place:
// everything that it has acknowledged, and nothing by half.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"
#include "testing/small_disk.h"

namespace {

using namespace std::chrono_literals;
using testing_support::faultline_program;
using testing_support::ServerProcess;
using testing_support::SmallDisk;

base::Result<net::ClientAnswer> send(const ServerProcess& server, const std::string& method,
                                     const std::string& path, const std::string& body = "") {
  net::ClientRequest request;
  request.method = method;
  request.url = net::join_url(server.url(), path);
  request.body = body;
  return net::Client().send(request);
}

std::string path_of(int number) {
  return "/file" + std::to_string(number) + "/ABC1/file" + std::to_string(number);
}

// Different for each number, and long enough for many writes.
std::string content_of(int number) {
  std::string text = "file " + std::to_string(number) + "\n";
  const std::size_t size = 1000 + static_cast<std::size_t>(number % 7) * 150'000;
  while (text.size() < size) text += text;
  return text;
}

std::size_t files_below(const std::string& path) {
  const auto files = base::list_files(path);
  return files.ok() ? files->size() : 0;
}

// Uploads one file after the other until the server is gone.
struct Uploader {
  std::atomic<bool> stop = false;
  std::vector<int> acknowledged;
  std::thread thread;

  Uploader(const ServerProcess& server, int first) {
    thread = std::thread([this, &server, first] {
      for (int number = first; !stop; ++number) {
        const auto answer = send(server, "PUT", path_of(number), content_of(number));
        if (!answer.ok()) return;
        if (answer->status == 201) acknowledged.push_back(number);
      }
    });
  }
  ~Uploader() {
    stop = true;
    if (thread.joinable()) thread.join();
  }
};

TEST(Durability, SigkillAtAnyMomentLosesNothingAcknowledged) {
  const auto root = base::TemporaryDirectory::create("durability").value();
  const std::string data = root.path() + "/data";
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::vector<int> acknowledged;
  constexpr int kRounds = 25;
  for (int round = 0; round < kRounds; ++round) {
    auto server = ServerProcess::start({data, {}, {}, {}});
    ASSERT_NE(server.url(), "");
    // Nothing unfinished is left of the round before.
    EXPECT_EQ(files_below(data + "/tmp"), 0u);
    const auto metrics = send(server, "GET", "/metrics");
    ASSERT_TRUE(metrics.ok());
    EXPECT_NE(metrics->body.find("\nfaultline_files " +
                                 std::to_string(files_below(data + "/blobs")) + "\n"),
              std::string::npos)
        << "blobs and rows differ\n"
        << metrics->body;
    Uploader first(server, round * 1000);
    Uploader second(server, round * 1000 + 500);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 200'000));
    server.kill();
    for (Uploader* uploader : {&first, &second}) {
      uploader->thread.join();
      acknowledged.insert(acknowledged.end(), uploader->acknowledged.begin(),
                          uploader->acknowledged.end());
    }
  }
  const auto server = ServerProcess::start({data, {}, {}, {}});
  EXPECT_GT(acknowledged.size(), 25u);
  RecordProperty("acknowledged", static_cast<int>(acknowledged.size()));
  for (const int number : acknowledged) {
    const auto answer = send(server, "GET", path_of(number));
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->status, 200) << number;
    EXPECT_TRUE(answer->body == content_of(number)) << number;
  }
  // What was not acknowledged but is visible is whole, too.
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < 100; ++i) {
      for (const int number : {round * 1000 + i, round * 1000 + 500 + i}) {
        const auto answer = send(server, "GET", path_of(number));
        ASSERT_TRUE(answer.ok());
        if (answer->status == 200) EXPECT_TRUE(answer->body == content_of(number)) << number;
      }
    }
  }
}

// One step of the promise: the system call that must be found, after the one before it.
struct Step {
  const char* what;
  std::vector<std::string> words;  // all on one line of the trace
};

// A call during which another thread is seen stands on two lines of the trace. Those before the
// answer count when they have ended, the answer itself when it begins.
std::string join_interrupted_calls(const std::string& trace) {
  constexpr std::string_view kUnfinished = " <unfinished ...>";
  std::map<std::string, std::string> begun;  // by thread
  std::string joined;
  for (const std::string_view line : base::split(trace, '\n')) {
    const std::string pid(line.substr(0, line.find(' ')));
    const auto resumed = line.find("<... ");
    if (line.ends_with(kUnfinished) && line.find("send") == std::string_view::npos) {
      begun[pid] = line.substr(0, line.size() - kUnfinished.size());
    } else if (resumed != std::string_view::npos && begun.contains(pid)) {
      joined += begun[pid] + std::string(line.substr(resumed)) + "\n";
      begun.erase(pid);
    } else {
      joined += std::string(line) + "\n";
    }
  }
  return joined;
}

void expect_order(const std::string& trace, const std::vector<Step>& steps) {
  const auto lines = base::split(trace, '\n');
  std::size_t at = 0;
  for (const Step& step : steps) {
    const std::size_t before = at;
    for (; at < lines.size(); ++at) {
      bool all = true;
      for (const std::string& word : step.words) {
        all = all && lines[at].find(word) != std::string_view::npos;
      }
      if (all) break;
    }
    ASSERT_LT(at, lines.size()) << "not found after line " << before << ": " << step.what << "\n"
                                << trace;
    ++at;
  }
}

TEST(Durability, TheOrderOfSystemCallsIsThePromise) {
  REQUIRE_OR_SKIP(testing_support::have_command("strace"), "no strace");
  const auto root = base::TemporaryDirectory::create("durability").value();
  const std::string trace_path = root.path() + "/trace";
  const std::string body = "the promise is kept";
  {
    auto server = ServerProcess::start(
        {root.path() + "/data",
         {},
         {"strace", "-f", "-y", "-s", "200", "-o", trace_path, "-e",
          "trace=write,writev,pwrite64,fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg"},
         {}});
    ASSERT_NE(server.url(), "");
    const auto answer = send(server, "PUT", "/promise/AB12/promise", body);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->status, 201);
    EXPECT_EQ(server.stop(), 0);
  }
  const std::string trace = join_interrupted_calls(base::read_file(trace_path).value_or(""));
  const std::string hex = base::sha256_of(base::bytes_of(body)).hex();
  const std::string directory = "blobs/" + hex.substr(0, 2);
  expect_order(trace, {{"the bytes are written", {"write", "/tmp/", body}},
                       {"the file is synced", {"fsync", "/tmp/"}},
                       {"the file gets its name", {"rename", directory + "/" + hex}},
                       {"the directory is synced", {"fsync", directory}},
                       {"the row is written", {"write", "faultline.db-wal"}},
                       {"the row is synced", {"sync", "faultline.db-wal"}},
                       {"the client is told", {"201 Created"}}});
}

TEST(Durability, AFullDiskIsSaidAndNothingIsLost) {
  auto disk = SmallDisk::mount("12m");
  REQUIRE_OR_SKIP(disk.has_value(), "may not mount a tmpfs");
  const std::string data = disk->path() + "/data";
  auto server = ServerProcess::start({data, {}, {}, {"FAULTLINE_LIMITS_DISK_FREE=0"}});
  ASSERT_NE(server.url(), "");
  std::vector<int> acknowledged;
  int refused = 0;
  // File 6 of each seven is near 2 MB: some find no room, smaller ones after them do.
  for (int number = 0; number < 60; ++number) {
    const auto answer = send(server, "PUT", path_of(number), content_of(number));
    if (!answer.ok()) continue;
    if (answer->status == 201) {
      acknowledged.push_back(number);
    } else {
      EXPECT_TRUE(answer->status == 507 || answer->status == 503) << answer->status;
      ++refused;
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(acknowledged.size(), 3u);
  EXPECT_EQ(files_below(data + "/tmp"), 0u) << "unfinished files stay on a full disk";
  EXPECT_EQ(send(server, "GET", "/healthz")->status, 200);
  for (const int number : acknowledged) {
    EXPECT_TRUE(send(server, "GET", path_of(number))->body == content_of(number)) << number;
  }
  // Room again: it goes on without a restart.
  disk->resize("40m");
  EXPECT_EQ(send(server, "PUT", path_of(1006), content_of(1006))->status, 201);
  EXPECT_EQ(server.stop(), 0);
}

TEST(Durability, LittleRoomIsRefusedFromTheHead) {
  auto disk = SmallDisk::mount("12m");
  REQUIRE_OR_SKIP(disk.has_value(), "may not mount a tmpfs");
  const auto server = ServerProcess::start({disk->path() + "/data", {}, {}, {}});
  ASSERT_NE(server.url(), "");
  const auto answer = send(server, "PUT", path_of(1), "x");  // less than 64 MiB are free
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->status, 507);
  EXPECT_NE(answer->body.find("disk of the server is too full"), std::string::npos);
}

base::ChildEnd serve(const std::string& arguments, const std::string& environment = "") {
  base::ChildLimits limits;
  limits.wall = 20s;
  const auto end = base::run_child(
      "/bin/sh",
      {"sh", "-c", "exec env " + environment + " " + faultline_program() + " serve " + arguments},
      limits);
  EXPECT_TRUE(end.ok());
  EXPECT_FALSE(end->timed_out) << "it serves: " << arguments;
  return *end;
}

void expect_one_line(const base::ChildEnd& end, int code,
                     std::initializer_list<const char*> words) {
  EXPECT_EQ(end.exit_code, code) << end.errors;
  EXPECT_TRUE(end.errors.starts_with("faultline: error: ")) << end.errors;
  EXPECT_EQ(std::count(end.errors.begin(), end.errors.end(), '\n'), 1) << end.errors;
  for (const char* word : words) EXPECT_NE(end.errors.find(word), std::string::npos) << end.errors;
}

TEST(ServerStart, ASecondServerOnTheSameDirectoryIsToldWhoHasIt) {
  const auto root = base::TemporaryDirectory::create("start").value();
  const auto server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  const std::string address = server.url().substr(7);
  expect_one_line(serve("--listen 127.0.0.1:0 --data " + root.path() + "/data"), 1,
                  {"faultline.lock", "in use by", address.c_str()});
  EXPECT_EQ(send(server, "GET", "/healthz")->status, 200);
}

TEST(ServerStart, APortInUseNamesTheOption) {
  const auto root = base::TemporaryDirectory::create("start").value();
  const auto server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  const std::string address = server.url().substr(7);
  expect_one_line(serve("--log-level error --data " + root.path() + "/other --listen " + address),
                  1, {"--listen", address.c_str(), "in use"});
}

TEST(ServerStart, WrongSettingsAreOneLine) {
  const auto root = base::TemporaryDirectory::create("start").value();
  const std::string config = root.path() + "/f.toml";
  ASSERT_TRUE(base::write_file_durably(config, base::bytes_of("[limits]\nuplaod = 3\n")).ok());
  expect_one_line(serve("--config " + config), 2, {"f.toml:2", "uplaod", "limits.upload"});
  expect_one_line(serve("--config /no/such.toml"), 2, {"/no/such.toml"});
  expect_one_line(serve("--data /proc/nowhere"), 1, {"/proc/nowhere"});
  expect_one_line(serve("--log-level error --listen nonsense --data " + root.path() + "/d"), 2,
                  {"--listen", "nonsense"});
  EXPECT_EQ(serve("--no-such-flag").exit_code, 2);
}

// What restarts a server that failed (RestartPreventExitStatus=2) does not restart it for ever.
TEST(ServerStart, AValueThatCannotHoldIsBadUsage) {
  const auto root = base::TemporaryDirectory::create("start").value();
  const std::string data = root.path() + "/d";
  struct Case {
    std::string environment;
    const char* said;
  };
  const std::string upstream = "FAULTLINE_UPSTREAM_0_URL=";
  const std::vector<Case> cases = {
      {"FAULTLINE_LOG_ANSWERS=some", "log_answers"},
      {"FAULTLINE_SYMBOLICATION_DIALECT=polish", "symbolication.dialect"},
      {"FAULTLINE_MEMCACHED_KEYS=none", "memcached.keys"},
      {"FAULTLINE_TRUSTED_PROXIES=10.0.0.0/99", "trusted_proxies"},
      {"FAULTLINE_VIRTUAL_DIRECTORIES=a=no/name", "virtual_directories"},
      {"FAULTLINE_RETENTION_PROJECTS=game", "retention.projects"},
      {"'FAULTLINE_SCAN_INCLUDE=('", "scan.include"},
      {upstream + "/srv FAULTLINE_UPSTREAM_0_LAYOUT=odd", "there is no layout odd"},
      {upstream + "/srv 'FAULTLINE_UPSTREAM_0_DENY=('", "/srv"},
      {upstream + "s3://b FAULTLINE_UPSTREAM_0_ACCESS_KEY=a", "go together"},
  };
  for (const Case& row : cases) {
    expect_one_line(serve("--listen 127.0.0.1:0 --data " + data, row.environment), 2, {row.said});
    EXPECT_FALSE(base::file_exists(data)) << row.environment;
  }
}

TEST(ServerStop, SigtermLetsAnUploadFinish) {
  const auto root = base::TemporaryDirectory::create("stop").value();
  auto server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  ASSERT_NE(server.url(), "");
  // Ten pieces, a tenth of a second apart: the signal comes in the middle.
  std::string written;
  std::thread client([&] {
    const auto end = base::run_child(
        "/bin/sh", {"sh", "-c",
                    "(i=0; while [ $i -lt 10 ]; do echo piece $i; i=$((i+1)); sleep 0.1; done) | "
                    "curl -s -o /dev/null -w '%{http_code}' -T - " +
                        server.url() + "/slow/AB12/slow"});
    written = end->output;
  });
  std::this_thread::sleep_for(400ms);
  EXPECT_EQ(server.stop(), 0);
  client.join();
  EXPECT_EQ(written, "201");
}

// What `/proc` says: the server's child that runs this sub-command.
std::optional<pid_t> find_child(pid_t server, const std::string& command) {
  std::error_code gone;
  const std::filesystem::directory_iterator threads("/proc/" + std::to_string(server) + "/task",
                                                    gone);
  if (gone) return std::nullopt;
  for (const auto& thread : threads) {
    const std::string children = base::read_file(thread.path().string() + "/children").value_or("");
    for (const std::string_view child : base::split(children, ' ')) {
      const std::string line =
          base::read_file("/proc/" + std::string(child) + "/cmdline").value_or("");
      const auto pid = base::parse_decimal(child);
      if (pid && line.find(command) != std::string::npos) return static_cast<pid_t>(*pid);
    }
  }
  return std::nullopt;
}

// The child is halted in the middle, so that unpacking would last for as long as it may.
TEST(ServerStop, SigtermWaitsForNoPackage) {
  const auto root = base::TemporaryDirectory::create("stop").value();
  const std::string data = root.path() + "/data";
  const std::string package = root.path() + "/large.tar.bz2";
  REQUIRE_OR_SKIP(testing_support::have_command("bzip2"), "no bzip2");
  const auto made = base::run_child(
      "/bin/sh", {"sh", "-c",
                  "cd " + root.path() + " && head -c 3000000 /dev/urandom >large && tar cf - " +
                      "large | bzip2 -1 >large.tar.bz2"});
  ASSERT_TRUE(made.ok() && made->ok());
  auto server = ServerProcess::start({data, {}, {}, {"FAULTLINE_DRAIN_SECONDS=1"}});
  ASSERT_NE(server.url(), "");
  std::string written;
  std::thread client([&] {
    const auto end = base::run_child(
        "/bin/sh", {"sh", "-c",
                    "curl -s -H Expect: -o /dev/null -w '%{http_code}' -T " + package + " " +
                        server.url() + "/api/v1/files/large.tar.bz2"});
    written = end->output;
  });
  std::optional<pid_t> child;
  const auto until = std::chrono::steady_clock::now() + 30s;
  while (!child && std::chrono::steady_clock::now() < until) {
    child = find_child(server.pid(), "unpack-one");
  }
  EXPECT_TRUE(child) << server.log();
  if (child) ::kill(*child, SIGSTOP);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(server.stop(), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
  client.join();
  EXPECT_EQ(written, "000") << "no answer: it was reset";
  EXPECT_EQ(files_below(data + "/blobs"), 0u);
  EXPECT_EQ(files_below(data + "/tmp"), 0u);
}

}  // namespace
