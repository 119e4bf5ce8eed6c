// A bucket of a real S3 server, radosgw, as upstream server: keys of every kind, who may read, and
// what is said about it.
#include <gtest/gtest.h>

#include "base/file.h"
#include "net/client.h"
#include "net/percent.h"
#include "testing/corpus.h"
#include "testing/radosgw.h"
#include "testing/server_process.h"
#include "testing/wrong_clock.h"

namespace {

using testing_support::Radosgw;
using testing_support::ServerProcess;

// Names as the world has them, and a prefix with what we take in no name; each is a different trap
// for whoever encodes and signs.
std::vector<std::string> odd_names() {
  return {"libstdc++.so.6", "a b.bin", "\xc3\xa4\xe2\x82\xac.bin", "a&b=c.bin", "a~b,c;d@e:f$.bin"};
}
constexpr std::string_view kPrefix = "v 1+/100%/50%25/(x)'!*#[y]{z}?";

class S3Test : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_OR_SKIP(testing_support::have_radosgw(), "radosgw is not installed");
    radosgw_ = Radosgw::find();
    ASSERT_NE(radosgw_, nullptr);
    bucket_ = "bucket" + std::to_string(++buckets_);
    radosgw_->must_put("/" + bucket_);
  }
  // Nowhere in what the server says stands what lets it in.
  void TearDown() override {
    if (!server_) return;
    const std::string said = server_->log() + pages_;
    EXPECT_EQ(said.find(Radosgw::secret_key()), std::string::npos) << said;
    EXPECT_EQ(said.find("Signature="), std::string::npos) << said;
  }

  static std::string place_of(const std::string& name) { return name + "/1/" + name; }
  void put(const std::string& name, const std::string& body,
           const std::vector<std::string>& headers = {}) const {
    radosgw_->must_put("/" + bucket_ + "/" + std::string(kPrefix) + "/" + place_of(name), body,
                       headers);
  }
  std::string table(const std::string& more) const {
    return "[[upstream]]\nname = \"s3\"\nurl = \"s3://" + bucket_ + "/" + std::string(kPrefix) +
           "/\"\nendpoint = \"" + radosgw_->url() + "\"\n" + more;
  }
  static std::string keys() {
    return "access_key = \"" + Radosgw::access_key() + "\"\nsecret_key = \"" +
           Radosgw::secret_key() + "\"\n";
  }
  void start(const std::string& more, const std::vector<std::string>& environment = {}) {
    const std::string config = root_.path() + "/faultline.toml";
    ASSERT_TRUE(base::write_file_durably(config, base::bytes_of(table(more))).ok());
    server_.emplace(ServerProcess::start(
        {root_.path() + "/data", {"--config", config, "--log-level", "debug"}, {}, environment}));
    ASSERT_NE(server_->url(), "");
  }
  net::ClientAnswer get(const std::string& path) {
    const auto answer = net::Client().get(server_->url() + path);
    EXPECT_TRUE(answer.ok()) << path;
    if (!answer.ok()) return {};
    pages_ += answer->body;
    for (const auto& [name, value] : answer->headers.all()) pages_.append(value).append("\n");
    return *answer;
  }
  net::ClientAnswer get_file(const std::string& name) {
    return get("/" + net::percent_encode(place_of(name), "/"));
  }
  std::size_t times_logged(const std::string& text) const {
    const std::string log = server_->log();
    std::size_t count = 0;
    for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) {
      ++count;
    }
    return count;
  }

  const Radosgw* radosgw_ = nullptr;
  std::string bucket_;
  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("s3-upstream").value();
  std::optional<ServerProcess> server_;
  std::string pages_;  // all that clients were shown
  static inline int buckets_ = 0;
};

TEST_F(S3Test, KeysOfEveryKindAreFound) {
  for (const std::string& name : odd_names()) put(name, "the bytes of " + name);
  start(keys());
  for (const std::string& name : odd_names()) {
    const net::ClientAnswer answer = get_file(name);
    EXPECT_EQ(answer.status, 200) << name << " " << server_->log();
    EXPECT_EQ(answer.body, "the bytes of " + name);
  }
  EXPECT_EQ(get_file("nobody has this.bin").status, 404);
  get("/");
  get("/healthz");
}

TEST_F(S3Test, ABucketForAllNeedsNoKey) {
  put("public.bin", "for all", {"x-amz-acl:public-read"});
  put("private.bin", "for some");
  start("failures_max = 1\n");
  EXPECT_EQ(get_file("public.bin").body, "for all");
  // Who may not list the bucket cannot tell these apart; neither is a failure of the server.
  EXPECT_EQ(get_file("private.bin").status, 404);
  EXPECT_EQ(get_file("missing.bin").status, 404);
  EXPECT_EQ(times_logged("with the right s3:ListBucket"), 1u) << server_->log();
  put("later.bin", "for all", {"x-amz-acl:public-read"});
  EXPECT_EQ(get_file("later.bin").body, "for all");
}

TEST_F(S3Test, AWrongSecretIsAFailureAndNoMiss) {
  put("a.bin", "the bytes");
  start("failures_max = 2\naccess_key = \"" + Radosgw::access_key() +
        "\"\nsecret_key = \"another secret\"\n");
  for (int i = 0; i < 4; ++i) EXPECT_NE(get_file("a" + std::to_string(i) + ".bin").status, 404);
  EXPECT_NE(get_file("a.bin").status, 404);
  EXPECT_EQ(times_logged("SignatureDoesNotMatch"), 2u) << server_->log();  // then it rests
  EXPECT_NE(times_logged("the secret key is not that of the access key"), 0u);
  EXPECT_EQ(times_logged("another secret"), 0u) << server_->log();
}

TEST_F(S3Test, AnUnknownKeyAndAnUnknownBucketAreFailures) {
  start("access_key = \"AKIANOBODY\"\nsecret_key = \"another secret\"\n");
  EXPECT_NE(get_file("a.bin").status, 404);
  EXPECT_NE(times_logged("InvalidAccessKeyId"), 0u) << server_->log();
  server_->kill();
  bucket_ = "there-is-no-such-bucket";
  start(keys());
  EXPECT_NE(get_file("b.bin").status, 404);
  EXPECT_NE(times_logged("there is no such bucket"), 0u) << server_->log();
}

TEST_F(S3Test, AWrongClockIsNoHindrance) {
  put("a.bin", "the bytes");
  put("b.bin", "more bytes");
  testing_support::WrongClock clock(root_.path() + "/clock");
  clock.set(3600);
  start(keys(), clock.environment());
  EXPECT_EQ(get_file("a.bin").body, "the bytes") << server_->log();
  EXPECT_EQ(get_file("b.bin").body, "more bytes");
  EXPECT_EQ(times_logged("our clock is"), 1u) << server_->log();
}

TEST_F(S3Test, KeysComeFromTheEnvironmentAndFromFiles) {
  put("a.bin", "the bytes");
  start("", {"AWS_ACCESS_KEY_ID=" + Radosgw::access_key(),
             "AWS_SECRET_ACCESS_KEY=" + Radosgw::secret_key()});
  EXPECT_EQ(get_file("a.bin").body, "the bytes") << server_->log();
  put("b.bin", "more bytes");
  server_->kill();
  const std::string file = root_.path() + "/secret";
  ASSERT_TRUE(base::write_file_durably(file, base::bytes_of(Radosgw::secret_key() + "\n")).ok());
  start("access_key = \"" + Radosgw::access_key() + "\"\n",
        {"FAULTLINE_UPSTREAM_0_SECRET_KEY_FILE=" + file});
  EXPECT_EQ(get_file("b.bin").body, "more bytes") << server_->log();
}

}  // namespace
