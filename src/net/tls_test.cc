#include "net/tls.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "net/client.h"
#include "net/server.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"

namespace net {
namespace {

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto directory = base::TemporaryDirectory::create("tls-test");
    ASSERT_TRUE(directory.ok());
    directory_.emplace(std::move(directory).value());
    options_.listen = "127.0.0.1:0";
    options_.tls_listen = "127.0.0.1:0";
    options_.tls_certificate = directory_->path() + "/cert.pem";
    options_.tls_key = directory_->path() + "/key.pem";
    options_.spool_directory = directory_->path();
  }

  bool make_certificate() {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
        "/CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout " +
        options_.tls_key + " -out " + options_.tls_certificate + " 2>/dev/null";
    // NOLINTNEXTLINE(bugprone-command-processor): our own words, nothing from outside.
    return std::system(command.c_str()) == 0;
  }

  void start() {
    large_.assign(3'000'000, 'x');
    const std::string path = directory_->path() + "/large";
    ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(large_)).ok());
    const FileBody file{std::make_shared<const base::Fd>(::open(path.c_str(), O_RDONLY)),
                        large_.size()};
    Router router;
    Route large;
    large.method = "GET";
    large.pattern = "/large";
    large.handler = [file](Request&) { return Answer::file(file, "text/plain", "\"l\""); };
    router.add(large);
    Route upload;
    upload.method = "POST";
    upload.pattern = "/upload";
    upload.body = BodyPolicy::file(1 << 30);
    upload.runs = Runs::pool;
    upload.handler = [](Request& request) {
      return Answer::text(200, std::to_string(request.body_file->file.size()) +
                                   (request.secure ? " secure" : " plain"));
    };
    router.add(upload);
    Route away;
    away.method = "GET";
    away.pattern = "/away";
    away.handler = [](Request& request) {
      return Answer::redirect(302, request.query_value("to").value_or(""));
    };
    router.add(away);
    auto server = Server::start(options_, std::move(router), pool_);
    ASSERT_TRUE(server.ok()) << server.error().what;
    server_ = std::move(server).value();
  }

  Client client() const {
    ClientOptions options;
    options.ca_bundle = options_.tls_certificate;
    return Client(options);
  }
  std::string url(std::string_view path) const {
    return "https://" + server_->tls_address() + std::string(path);
  }

  std::optional<base::TemporaryDirectory> directory_;
  base::WorkerPool pool_{1};
  ServerOptions options_;
  std::unique_ptr<Server> server_;
  std::string large_;
};

TEST_F(TlsTest, ServesFilesAndTakesBodies) {
  REQUIRE_OR_SKIP(make_certificate(), "openssl is not installed");
  start();
  Client https = client();
  for (int i = 0; i < 3; ++i) {
    const auto large = https.get(url("/large"));
    ASSERT_TRUE(large.ok()) << large.error().what;
    EXPECT_EQ(large->body, large_);
  }
  const auto sent = https.post(url("/upload"), "text/plain", std::string(5 << 20, 'u'));
  ASSERT_TRUE(sent.ok()) << sent.error().what;
  EXPECT_EQ(sent->body, "5242880 secure");
  EXPECT_EQ(https.post("http://" + server_->address() + "/upload", "text/plain", "u")->body,
            "1 plain");
}

TEST_F(TlsTest, TheCertificateIsReadAgain) {
  REQUIRE_OR_SKIP(make_certificate(), "openssl is not installed");
  start();
  Client old = client();
  EXPECT_TRUE(old.get(url("/large")).ok());
  ASSERT_TRUE(make_certificate());
  ASSERT_TRUE(server_->reload_certificate().ok());
  EXPECT_TRUE(client().get(url("/large")).ok());
  ASSERT_TRUE(base::write_file_durably(options_.tls_key, base::bytes_of("nonsense")).ok());
  EXPECT_EQ(server_->reload_certificate().error().fault, base::Fault::malformed);
  EXPECT_TRUE(client().get(url("/large")).ok());
}

// One that cannot be read tells where it is shown.
TEST_F(TlsTest, AClientsCertificateIsForItsOwnServerAlone) {
  REQUIRE_OR_SKIP(make_certificate(), "openssl is not installed");
  start();
  ClientOptions options;
  options.ca_bundle = options_.tls_certificate;
  options.client_certificate = directory_->path() + "/none.pem";
  options.client_key = directory_->path() + "/none.key";
  EXPECT_FALSE(Client(options).get(url("/large")).ok());
  EXPECT_FALSE(Client(options).get(url("/away?to=/large")).ok());
  const auto elsewhere =
      Client(options).get("http://" + server_->address() + "/away?to=" + url("/large"));
  ASSERT_TRUE(elsewhere.ok()) << elsewhere.error().what;
  EXPECT_EQ(elsewhere->body.size(), large_.size());
}

TEST_F(TlsTest, PlainHttpOnTheTlsPortIsClosed) {
  REQUIRE_OR_SKIP(make_certificate(), "openssl is not installed");
  start();
  const auto result = testing_support::raw_exchange(server_->tls_address(),
                                                    "GET /large HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(result.answers.empty());
  EXPECT_NE(result.end, testing_support::RawClient::End::open);
}

TEST_F(TlsTest, MissingFilesAreNamed) {
  const auto server = Server::start(options_, Router(), pool_);
  ASSERT_FALSE(server.ok());
  EXPECT_NE(server.error().what.find("cert.pem"), std::string::npos);
}

}  // namespace
}  // namespace net
