// Servers that cannot be trusted, and where servers lead that we do not go.
#include <gtest/gtest.h>

#include "net/server.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/greeting_listener.h"
#include "testing/scripted_server.h"
#include "upstream/options_fixture.h"
#include "upstream/upstreams.h"

namespace upstream {
namespace {

using namespace std::chrono_literals;
using testing_support::ScriptedServer;

struct Asking {
  std::optional<base::Error> find_error(Server& server) {
    auto fetched = server.fetch(request, root.path(), stop, until);
    if (fetched.ok()) return std::nullopt;
    return fetched.error();
  }

  base::TemporaryDirectory root = base::TemporaryDirectory::create("trust").value();
  const ident::SymbolRequest request = ident::request_of({"f", "1", "f"});
  const std::atomic<bool> stop = false;
  Server::Clock::time_point until = Server::Clock::time_point::max();
};

// A server that speaks TLS with a certificate of its own making.
class SelfSigned {
 public:
  explicit SelfSigned(const std::string& directory) : certificate(directory + "/cert.pem") {
    const std::string key = directory + "/key.pem";
    testing_support::must_run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
        "/CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout " +
        key + " -out " + certificate + " 2>/dev/null");
    net::Router router;
    net::Route route;
    route.method = "GET";
    route.pattern = "/**";
    route.handler = [](net::Request&) { return net::Answer::text(200, "the file"); };
    router.add(std::move(route));
    net::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.tls_listen = "127.0.0.1:0";
    options.tls_certificate = certificate;
    options.tls_key = key;
    options.spool_directory = directory;
    server_ = net::Server::start(options, std::move(router), pool_).value();
  }
  std::string url() const { return "https://" + server_->tls_address(); }

  const std::string certificate;

 private:
  base::WorkerPool pool_{1};
  std::unique_ptr<net::Server> server_;
};

// Nobody has said that a file is not there.
TEST(Trust, ACertificateThatNobodyVouchesForIsAFailure) {
  REQUIRE_OR_SKIP(testing_support::have_command("openssl"), "openssl is not installed");
  Asking asking;
  const SelfSigned other(asking.root.path());
  struct Row {
    std::string name, ca_bundle, certificate;
  };
  const std::string junk = asking.root.path() + "/junk.pem";
  ASSERT_TRUE(base::write_file_durably(junk, base::bytes_of("no PEM")).ok());
  for (const Row& row : std::vector<Row>{{"nobody vouches", "", ""},
                                         {"no CA file", asking.root.path() + "/none.pem", ""},
                                         {"junk for CAs", junk, ""},
                                         {"junk for a certificate", other.certificate, junk}}) {
    SCOPED_TRACE(row.name);
    ServerOptions options = options_at(other.url());
    options.breaker.failures_max = 2;
    options.transport.ca_bundle = row.ca_bundle;
    options.transport.client_certificate = row.certificate;
    options.transport.client_key = row.certificate;
    const auto server = Server::make(options).value();
    for (int i = 0; i < 2; ++i) {
      const auto error = asking.find_error(*server);
      ASSERT_TRUE(error.has_value());
      EXPECT_EQ(error.value().fault, base::Fault::unavailable) << error.value().what;
    }
    EXPECT_EQ(server->counts().failures, 2u);
    EXPECT_EQ(server->counts().misses, 0u);
    EXPECT_EQ(server->counts().remembered, 0u);
    EXPECT_TRUE(server->misses().take_changes().said.empty());
    EXPECT_EQ(server->breaker_state(), Breaker::State::open);
    const auto failure = server->last_failure();
    ASSERT_TRUE(failure.has_value());
    const std::string& what = failure.value().what;
    EXPECT_NE(what.find(other.url()), std::string::npos) << what;
  }
  ServerOptions options = options_at(other.url());
  options.transport.ca_bundle = other.certificate;
  const auto trusted = Server::make(options).value();
  EXPECT_FALSE(asking.find_error(*trusted).has_value());
  EXPECT_FALSE(trusted->last_failure().has_value());
}

TEST(Trust, WhoSpeaksNoHttpHasSaidNothing) {
  Asking asking;
  const testing_support::GreetingListener other("SSH-2.0-OpenSSH_9.2p1\r\n");
  const auto server = Server::make(options_at(other.url())).value();
  const auto error = asking.find_error(*server);
  ASSERT_TRUE(error.has_value());
  EXPECT_EQ(error.value().fault, base::Fault::unavailable) << error.value().what;
  EXPECT_EQ(server->counts().failures, 1u);
  EXPECT_EQ(server->counts().misses, 0u);
  EXPECT_TRUE(server->misses().take_changes().empty());
}

// It says nothing about the file, nor that the server is well: the operator may let us go there.
TEST(Trust, WhereWeDoNotGoIsNoMissThatIsKept) {
  Asking asking;
  std::atomic<bool> is_down = true;
  const ScriptedServer other(asking.root.path(), [&](net::Request&) {
    return is_down ? net::Answer::text(500, "no")
                   : net::Answer::redirect(302, "http://169.254.169.254/latest/meta-data");
  });
  ServerOptions options = options_at(other.url());
  options.breaker = {1, 0s};
  const auto server = Server::make(options).value();
  EXPECT_EQ(asking.find_error(*server).value().fault, base::Fault::unavailable);
  is_down = false;
  for (int i = 0; i < 2; ++i) {
    const auto error = asking.find_error(*server);
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error.value().fault, base::Fault::denied) << error.value().what;
    EXPECT_EQ(server->breaker_state(), Breaker::State::half_open) << "not known to be well";
  }
  EXPECT_EQ(other.asked, 3);
  EXPECT_LE(asking.until,
            Server::Clock::now() + base::policy_of(base::Fault::unavailable).remember);
  EXPECT_EQ(server->counts().misses, 0u);
  EXPECT_EQ(server->counts().remembered, 0u);
  EXPECT_TRUE(server->misses().take_changes().said.empty());
  const auto failure = server->last_failure();
  ASSERT_TRUE(failure.has_value());
  const std::string& what = failure.value().what;
  EXPECT_NE(what.find("169.254.169.254 may not be connected to"), std::string::npos) << what;
}

// 401 and 403 are the server's words, and stay misses.
TEST(Trust, WhatAServerRefusesIsAMiss) {
  for (const int status : {401, 403}) {
    Asking asking;
    const ScriptedServer other(asking.root.path(),
                               [&](net::Request&) { return net::Answer::text(status, "no"); });
    const auto server = Server::make(options_at(other.url())).value();
    EXPECT_TRUE(asking.find_error(*server).has_value());
    EXPECT_TRUE(asking.find_error(*server).has_value());
    EXPECT_EQ(other.asked, 1) << status;
    EXPECT_EQ(server->counts().misses, 1u) << status;
    EXPECT_FALSE(server->last_failure().has_value()) << status;
  }
}

}  // namespace
}  // namespace upstream
