// Ten thousand clients who keep their connections and ask nothing, and five hundred who send a
// request so slowly that it never ends: meanwhile everybody else is answered, and those who wait
// too long are let go.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"
#include "testing/server_process.h"

namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;
using testing_support::RawClient;
using testing_support::ServerProcess;
using Clients = std::vector<std::unique_ptr<RawClient>>;

constexpr std::size_t kIdle = 10'000;
constexpr std::size_t kSlow = 500;
constexpr int kDownloads = 200;
constexpr rlim_t kDescriptors = kIdle + kSlow + 500;  // a connection is one on either side
constexpr std::string_view kPath = "/stored.bin/AB12/stored.bin";
// The server lets heads take 30 s, and keeps who asks nothing for 75 s; a busy machine is late.
constexpr seconds kLetGo{180};
constexpr seconds kQuietTime{60};

// For us and, since it inherits them, for the server; false: the machine does not let us.
bool raise_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  if (limit.rlim_cur >= kDescriptors) return true;
  limit.rlim_cur = kDescriptors;
  limit.rlim_max = std::max(limit.rlim_max, kDescriptors);  // more than before: for root alone
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

std::string get_of(std::string_view path) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
}

class IdleConnections : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_OR_SKIP(raise_descriptors(),
                    fmt::format("the hard limit of open files is below {}", kDescriptors));
    const std::string room = std::to_string(kIdle + kSlow + 100);
    server_.emplace(ServerProcess::start(
        {root_.path() + "/data", {}, {}, {"FAULTLINE_LIMITS_CONNECTIONS=" + room}}));
    ASSERT_NE(server_->url(), "");
    while (content_.size() < 300'000) content_ += fmt::format("{}\n", content_.size() * 7919);
    RawClient client(address());
    client.send(fmt::format("PUT {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
                            kPath, content_.size()) +
                content_);
    ASSERT_EQ(client.read_answer().status, 201);
  }
  std::string address() const { return server_->url().substr(std::string("http://").size()); }

  Clients open(std::size_t count) const {
    Clients clients;
    clients.reserve(count);
    for (std::size_t i = 0; i < count && !HasFailure(); ++i) {
      clients.push_back(std::make_unique<RawClient>(address()));
    }
    return clients;
  }
  // One request on every `step`-th: the connection is open, and is one to keep.
  static void expect_answers(const Clients& clients, std::size_t step) {
    for (std::size_t i = 0; i < clients.size(); i += step) {
      ASSERT_TRUE(clients[i]->send(get_of("/healthz"))) << i;
    }
    for (std::size_t i = 0; i < clients.size(); i += step) {
      ASSERT_EQ(clients[i]->read_answer().status, 200) << i;
    }
  }
  // Each is closed by the server in time; gives back what it said before.
  static std::vector<std::string> expect_let_go(const Clients& clients) {
    const auto until = steady_clock::now() + kLetGo;
    std::vector<std::string> said;
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(until - steady_clock::now());
      said.push_back(clients[i]->read_all(std::max(left, std::chrono::milliseconds(1))));
      if (clients[i]->end() != RawClient::End::open) continue;
      ADD_FAILURE() << "connection " << i << " of " << clients.size() << " is still open";
      break;
    }
    return said;
  }
  void expect_downloads() const {
    for (int i = 0; i < kDownloads; ++i) {
      const auto answer = testing_support::raw_get(address(), kPath);
      ASSERT_EQ(answer.status, 200) << i;
      ASSERT_TRUE(answer.complete && answer.body == content_) << i;
    }
  }
  std::uint64_t connections() const {
    const std::string text = testing_support::raw_get(address(), "/metrics").body;
    constexpr std::string_view kName = "\nfaultline_connections ";
    const auto at = text.find(kName);
    EXPECT_NE(at, std::string::npos);
    if (at == std::string::npos) return 0;
    const std::string_view rest = std::string_view(text).substr(at + kName.size());
    return base::parse_decimal(rest.substr(0, rest.find('\n'))).value_or(0);
  }

  // Soon: the kernel connects clients before the server accepts them.
  void expect_connections(std::uint64_t wanted) const {
    const auto until = steady_clock::now() + seconds(20);
    while (connections() < wanted && steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_GE(connections(), wanted);
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("idle").value();
  std::string content_;
  std::optional<ServerProcess> server_;
};

TEST_F(IdleConnections, TenThousandOfThemAndSlowOnesHinderNobody) {
  const auto begun = steady_clock::now();
  const Clients idle = open(kIdle);
  expect_answers(idle, 1);
  const Clients slow = open(kSlow);
  for (const auto& client : slow) ASSERT_TRUE(client->send("GET /healthz HTTP/1.1\r\nX-Slow: "));
  if (HasFatalFailure()) return;
  expect_connections(kIdle + kSlow);
  // A byte each second, as long as the server takes them.
  std::atomic<bool> is_over = false;
  std::thread dripping([&] {
    while (!is_over) {
      for (const auto& client : slow) client->send("x");
      std::this_thread::sleep_for(seconds(1));
    }
  });
  expect_downloads();
  // Those who were quiet are still there, and are served when they ask; unless the machine is so
  // slow that their time has come.
  if (steady_clock::now() - begun < kQuietTime) expect_answers(idle, 50);
  // However busily they drip, a head has its time.
  const std::vector<std::string> said = expect_let_go(slow);
  is_over = true;
  dripping.join();
  for (const std::string& text : said) {
    EXPECT_TRUE(text.empty() || text.starts_with("HTTP/1.1 408 ")) << text.substr(0, 100);
  }
  expect_downloads();
  for (const std::string& text : expect_let_go(idle)) EXPECT_EQ(text, "");
  EXPECT_LE(connections(), 10u);
  expect_downloads();
  EXPECT_EQ(server_->stop(), 0) << server_->log().substr(0, 2000);
}

}  // namespace
