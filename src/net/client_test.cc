#include "net/client.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

#include "net/address.h"
#include "net/growing_file.h"
#include "net/server.h"
#include "testing/greeting_listener.h"
#include "testing/raw_http.h"

namespace net {
namespace {

using namespace std::chrono_literals;

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    auto directory = base::TemporaryDirectory::create("client-test");
    ASSERT_TRUE(directory.ok());
    directory_.emplace(std::move(directory).value());
    add("GET", "/hello", [](Request&) { return Answer::text(200, "hello\n"); });
    add("GET", "/headers", [](Request& request) {
      std::string text;
      for (const auto& [name, value] : request.headers.all())
        text.append(name).append("=").append(value).append("\n");
      return Answer::text(200, text);
    });
    add("GET", "/big", [](Request&) { return Answer::json(200, std::string(1 << 20, 'b')); });
    add("GET", "/loop", [](Request&) { return Answer::redirect(302, "/loop"); });
    add("GET", "/moved", [](Request&) { return Answer::redirect(302, "/hello"); });
    add("POST", "/moved-post", [](Request&) { return Answer::redirect(307, "/size"); });
    add("GET", "/away", [this](Request&) {
      return Answer::redirect(302, "http://localhost:" + port() + "/headers");
    });
    add("GET", "/to-ftp", [](Request&) { return Answer::redirect(302, "ftp://127.0.0.1/hello"); });
    add("GET", "/names-port",
        [](Request&) { return Answer::redirect(302, "http://127.0.0.1:80/headers"); });
    add("GET", "/leads-to", [](Request& request) {
      return Answer::redirect(302, "http://" + request.query + "/hello");
    });
    add("GET", "/stalls", [](Request&) {
      Answer answer;
      answer.body = Producer([i = 0]() mutable -> base::Result<std::string> {
        if (i++ > 0) std::this_thread::sleep_for(2s);
        return i > 2 ? std::string() : std::string("x");
      });
      return answer;
    });
    add("GET", "/drips", [](Request&) {
      Answer answer;
      answer.body =
          Producer([until = std::chrono::steady_clock::now() + 30s]() -> base::Result<std::string> {
            std::this_thread::sleep_for(100ms);
            return std::chrono::steady_clock::now() < until ? std::string("x") : std::string();
          });
      return answer;
    });
    add("GET", "/slow-loop", [](Request&) {
      std::this_thread::sleep_for(100ms);
      return Answer::redirect(302, "/slow-loop");
    });
    add("GET", "/breaks", [](Request&) {
      Answer answer;
      answer.body = Producer([i = 0]() mutable -> base::Result<std::string> {
        if (i++ == 0) return std::string("first");
        return base::Error{base::Fault::unavailable, "gone"};
      });
      return answer;
    });
    for (const char* method : {"POST", "PUT"}) {
      Route route;
      route.method = method;
      route.pattern = "/size";
      route.body = BodyPolicy::file(1 << 30);
      route.runs = Runs::pool;
      route.handler = [](Request& request) {
        const auto size = request.body_file ? request.body_file->file.size() : 0;
        return Answer::text(201, request.method_text + " " + std::to_string(size));
      };
      router_.add(route);
    }
    ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.spool_directory = directory_->path();
    auto server = Server::start(options, std::move(router_), pool_);
    ASSERT_TRUE(server.ok());
    server_ = std::move(server).value();
  }

  void add(std::string method, std::string pattern, Handler handler) {
    Route route;
    route.method = std::move(method);
    route.pattern = std::move(pattern);
    route.handler = std::move(handler);
    router_.add(route);
  }
  std::string port() const { return server_->address().substr(server_->address().rfind(':') + 1); }
  std::string url(std::string_view path) const {
    return "http://" + server_->address() + std::string(path);
  }

  std::optional<base::TemporaryDirectory> directory_;
  base::WorkerPool pool_{2};
  Router router_;
  std::unique_ptr<Server> server_;
};

TEST_F(ClientTest, GetsAndKeepsStatusAndHeaders) {
  Client client;
  const auto hello = client.get(url("/hello"));
  ASSERT_TRUE(hello.ok()) << hello.error().what;
  EXPECT_EQ(hello->status, 200);
  EXPECT_EQ(hello->body, "hello\n");
  EXPECT_EQ(hello->headers.find("server"), "faultline");
  const auto missing = client.get(url("/nothing"));
  ASSERT_TRUE(missing.ok());
  EXPECT_EQ(missing->status, 404);
  EXPECT_EQ(fault_of_status(404), base::Fault::not_found);
}

TEST_F(ClientTest, SendsBodiesFromMemoryAndFile) {
  Client client;
  EXPECT_EQ(client.post(url("/size"), "text/plain", "abc")->body, "POST 3");
  const std::string path = base::join_path(directory_->path(), "upload");
  ASSERT_TRUE(base::write_file_durably(path, base::bytes_of(std::string(5 << 20, 'u'))).ok());
  ClientRequest request;
  request.method = "PUT";
  request.url = url("/size");
  request.body_path = path;
  std::uint64_t seen = 0;
  request.progress = [&](std::uint64_t done, std::uint64_t) {
    seen = std::max(seen, done);
    return true;
  };
  EXPECT_EQ(client.send(request)->body, "PUT 5242880");
  EXPECT_GT(seen, 0u);
  request.body_path = "/nonexistent";
  EXPECT_EQ(client.send(request).error().fault, base::Fault::not_found);
}

TEST_F(ClientTest, DownloadsToAFile) {
  Client client;
  auto file = base::PendingFile::create(directory_->path());
  ClientRequest request;
  request.url = url("/big");
  int status = 0;
  request.on_head = [&](const ClientAnswer& head) -> base::Result<void> {
    status = head.status;
    return {};
  };
  const auto answer = client.download(request, *file);
  ASSERT_TRUE(answer.ok()) << answer.error().what;
  EXPECT_EQ(answer->headers.find("Content-Encoding"), "zstd");
  EXPECT_EQ(file->size(), 1u << 20);
  EXPECT_EQ(status, 200);
}

TEST_F(ClientTest, SizesAndTimesAreCapped) {
  ClientOptions options;
  options.size_max = 1000;
  options.stall_timeout = 1s;
  Client client(options);
  EXPECT_EQ(client.get(url("/big")).error().fault, base::Fault::too_large);
  EXPECT_EQ(client.get(url("/stalls")).error().fault, base::Fault::timed_out);
  ClientRequest request;
  request.url = url("/stalls");
  request.progress = [](std::uint64_t, std::uint64_t) { return false; };
  EXPECT_EQ(client.send(request).error().fault, base::Fault::unavailable);
}

TEST_F(ClientTest, AStrangersUrlGoesThroughNoProxyAndSaysNoAddress) {
  ClientOptions options;
  options.may_connect = [](std::string_view address) { return address != "127.0.0.1"; };
  const std::string named = "http://localhost:" + port() + "/hello";
  const auto told = Client(options).get(url("/hello"));
  ASSERT_FALSE(told.ok());
  EXPECT_NE(told.error().what.find("127.0.0.1 may not"), std::string::npos) << told.error().what;
  options.is_strangers = true;
  options.may_connect = [](std::string_view) { return false; };
  const auto refused = Client(options).get(named);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().fault, base::Fault::denied);
  EXPECT_EQ(refused.error().what, named + ": it is at no public address");
  // A proxy where nobody listens.
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);
  ::unsetenv("no_proxy");
  ::unsetenv("NO_PROXY");
  EXPECT_FALSE(Client().get(url("/hello")).ok());
  options.may_connect = nullptr;
  const auto direct = Client(options).get(url("/hello"));
  ::unsetenv("http_proxy");
  ASSERT_TRUE(direct.ok()) << direct.error().what;
  EXPECT_EQ(direct->body, "hello\n");
}

// We connect to the proxy alone, wherever the request ends. Its own address is the operator's
// choice, though a redirect might not lead there.
TEST_F(ClientTest, ThroughAProxyItIsTheTargetThatMayBeRefused) {
  ::unsetenv("no_proxy");
  ::unsetenv("NO_PROXY");
  const std::string proxy = "http://" + server_->address();
  struct Row {
    std::string leads_to;
    std::string answer;
  };
  const std::vector<Row> rows{
      {"files.invalid", "hello\n"},  // nobody here knows it; the proxy may
      {"8.8.8.8", "hello\n"},
      {"169.254.169.254", "denied"},
      {"[::1]", "denied"},
      {"0x7f.1", "denied"},
      {"2130706433", "denied"},
      {"localhost", "denied"},
      {"localhost:" + port(), "denied"},
      {server_->address(), "denied"},
      {"symbols.invalid@10.0.0.1", "denied"},
      {"%C3%A4.invalid", "denied"},
  };
  for (const bool by_environment : {false, true}) {
    ClientOptions options;
    options.may_connect = is_public_address;
    options.trusts_own_origin = true;
    if (by_environment) {
      ::setenv("http_proxy", proxy.c_str(), 1);
    } else {
      options.proxy = proxy;
    }
    Client client(options);
    for (const Row& row : rows) {
      SCOPED_TRACE(row.leads_to);
      int refusals = 0;
      ClientRequest request;
      request.url = "http://symbols.invalid/leads-to?" + row.leads_to;
      request.on_refusal = [&refusals] { ++refusals; };
      // Over a new connection, and over one that was kept.
      const auto first = Client(options).send(request);
      EXPECT_EQ(first.ok() ? first->body : base::name_of(first.error().fault), row.answer);
      const auto second = client.send(request);
      EXPECT_EQ(second.ok() ? second->body : base::name_of(second.error().fault), row.answer);
      EXPECT_EQ(refusals, row.answer == "denied" ? 2 : 0);
    }
    ::unsetenv("http_proxy");
  }
}

TEST_F(ClientTest, WhatNoProxyExceptsIsRefusedAllTheSame) {
  ClientOptions options;
  options.may_connect = is_public_address;
  options.trusts_own_origin = true;
  ::setenv("http_proxy", "http://127.0.0.1:1", 1);  // nobody is there
  ::setenv("no_proxy", "127.0.0.1,localhost", 1);
  const auto own = Client(options).get(url("/hello"));
  const auto away = Client(options).get(url("/leads-to?localhost:" + port()));
  ::unsetenv("http_proxy");
  ::unsetenv("no_proxy");
  ASSERT_TRUE(own.ok()) << own.error().what;
  ASSERT_FALSE(away.ok());
  EXPECT_EQ(away.error().fault, base::Fault::denied);
}

TEST_F(ClientTest, WhoDripsIsNotWaitedFor) {
  ClientOptions options;
  options.stall_timeout = 1s;
  options.speed_min = 1024;
  const auto slow = Client(options).get(url("/drips"));
  ASSERT_FALSE(slow.ok());
  EXPECT_EQ(slow.error().fault, base::Fault::timed_out);
  options = {};
  options.total_timeout = 500ms;
  const auto late = Client(options).get(url("/drips"));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().fault, base::Fault::timed_out);
  // The time of all redirects together.
  options.redirects_max = 1000;
  const auto lost = Client(options).get(url("/slow-loop"));
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().fault, base::Fault::timed_out);
}

TEST_F(ClientTest, FollowsRedirectsWithinReason) {
  Client client;
  const auto moved = client.get(url("/moved"));
  EXPECT_EQ(moved->body, "hello\n");
  EXPECT_EQ(moved->url, url("/hello"));
  EXPECT_EQ(client.post(url("/moved-post"), "text/plain", "abcd")->body, "POST 4");
  EXPECT_FALSE(client.get(url("/loop")).ok());
  ClientOptions options;
  options.redirects_max = 0;
  EXPECT_EQ(Client(options).get(url("/moved"))->status, 302);
}

TEST_F(ClientTest, SecretsStayBehindWhenTheOriginChanges) {
  Client client;
  ClientRequest request;
  request.url = url("/away");
  request.headers.add("Auth-Token", "secret");
  request.headers.add("Accept-Language", "de");
  const auto answer = client.send(request);
  ASSERT_TRUE(answer.ok()) << answer.error().what;
  EXPECT_EQ(answer->body.find("secret"), std::string::npos);
  EXPECT_NE(answer->body.find("Accept-Language=de"), std::string::npos);
  request.url = url("/headers");
  EXPECT_NE(client.send(request)->body.find("secret"), std::string::npos);
}

// Through a proxy, since no test listens at port 80.
TEST_F(ClientTest, TheUsualPortMayBeNamedOrNot) {
  ::unsetenv("no_proxy");
  ::unsetenv("NO_PROXY");
  ClientOptions options;
  options.proxy = "http://" + server_->address();
  options.may_connect = is_public_address;
  options.trusts_own_origin = true;
  ClientRequest request;
  request.url = "http://127.0.0.1/names-port";
  request.headers.add("Auth-Token", "secret");
  const auto answer = Client(options).send(request);
  ASSERT_TRUE(answer.ok()) << answer.error().what;
  EXPECT_NE(answer->body.find("secret"), std::string::npos) << answer->body;
}

TEST_F(ClientTest, BrokenAnswersAndDeadServersAreFailures) {
  Client client;
  EXPECT_EQ(client.get(url("/breaks")).error().fault, base::Fault::unavailable);
  EXPECT_EQ(client.get("http://127.0.0.1:1/").error().fault, base::Fault::unavailable);
  EXPECT_EQ(client.get("file:///etc/passwd").error().fault, base::Fault::malformed);
  EXPECT_EQ(client.get(url("/to-ftp")).error().fault, base::Fault::malformed);
}

TEST_F(ClientTest, WhoSpeaksNoHttpIsNotThere) {
  for (const char* greeting : {"SSH-2.0-OpenSSH_9.2p1\r\n", "220 mail.example ESMTP\r\n",
                               "HTTP/1.1 200 OK\r\nContent-Length: much\r\n\r\n", ""}) {
    const testing_support::GreetingListener other(greeting);
    const auto answer = Client().get(other.url());
    ASSERT_FALSE(answer.ok()) << greeting;
    EXPECT_EQ(answer.error().fault, base::Fault::unavailable) << answer.error().what;
  }
}

TEST(JoinUrl, EncodesThePath) {
  EXPECT_EQ(join_url("http://h/a/", "/b c/libstdc++.so"), "http://h/a/b%20c/libstdc++.so");
  EXPECT_EQ(join_url("http://h", "x?y#z%"), "http://h/x%3Fy%23z%25");
}

}  // namespace
}  // namespace net
