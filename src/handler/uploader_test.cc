// The uploader against a real server on loopback, whose answers the test writes.
#include "handler/uploader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <mutex>

#include "base/child.h"
#include "base/file.h"
#include "handler/upload_policy.h"
#include "net/multipart.h"
#include "net/server.h"

namespace handler {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Seen {  // one request as the server got it
  std::string content_length, transfer_encoding;
  std::map<std::string, std::string> parts;
  std::string dump_filename;
};

class UploaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = base::TemporaryDirectory::create("uploader-test");
    ASSERT_TRUE(made.ok());
    directory_.emplace(std::move(made).value());
    auto opened = Spool::open(base::join_path(directory_->path(), "spool"));
    ASSERT_TRUE(opened.ok());
    spool_.emplace(std::move(opened).value());
    start_server();
    options_.once = true;
  }

  void start_server() {
    net::Route route;
    route.method = "POST";
    route.pattern = "/submit";
    route.body = net::BodyPolicy::memory(1 << 20);
    route.runs = net::Runs::pool;
    route.handler = [this](net::Request& request) -> net::Reply { return answer(request); };
    net::Router router;
    router.add(std::move(route));
    net::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.threads = 1;
    options.spool_directory = directory_->path();
    auto server = net::Server::start(options, std::move(router), pool_);
    ASSERT_TRUE(server.ok()) << server.error().what;
    server_ = std::move(server).value();
  }

  net::Answer answer(net::Request& request) {
    const std::lock_guard lock(mutex_);
    Seen seen;
    seen.content_length = request.header("Content-Length");
    seen.transfer_encoding = request.header("Transfer-Encoding");
    if (const auto parts = net::parse_multipart(request)) {
      for (const auto& part : *parts) {
        seen.parts[part.name] = base::text_of(part.body);
        if (part.filename) seen.dump_filename = *part.filename;
      }
    }
    seen_.push_back(seen);
    if (answers_.empty()) return net::Answer::text(200, "CrashID=bp-1\n");
    net::Answer next = std::move(answers_.front());
    answers_.pop_front();
    return next;
  }

  std::string url() const { return "http://" + server_->address() + "/submit"; }

  void store(const std::string& id, std::string_view bytes = "MDMP and the rest") {
    Report report;
    report.id = id;
    report.time_s = std::time(nullptr);
    report.url = url();
    report.annotations = {{"prod", "Demo"}, {"multi\"line", "a\r\nb"}};
    snapshot::MinidumpImage image;
    image.head.assign(bytes.begin(), bytes.end());
    ASSERT_TRUE(spool_->store(report, image).ok());
  }

  UploadCounts must_upload() {
    const auto counts = upload_all(*spool_, options_);
    EXPECT_TRUE(counts.ok()) << (counts.ok() ? "" : counts.error().what);
    return counts.ok() ? *counts : UploadCounts{};
  }

  Report record(const std::string& state, const std::string& id) const {
    const auto text = base::read_file(spool_->path() + "/" + state + "/" + id + ".json");
    EXPECT_TRUE(text.ok());
    return parse_report(text.ok() ? *text : "{}").value_or({});
  }

  std::optional<base::TemporaryDirectory> directory_;
  std::optional<Spool> spool_;
  base::WorkerPool pool_{1};
  std::unique_ptr<net::Server> server_;
  UploadOptions options_;
  std::mutex mutex_;  // guards the two below
  std::deque<net::Answer> answers_;
  std::vector<Seen> seen_;
};

TEST_F(UploaderTest, SendsADumpAsCrashClientsDo) {
  store("a");
  const auto counts = must_upload();
  EXPECT_EQ(counts.sent, 1u);
  ASSERT_THAT(seen_, SizeIs(1));
  EXPECT_EQ(seen_[0].parts.at("upload_file_minidump"), "MDMP and the rest");
  EXPECT_EQ(seen_[0].dump_filename, "a.dmp");
  EXPECT_EQ(seen_[0].parts.at("prod"), "Demo");
  EXPECT_THAT(seen_[0].parts, SizeIs(3));
  EXPECT_FALSE(seen_[0].content_length.empty()) << "some collectors refuse a chunked body";
  EXPECT_TRUE(seen_[0].transfer_encoding.empty());
  EXPECT_THAT(spool_->pending(), IsEmpty());
  EXPECT_EQ(record("sent", "a").remote_id, "bp-1");
}

TEST_F(UploaderTest, KeepsForLaterWhatTheServerCannotTakeNow) {
  store("a");
  net::Answer busy = net::Answer::text(503, "later");
  busy.headers.add("Retry-After", "77");
  answers_.push_back(std::move(busy));
  EXPECT_EQ(must_upload().waiting, 1u);
  const Report waiting = spool_->load("a");
  EXPECT_EQ(waiting.tries, 1u);
  EXPECT_NEAR(static_cast<double>(waiting.next_try_s - std::time(nullptr)), 77, 3);
  EXPECT_THAT(waiting.last_error, HasSubstr("503"));
  EXPECT_EQ(must_upload().waiting, 1u) << "not due yet";
  EXPECT_THAT(seen_, SizeIs(1));
}

TEST_F(UploaderTest, StaysUntilEverythingIsSent) {
  store("a");
  answers_.push_back(net::Answer::text(500, "no"));
  options_.once = false;
  options_.retry_first_s = 1;
  EXPECT_EQ(must_upload().sent, 1u);
  EXPECT_THAT(seen_, SizeIs(2));
}

TEST_F(UploaderTest, RejectsWhatTheServerWillNeverTake) {
  store("a");
  store("b");
  answers_.push_back(net::Answer::text(400, "Discarded=malformed_no_annotations"));
  const auto counts = must_upload();
  EXPECT_EQ(counts.rejected, 1u);
  EXPECT_EQ(counts.sent, 1u) << "one refused report does not hold up the next";
  EXPECT_THAT(record("rejected", "a").last_error, HasSubstr("malformed_no_annotations"));
  EXPECT_TRUE(base::file_exists(spool_->path() + "/rejected/a.dmp"));
}

TEST_F(UploaderTest, NoServerIsARetry) {
  store("a");
  options_.url = "http://127.0.0.1:1/submit";
  EXPECT_EQ(must_upload().waiting, 1u);
  EXPECT_THAT(spool_->load("a").last_error, HasSubstr("onnect"));
}

TEST_F(UploaderTest, NeverSendsATornDump) {
  store("torn", std::string("\0\0\0\0rest", 8));
  const auto counts = must_upload();
  EXPECT_EQ(counts.rejected, 1u);
  EXPECT_THAT(seen_, IsEmpty());
}

TEST_F(UploaderTest, OneOwnerAtATime) {
  auto lock = base::LockFile::acquire(spool_->path() + "/upload.lock", "the test");
  ASSERT_TRUE(lock.ok());
  const auto refused = upload_all(*spool_, options_);  // nothing waits, so it does not either
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().what, HasSubstr("the test"));
}

TEST_F(UploaderTest, WithoutAUrlEverythingStays) {
  store("a");
  Report report = spool_->load("a");
  report.url.clear();
  ASSERT_TRUE(spool_->update(report).ok());
  EXPECT_EQ(must_upload().waiting, 1u);
  EXPECT_THAT(spool_->pending(), ElementsAre("a"));
}

// The whole way: a program crashes, its handler spools, and starts the uploader by itself.
class CrashIsSent : public UploaderTest {
 protected:
  void run_driver(const char* way) {
    const std::string driver = beside("crash_driver");
    const auto end = base::run_child(driver, {driver, "--handler", beside("faultline-handler"),
                                              "--spool", spool_->path(), "--url", url(), way});
    ASSERT_TRUE(end.ok());
  }

  static std::string beside(const std::string& name) {
    char self[4096];
    const ssize_t size = ::readlink("/proc/self/exe", self, sizeof self);
    return base::join_path(base::parent_of({self, static_cast<std::size_t>(size)}), name);
  }

  bool becomes_empty() {
    for (int i = 0; i < 500 && !spool_->pending().empty(); ++i) ::usleep(20'000);
    return spool_->pending().empty();
  }
};

TEST_F(CrashIsSent, AfterTheCrash) {
  run_driver("segv");
  EXPECT_TRUE(becomes_empty());
  const std::lock_guard lock(mutex_);
  ASSERT_THAT(seen_, SizeIs(1));
  EXPECT_EQ(seen_[0].parts.at("prod"), "Driver");
  EXPECT_EQ(seen_[0].parts.at("ver"), "1.0");
  EXPECT_EQ(seen_[0].parts.at("key"), "value");
  EXPECT_EQ(seen_[0].parts.at("guid") + ".dmp", seen_[0].dump_filename);
  EXPECT_TRUE(seen_[0].parts.at("upload_file_minidump").starts_with("MDMP"));
}

TEST_F(CrashIsSent, AtTheNextStartWhenItWasLeft) {
  store("left");
  run_driver("measure");  // starts, waits a moment, ends without a crash
  EXPECT_TRUE(becomes_empty());
  const std::lock_guard lock(mutex_);
  EXPECT_THAT(seen_, SizeIs(1));
}

}  // namespace
}  // namespace handler
