// Behind nginx and haproxy, with exactly the settings that docs/reverse-proxy.md gives: large
// bodies stream through, paths and answers arrive as they were, what broke off does not look
// whole; and behind nginx our reset stays a reset.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstdlib>
#include <thread>

#include "base/text.h"
#include "net/server.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/free_port.h"
#include "testing/raw_http.h"

extern char** environ;

namespace net {
namespace {

using namespace std::chrono_literals;
using testing_support::raw_get;
using testing_support::RawClient;

// The first fenced block of that language in the page.
std::string must_read_settings(const std::string& language) {
  auto page = base::read_file(testing_support::source_root() + "/docs/reverse-proxy.md");
  EXPECT_TRUE(page.ok());
  const std::string text = std::move(page).value_or("");
  const std::string fence = "```" + language + "\n";
  const std::size_t begin = text.find(fence);
  const std::size_t end = text.find("```\n", begin + fence.size());
  EXPECT_NE(end, std::string::npos);
  if (end == std::string::npos) return "";
  return text.substr(begin + fence.size(), end - begin - fence.size());
}

std::string with(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

bool accepts(const std::string& port) {
  const base::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(base::parse_decimal(port).value_or(0)));
  return ::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

class ReverseProxy : public testing::Test {
 protected:
  void SetUp() override {
    auto directory = base::TemporaryDirectory::create("proxy-test");
    ASSERT_TRUE(directory.ok());
    directory_.emplace(std::move(directory).value());
    Router router;
    router.add(route("GET", "/reset", [](Request&) {
      Answer answer;
      answer.reset = true;
      return answer;
    }));
    router.add(route("GET", "/breaks", [](Request&) {
      Answer answer;
      answer.body = Producer([i = 0]() mutable -> base::Result<std::string> {
        if (i++ == 0) return std::string("first");
        std::this_thread::sleep_for(50ms);
        return base::Error{base::Fault::unavailable, "gone"};
      });
      return answer;
    }));
    router.add(route("GET", "/target/**", [](Request& request) {
      return Answer::text(200,
                          request.target + " " + std::string(request.header("X-Forwarded-For")));
    }));
    Route upload = route("POST", "/upload", [](Request& request) {
      return Answer::text(200, std::to_string(request.body_file->file.size()));
    });
    upload.body = BodyPolicy::file(1 << 30);
    upload.runs = Runs::pool;
    router.add(upload);
    router.add(
        route("GET", "/who", [](Request& request) { return Answer::text(200, request.peer); }));
    ServerOptions options;
    options.trusted_proxies = AddressSet::parse({"127.0.0.1"}).value();
    options.listen = "127.0.0.1:0";
    options.spool_directory = directory_->path();
    auto server = Server::start(options, std::move(router), pool_);
    ASSERT_TRUE(server.ok());
    server_ = std::move(server).value();
    port_ = std::to_string(testing_support::free_port());
  }

  void TearDown() override {
    if (proxy_ <= 0) return;
    ::kill(proxy_, SIGTERM);
    ::waitpid(proxy_, nullptr, 0);
  }

  static Route route(std::string method, std::string pattern, Handler handler) {
    Route route;
    route.method = std::move(method);
    route.pattern = std::move(pattern);
    route.handler = std::move(handler);
    return route;
  }

  std::string settings(const std::string& language, const std::string& listen) {
    const std::string ours =
        with(must_read_settings(language), "127.0.0.1:7070", server_->address());
    return with(ours, listen, listen.substr(0, listen.find(' ')) + " " + proxy());
  }

  bool run(std::vector<std::string> words) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (::posix_spawnp(&proxy_, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) {
      return false;
    }
    for (int i = 0; i < 200; ++i) {
      if (accepts(port_)) return true;
      std::this_thread::sleep_for(25ms);
    }
    return false;
  }

  bool start_nginx() {
    const std::string& d = directory_->path();
    const std::string temporary = "client_body_temp_path " + d + "/a; proxy_temp_path " + d +
                                  "/b; fastcgi_temp_path " + d + "/c; uwsgi_temp_path " + d +
                                  "/d; scgi_temp_path " + d + "/e;\n";
    const std::string text = "daemon off; master_process off; pid " + d +
                             "/pid; error_log /dev/null;\nevents {}\nhttp { access_log off; " +
                             temporary + settings("nginx", "listen 8080") + "}\n";
    EXPECT_TRUE(base::write_file_durably(d + "/nginx.conf", base::bytes_of(text)).ok());
    return run({"nginx", "-p", d, "-c", d + "/nginx.conf", "-e", "/dev/null"});
  }

  bool start_haproxy() {
    const std::string file = directory_->path() + "/haproxy.cfg";
    const std::string text = settings("haproxy", "bind :8080");
    EXPECT_TRUE(base::write_file_durably(file, base::bytes_of(text)).ok());
    return run({"haproxy", "-q", "-db", "-f", file});
  }

  std::string proxy() const { return "127.0.0.1:" + port_; }

  void expect_transparent() {
    const auto target = raw_get(proxy(), "/target/libstdc++.so/a%2Fb?x=%20");
    EXPECT_EQ(target.body, "/target/libstdc++.so/a%2Fb?x=%20 127.0.0.1");
    RawClient client(proxy());
    const std::string body(30 << 20, 'u');
    client.send("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_EQ(client.read_answer().body, std::to_string(body.size()));
    // The proxy is trusted, and so is a second one before it, which the client plays here.
    EXPECT_EQ(raw_get(proxy(), "/who", "X-Forwarded-For: 203.0.113.9\r\n").body, "203.0.113.9:0");
  }

  void expect_reset() {
    RawClient client(proxy());
    client.send("GET /reset HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(client.read_all(), "");
    EXPECT_EQ(client.end(), RawClient::End::reset);
  }

  // However it ends, it does not look whole.
  void expect_broken() {
    RawClient client(proxy());
    client.send("GET /breaks HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto answers = testing_support::parse_answers(client.read_all());
    EXPECT_TRUE(answers.empty() || !answers[0].complete);
    EXPECT_NE(client.end(), RawClient::End::open);
  }

  std::optional<base::TemporaryDirectory> directory_;
  base::WorkerPool pool_{2};
  std::unique_ptr<Server> server_;
  std::string port_;
  pid_t proxy_ = 0;
};

TEST_F(ReverseProxy, NginxKeepsOurReset) {
  REQUIRE_OR_SKIP(testing_support::have_command("nginx"), "nginx is not installed");
  ASSERT_TRUE(start_nginx());
  expect_transparent();
  expect_reset();
  expect_broken();
}

TEST_F(ReverseProxy, HaproxyIsTransparent) {
  REQUIRE_OR_SKIP(testing_support::have_command("haproxy"), "haproxy is not installed");
  ASSERT_TRUE(start_haproxy());
  expect_transparent();
  expect_broken();
}

}  // namespace
}  // namespace net
