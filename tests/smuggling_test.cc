// Requests whose end two readers could see in different places, sent to a whole server and through
// nginx with the settings of docs/reverse-proxy.md. Each hides an upload in what should be its
// body: it must never be carried out, and nobody else's request on the way gets its answer.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/peer_process.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"

namespace {

using testing_support::Nginx;
using testing_support::RawAnswer;
using testing_support::RawClient;
using testing_support::ServerProcess;

constexpr std::string_view kHidden = "/hidden.bin/AB12/hidden.bin";
constexpr std::string_view kVictim = "/victim.bin/AB12/victim.bin";

std::string hidden_request() {
  return "PUT " + std::string(kHidden) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nevil";
}

struct Attack {
  std::string name, bytes;
};

std::string head_of(const std::string& fields, const std::string& method = "POST",
                    const std::string& version = "1.1") {
  return method + " /upload/ HTTP/" + version + "\r\nHost: localhost\r\n" + fields + "\r\n";
}

// Two lengths: the reader who takes the shorter one sees a second request.
std::vector<Attack> double_lengths() {
  const std::string hidden = hidden_request();
  const std::string size = std::to_string(hidden.size());
  const std::string ended = std::to_string(hidden.size() + 5);
  const std::string chunked = fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", hidden.size(), hidden);
  const std::string chunk_size = std::to_string(chunked.size());
  return {
      {"both lengths, none first",
       head_of("Content-Length: " + ended + "\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n" +
           hidden},
      {"both lengths, chunked first",
       head_of("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n" + hidden},
      {"a short length and chunks",
       head_of("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n") + chunked},
      {"a blank before the colon",
       head_of("Content-Length: " + ended + "\r\nTransfer-Encoding : chunked\r\n") + "0\r\n\r\n" +
           hidden},
      {"another coding",
       head_of("Content-Length: " + ended + "\r\nTransfer-Encoding: xchunked\r\n") + "0\r\n\r\n" +
           hidden},
      {"a list of codings",
       head_of("Transfer-Encoding: chunked, identity\r\nContent-Length: 0\r\n") + chunked},
      {"two codings", head_of("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n") +
                          "0\r\n\r\n" + hidden},
      {"a coding in a folded line",
       head_of("Content-Length: " + ended + "\r\nTransfer-Encoding:\r\n chunked\r\n") +
           "0\r\n\r\n" + hidden},
      {"a coding behind a vertical tab", head_of("Content-Length: " + ended +
                                                 "\r\nTransfer-Encoding: \x0b"
                                                 "chunked\r\n") +
                                             "0\r\n\r\n" + hidden},
      {"chunks in HTTP/1.0",
       head_of("Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n", "POST", "1.0") +
           "0\r\n\r\n" + hidden},
      {"two lengths", head_of("Content-Length: 0\r\nContent-Length: " + size + "\r\n") + hidden},
      {"two lengths, the longer first",
       head_of("Content-Length: " + size + "\r\nContent-Length: 0\r\n") + hidden},
      {"a list of lengths", head_of("Content-Length: 0, " + size + "\r\n") + hidden},
      {"a length with a sign", head_of("Content-Length: +0\r\n") + hidden},
      {"a length in hex", head_of("Content-Length: 0x0\r\n") + hidden},
      {"a negative length", head_of("Content-Length: -1\r\n") + hidden},
      {"an empty length", head_of("Content-Length:\r\n") + hidden},
      {"a length that wraps", head_of("Content-Length: 18446744073709551616\r\n") + hidden},
      {"a folded length", head_of("Content-Length:\r\n 0\r\n") + hidden},
      {"a length named with a blank", head_of("Content-Length : " + chunk_size + "\r\n") + hidden},
  };
}

// Lines and chunks that end where only some see it.
std::vector<Attack> odd_ends() {
  const std::string hidden = hidden_request();
  const std::string chunks = head_of("Transfer-Encoding: chunked\r\n");
  return {
      {"bare line feeds",
       "POST /upload/ HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n" + hidden},
      {"one bare line feed", "POST /upload/ HTTP/1.1\r\nHost: localhost\r\nX: a\nContent-Length: " +
                                 std::to_string(hidden.size()) + "\r\n\r\n" + hidden},
      {"a bare return", "POST /upload/ HTTP/1.1\r\nHost: localhost\r\nX: a\rContent-Length: " +
                            std::to_string(hidden.size()) + "\r\n\r\n" + hidden},
      {"a zero in a header",
       head_of("X: a" + std::string(1, '\0') + "b\r\nContent-Length: 0\r\n") + hidden},
      {"a header without a colon", head_of("Content-Length 5\r\n") + hidden},
      {"a first line that is folded", "POST /upload/\r\n HTTP/1.1\r\nHost: h\r\n\r\n" + hidden},
      {"a chunk size that wraps", chunks + "10000000000000000\r\n\r\n0\r\n\r\n" + hidden},
      {"a chunk size with a sign", chunks + "-1\r\n\r\n0\r\n\r\n" + hidden},
      {"a chunk size with a prefix", chunks + "0x0\r\n\r\n" + hidden},
      {"a chunk size with blanks", chunks + " 0\r\n\r\n" + hidden},
      {"a chunk without its end", chunks + "1\r\nab\r\n0\r\n\r\n" + hidden},
      {"a chunk that ends by a line feed", chunks + "1\r\na\n0\n\n" + hidden},
      {"an extension with a line feed", chunks + "1;a\nb\r\na\r\n0\r\n\r\n" + hidden},
      {"an endless extension",
       chunks + "1;" + std::string(100'000, 'x') + "\r\na\r\n0\r\n\r\n" + hidden},
      {"endless trailers", chunks + "0\r\n" + std::string(100'000, 'x') + ": y\r\n\r\n" + hidden},
  };
}

std::vector<Attack> attacks() {
  std::vector<Attack> all = double_lengths();
  const std::vector<Attack> more = odd_ends();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

class Smuggling : public testing::Test {
 protected:
  void SetUp() override {
    server_.emplace(ServerProcess::start({root_ + "/data", {}, {}, {}}));
    ASSERT_NE(server_->url(), "");
    ASSERT_EQ(put(address(), kVictim, "victim").status, 201);
  }
  std::string address() const { return server_->url().substr(std::string("http://").size()); }
  static RawAnswer put(const std::string& address, std::string_view path, std::string_view body) {
    RawClient client(address);
    client.send(fmt::format("PUT {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                            path, body.size(), body));
    return client.read_answer();
  }
  bool is_hidden_here() const { return testing_support::raw_get(address(), kHidden).status != 404; }
  // The control: what is hidden would be carried out if it were read as a request.
  void expect_that_it_would_work() const {
    RawClient client(address());
    client.send(hidden_request());
    EXPECT_EQ(client.read_answer().status, 201);
    EXPECT_TRUE(is_hidden_here());
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("smuggling").value();
  const std::string root_ = directory_.path();
  std::optional<ServerProcess> server_;
};

TEST_F(Smuggling, NothingHiddenIsReadAsARequest) {
  for (const Attack& attack : attacks()) {
    SCOPED_TRACE(attack.name);
    RawClient client(address());
    client.send(attack.bytes);
    const auto answers = testing_support::parse_answers(client.read_all());
    EXPECT_NE(client.end(), RawClient::End::open) << "it waits for more of the same";
    ASSERT_LE(answers.size(), 1u) << "the rest was read as another request";
    if (!answers.empty()) EXPECT_GE(answers[0].status, 400);
    ASSERT_FALSE(is_hidden_here());
  }
  expect_that_it_would_work();
}

TEST_F(Smuggling, ThroughNginxNobodyGetsAnothersAnswer) {
  REQUIRE_OR_SKIP(testing_support::have_command("nginx"), "nginx is not installed");
  // Few connections to us, which all requests share.
  const Nginx nginx(root_ + "/nginx",
                    "location / {\nproxy_pass " + server_->url() +
                        ";\nproxy_http_version 1.1;\nproxy_set_header Connection \"\";\n"
                        "proxy_set_header Host $http_host;\n"
                        "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
                        "proxy_request_buffering off;\nclient_max_body_size 0;\n"
                        "proxy_buffering off;\nproxy_next_upstream off;\n}\n");
  ASSERT_TRUE(nginx.is_up());
  for (const Attack& attack : attacks()) {
    SCOPED_TRACE(attack.name);
    RawClient client(nginx.address());
    client.send(attack.bytes);
    client.half_close();
    client.read_all(std::chrono::seconds(3));
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(testing_support::raw_get(nginx.address(), kVictim).body, "victim");
    }
    // What nginx took for a request of its own came with its word that somebody else asks.
    ASSERT_FALSE(is_hidden_here());
  }
  expect_that_it_would_work();
}

// What is odd and yet right is taken.
TEST_F(Smuggling, ExtensionsAndTrailersOfChunksAreRead) {
  const std::string path = "/chunked.bin/AB12/chunked.bin";
  RawClient client(address());
  client.send("PUT " + path +
              " HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: Chunked\r\n\r\n"
              "3;name=value\r\nfir\r\n4;quoted=\"a;b\"\r\nst h\r\n00003\r\nalf\r\n0;last\r\n"
              "X-Trailer: ignored\r\n\r\n"
              "GET " +
              path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 201);
  EXPECT_EQ(client.read_answer().body, "first half");
}

}  // namespace
