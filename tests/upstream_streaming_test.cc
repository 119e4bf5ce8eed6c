// A file that an upstream server sends slowly: who asked for it reads it while it comes, and nobody
// takes for whole what is not.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "extract/identify.h"
#include "net/client.h"
#include "net/growing_file.h"
#include "testing/commands.h"
#include "testing/raw_http.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"

namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using testing_support::RawAnswer;
using testing_support::ScriptedServer;
using testing_support::ServerProcess;

constexpr std::string_view kPath = "/app.bin/0123456789ABCDEF0123456789ABCDEF1/app.bin";
constexpr std::size_t kHalf = 200'000;

// Becomes true, some time.
template <class Condition>
bool eventually(const Condition& condition) {
  const auto until = steady_clock::now() + seconds(60);
  while (!condition()) {
    if (steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

// What an upstream server sends of one file: as much as the test has let go.
class Drip {
 public:
  Drip(const std::string& directory, std::string content, bool tells_size)
      : content_(std::move(content)), file_(base::PendingFile::create(directory).value()) {
    growing_ = net::GrowingFile::create(
                   file_, tells_size ? std::optional<std::uint64_t>(content_.size()) : std::nullopt)
                   .value();
  }
  net::Answer answer() const {
    net::Answer answer;
    answer.body = growing_;
    return answer;
  }
  void send_to(std::size_t end) {
    const std::string_view piece = std::string_view(content_).substr(sent_, end - sent_);
    ASSERT_TRUE(growing_->append(file_, base::bytes_of(piece)).ok());
    sent_ = end;
  }
  void finish() {
    send_to(content_.size());
    growing_->finish();
  }
  void break_off() { growing_->fail(); }

 private:
  const std::string content_;
  base::PendingFile file_;
  std::shared_ptr<net::GrowingFile> growing_;
  std::size_t sent_ = 0;
};

// A client that says how far it has come.
class Reader {
 public:
  explicit Reader(const std::string& url, const std::string& agent = "") {
    thread_ = std::thread([this, url, agent] {
      net::ClientRequest request;
      request.url = url;
      if (!agent.empty()) request.headers.set("User-Agent", agent);
      request.on_body = [this](std::string_view piece) -> base::Result<void> {
        body_ += piece;
        size = body_.size();
        return {};
      };
      const auto answer = net::Client().send(request);
      is_whole = answer.ok() && answer->status == 200;
    });
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (thread_.joinable()) thread_.join();
  }
  const std::string& body() {
    if (thread_.joinable()) thread_.join();
    return body_;
  }

  std::atomic<std::size_t> size{0};
  std::atomic<bool> is_whole{false};

 private:
  std::string body_;
  std::thread thread_;
};

std::string some_content(std::size_t size) {
  std::string content;
  content.reserve(size + 16);
  for (std::size_t i = 0; content.size() < size; ++i) content += fmt::format("{}\n", i);
  content.resize(size);
  return content;
}

// A program with a build id.
void build_library(const std::string& path) {
  testing_support::must_run("echo 'int f(void) { return 1; }' | cc -x c -shared -g -o '" + path +
                            "' - -Wl,--build-id=sha1");
}

class StreamingTest : public testing::Test {
 protected:
  void start(const std::string& tables) {
    const std::string path = root_.path() + "/faultline.toml";
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(tables)).ok());
    server_.emplace(ServerProcess::start({root_.path() + "/data", {"--config", path}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  std::string url(std::string_view path = kPath) const {
    return server_->url() + std::string(path);
  }
  RawAnswer raw_get(std::string_view path, std::string_view headers = "") const {
    return testing_support::raw_get(server_->url().substr(7), path, headers);  // "http://"
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("streaming").value();
  const std::string content_ = some_content(2 * kHalf);
  std::optional<ServerProcess> server_;
};

TEST_F(StreamingTest, BytesReachTheClientsWhileTheyArrive) {
  for (const bool tells_size : {true, false}) {
    Drip drip(root_.path(), content_, tells_size);
    ScriptedServer upstream(root_.path(), [&](net::Request&) { return drip.answer(); });
    start(upstream.table());
    const std::string path = fmt::format("/app{}.bin/1/app{}.bin", tells_size, tells_size);
    Reader first(url(path));
    ASSERT_TRUE(eventually([&] { return upstream.asked == 1; }));
    drip.send_to(kHalf);
    EXPECT_TRUE(eventually([&] { return first.size == kHalf; })) << first.size;
    Reader second(url(path));  // it has missed nothing
    EXPECT_TRUE(eventually([&] { return second.size == kHalf; })) << second.size;
    EXPECT_FALSE(first.is_whole);
    drip.finish();
    EXPECT_TRUE(first.body() == content_);
    EXPECT_TRUE(second.body() == content_);
    EXPECT_TRUE(first.is_whole && second.is_whole);
    // In a moment it is here like any other.
    EXPECT_TRUE(eventually([&] { return !raw_get(path).header("ETag").empty(); }));
    EXPECT_TRUE(raw_get(path).body == content_);
    EXPECT_EQ(upstream.asked, 1);
    server_->kill();
  }
}

// A copy that had to go comes again as it came the first time, whatever it is asked for as.
TEST_F(StreamingTest, WhatWasEvictedReachesTheClientsWhileItArrives) {
  const std::string made = root_.path() + "/libone.so";
  build_library(made);
  const std::string program = base::read_file(made).value();
  const std::string id = extract::identify(base::bytes_of(program)).build_id;
  const std::string library = program + std::string(2 * kHalf, '\0');
  Drip drip(root_.path(), library, true);
  std::atomic<bool> drips = false;
  ScriptedServer upstream(root_.path(), [&](net::Request&) {
    return drips ? drip.answer() : net::Answer::text(200, library);
  });
  const auto table = upstream.table("layout = \"debuginfod\"\n");
  start(table);
  EXPECT_TRUE(raw_get("/buildid/" + id + "/executable").body == library);
  server_->kill();
  ASSERT_TRUE(base::remove_tree(root_.path() + "/data/extracted").ok());
  drips = true;
  start(table);
  Reader reader(url("/other.so/elf-buildid-" + id + "/other.so"));
  drip.send_to(kHalf);
  EXPECT_TRUE(eventually([&] { return reader.size == kHalf; })) << reader.size;
  EXPECT_FALSE(reader.is_whole);
  drip.finish();
  EXPECT_TRUE(reader.body() == library);
  EXPECT_TRUE(reader.is_whole);
  EXPECT_EQ(upstream.asked, 2);
}

// What comes is not what was here, and nobody takes it for that.
TEST_F(StreamingTest, WhatIsAnotherFileNowIsWholeForNobodyWhoAskedForTheOldOne) {
  std::string other = content_;
  other.back() ^= 1;
  Drip drip(root_.path(), other, true);
  std::atomic<int> asked = 0;
  ScriptedServer upstream(root_.path(), [&](net::Request&) {
    const int before = asked++;
    return before == 1 ? drip.answer() : net::Answer::text(200, before == 0 ? content_ : other);
  });
  start(upstream.table());
  EXPECT_TRUE(raw_get(kPath).body == content_);
  server_->kill();
  ASSERT_TRUE(base::remove_tree(root_.path() + "/data/extracted").ok());
  start(upstream.table());
  Reader reader(url());
  drip.send_to(kHalf);
  ASSERT_TRUE(eventually([&] { return reader.size == kHalf; }));
  drip.finish();
  reader.body();
  EXPECT_FALSE(reader.is_whole);
  EXPECT_TRUE(raw_get(kPath).body == other);
}

// The last byte comes only when we have all of it: before, it could still turn out to be wrong.
TEST_F(StreamingTest, WhatBreaksOffIsWholeForNobody) {
  Drip drip(root_.path(), content_, true);
  ScriptedServer broken(root_.path(), [&](net::Request&) { return drip.answer(); });
  ScriptedServer good(root_.path(),
                      [&](net::Request&) { return net::Answer::text(200, content_); });
  start(broken.table() + good.table());
  Reader first(url());
  drip.send_to(kHalf);
  ASSERT_TRUE(eventually([&] { return first.size == kHalf; }));
  drip.break_off();
  first.body();
  EXPECT_FALSE(first.is_whole);
  // Meanwhile the next server was asked: another try has it.
  EXPECT_TRUE(raw_get(kPath).body == content_);
  EXPECT_EQ(good.asked, 1);
}

TEST_F(StreamingTest, AnotherFileIsWholeForNobody) {
  const std::string made = root_.path() + "/libone.so";
  build_library(made);
  const std::string library = base::read_file(made).value() + std::string(2 * kHalf, '\0');
  Drip drip(root_.path(), library, true);
  ScriptedServer upstream(root_.path(), [&](net::Request&) { return drip.answer(); });
  start(upstream.table("layout = \"debuginfod\"\n"));
  const std::string path = "/buildid/" + std::string(40, 'a') + "/executable";
  Reader reader(url(path));
  drip.send_to(kHalf);
  ASSERT_TRUE(eventually([&] { return reader.size == kHalf; }));
  drip.finish();
  reader.body();
  EXPECT_FALSE(reader.is_whole);
  EXPECT_LT(reader.size, library.size());
  EXPECT_EQ(raw_get(path).status, 404);
  EXPECT_EQ(upstream.asked, 1);  // remembered
}

TEST_F(StreamingTest, AWebPageIsNotShown) {
  Drip drip(root_.path(), "<!doctype html>" + content_, true);
  ScriptedServer upstream(root_.path(), [&](net::Request&) { return drip.answer(); });
  start(upstream.table());
  Reader reader(url());
  drip.send_to(kHalf);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  drip.finish();
  reader.body();
  EXPECT_EQ(reader.size, 0U);
  EXPECT_FALSE(reader.is_whole);
}

// A part, a head, a packed file: of the whole only.
TEST_F(StreamingTest, WhoWantsAnythingElseWaitsForTheWhole) {
  Drip drip(root_.path(), content_, true);
  ScriptedServer upstream(root_.path(), [&](net::Request&) { return drip.answer(); });
  start(upstream.table());
  Reader whole(url());
  drip.send_to(kHalf);
  ASSERT_TRUE(eventually([&] { return whole.size == kHalf; }));
  std::atomic<bool> has_answer = false;
  RawAnswer part;
  std::thread client([&] {
    part = raw_get(kPath, "Range: bytes=0-9\r\n");
    has_answer = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_FALSE(has_answer);
  drip.finish();
  client.join();
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, content_.substr(0, 10));
  EXPECT_TRUE(whole.body() == content_);
}

// The file of a slow server came too late for the debugger, which gave up: it is told to ask again,
// and then it is there.
TEST_F(StreamingTest, ASlowServersFileIsThereAtTheSecondTry) {
  Drip drip(root_.path(), content_, true);
  ScriptedServer upstream(root_.path(), [&](net::Request&) { return drip.answer(); });
  start(upstream.table());
  constexpr std::string_view kSymsrv =
      "User-Agent: Microsoft-Symbol-Server/10.0.10036.206\r\n"
      "Symbol-Agent-Receive-Timeout: 1500\r\n";
  const auto asked_at = steady_clock::now();
  const RawAnswer early = raw_get(kPath, kSymsrv);
  EXPECT_LT(steady_clock::now() - asked_at, seconds(10));
  EXPECT_EQ(early.status, 503);
  EXPECT_EQ(early.header("Symbol-Agent-Status"), "0x80070512");
  drip.finish();  // nobody waits for it
  EXPECT_TRUE(raw_get(kPath, kSymsrv).body == content_);
  EXPECT_EQ(upstream.asked, 1);
}

// Longer than we may hold elfutils' client without a byte.
TEST_F(StreamingTest, ARealDebuginfodClientReadsWhatDrips) {
  if (!testing_support::have_command("debuginfod-find")) GTEST_SKIP() << "no debuginfod-find";
  const std::string made = root_.path() + "/libone.so";
  build_library(made);
  const std::string id = extract::identify(base::bytes_of(base::read_file(made).value())).build_id;
  const std::string library = base::read_file(made).value() + std::string(2 * kHalf, '\0');
  Drip drip(root_.path(), library, true);
  ScriptedServer upstream(root_.path(), [&](net::Request&) { return drip.answer(); });
  start(upstream.table("layout = \"debuginfod\"\n"));
  std::thread sender([&] {
    drip.send_to(kHalf);
    std::this_thread::sleep_for(seconds(7));
    drip.finish();
  });
  const auto end = testing_support::run(
      fmt::format("DEBUGINFOD_URLS={} DEBUGINFOD_CACHE_PATH={}/cache debuginfod-find executable {}",
                  server_->url(), root_.path(), id));
  sender.join();
  ASSERT_EQ(end.exit_code, 0) << end.errors;
  const std::string found = end.output.substr(0, end.output.find('\n'));
  EXPECT_TRUE(base::read_file(found).value() == library);
  EXPECT_EQ(upstream.asked, 1);
}

}  // namespace
