#include "net/memcached.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.h"
#include "testing/commands.h"
#include "testing/free_port.h"
#include "testing/peer_process.h"
#include "testing/silent_listener.h"

namespace net {
namespace {

using testing_support::PeerProcess;

class SharedTexts : public testing::Test {
 protected:
  void SetUp() override {
    if (!testing_support::have_command("memcached")) GTEST_SKIP() << "memcached is not installed";
  }
  std::unique_ptr<PeerProcess> start(std::uint16_t port) {
    return std::make_unique<PeerProcess>(
        std::vector<std::string>{"memcached", "-u", "nobody", "-U", "0", "-l", "127.0.0.1", "-p",
                                 std::to_string(port)},
        port, place_.path() + "/log");
  }
  std::unique_ptr<Memcached> client(const std::vector<std::string>& servers,
                                    std::chrono::milliseconds rest = std::chrono::hours(1)) {
    return Memcached::make({servers, std::chrono::milliseconds(2000), rest}).value();
  }
  base::TemporaryDirectory place_ = base::TemporaryDirectory::create("memcached").value();
};

using Texts = std::vector<std::optional<std::string>>;

TEST_F(SharedTexts, WhatOneAddsTheOtherFinds) {
  const auto server = start(testing_support::free_port());
  ASSERT_TRUE(server->is_up());
  const auto one = client({server->address()});
  const auto other = client({server->address()});
  EXPECT_EQ(one->find({"a", "b"}), (Texts{std::nullopt, std::nullopt}));
  one->add({{"a", "1"}, {"b", ""}});
  EXPECT_EQ(other->find({"a", "x", "b", "a"}), (Texts{"1", std::nullopt, "", "1"}));
  other->add({{"a", "2"}});
  EXPECT_EQ(one->find({"a"}), (Texts{"1"})) << "what is there stays";
  EXPECT_TRUE(other->remove("a"));
  EXPECT_TRUE(other->remove("a"));
  EXPECT_EQ(one->find({"a"}), (Texts{std::nullopt}));
}

TEST_F(SharedTexts, ThousandsOfKeysOnTwoServers) {
  const auto first = start(testing_support::free_port());
  const auto second = start(testing_support::free_port());
  ASSERT_TRUE(first->is_up() && second->is_up());
  const auto both = client({first->address(), second->address()});
  std::vector<Memcached::Entry> entries;
  std::vector<std::string> keys;
  entries.reserve(5000);
  keys.reserve(5000);
  for (int i = 0; i < 5000; ++i) {
    keys.push_back("key/" + std::to_string(i));
    entries.push_back({keys.back(), std::to_string(i * i)});
  }
  both->add(entries);
  const Texts texts = both->find(keys);
  for (std::size_t i = 0; i < texts.size(); ++i) ASSERT_EQ(texts[i], entries[i].text) << i;

  second->stop();
  const Texts fewer = both->find(keys);
  const auto there = std::count_if(fewer.begin(), fewer.end(), [](const auto& one) { return one; });
  EXPECT_GT(there, 1000);
  EXPECT_LT(there, 4000);
  EXPECT_EQ(both->counts().resting, 1u);
}

TEST_F(SharedTexts, NoMoreIsTakenThanIsWanted) {
  const auto server = start(testing_support::free_port());
  ASSERT_TRUE(server->is_up());
  const auto texts = client({server->address()});
  texts->add({{"a", "12345"}, {"b", "123456"}, {"c", "1234"}, {"d", "123"}});
  EXPECT_EQ(texts->find({"a", "b", "c"}, {5, 100}), (Texts{"12345", std::nullopt, "1234"}));
  const auto size_of = [](const Texts& found) {
    std::size_t size = 0;
    for (const auto& text : found) size += text ? text->size() : 0;
    return size;
  };
  EXPECT_EQ(size_of(texts->find({"c", "c", "c", "d"}, {5, 11})), 11u);
  EXPECT_EQ(size_of(texts->find({"a", "c"}, {5, 0})), 0u);
}

TEST_F(SharedTexts, AServerThatIsGoneIsLeftAlone) {
  const auto gone = client({"127.0.0.1:" + std::to_string(testing_support::free_port())});
  gone->add({{"a", "1"}});
  EXPECT_EQ(gone->counts().failures, 1u);
  EXPECT_EQ(gone->find({"a"}), (Texts{std::nullopt}));
  EXPECT_FALSE(gone->remove("a"));
  EXPECT_EQ(gone->counts().failures, 1u) << "nobody asked it again";
}

TEST_F(SharedTexts, AServerThatWasStartedAnewIsUsedAtOnce) {
  const std::uint16_t port = testing_support::free_port();
  auto server = start(port);
  ASSERT_TRUE(server->is_up());
  const auto texts = client({server->address()});
  texts->add({{"a", "1"}});
  server->stop();
  server = start(port);
  ASSERT_TRUE(server->is_up());
  EXPECT_EQ(texts->find({"a"}), (Texts{std::nullopt}));
  texts->add({{"a", "2"}});
  EXPECT_EQ(texts->find({"a"}), (Texts{"2"}));
  EXPECT_EQ(texts->counts().failures, 0u);
}

// The kernel takes the connection, and then nobody says a word.
TEST_F(SharedTexts, AServerThatHangsIsLeftAlone) {
  const testing_support::SilentListener silent;
  const std::string name = "127.0.0.1:" + std::to_string(silent.port());
  const auto texts =
      Memcached::make({{name}, std::chrono::milliseconds(50), std::chrono::hours(1)}).value();
  EXPECT_EQ(texts->find({"a", "b"}), (Texts{std::nullopt, std::nullopt}));
  texts->add({{"a", "1"}});
  EXPECT_EQ(texts->counts().failures, 1u);
}

TEST(SharedTextAddresses, AreHostsWithPorts) {
  for (const char* good : {"localhost", "a:1", "[::1]:11211", "inet:10.0.0.1:11211", " a:2 "}) {
    EXPECT_TRUE(Memcached::make({{good}, {}, {}}).ok()) << good;
  }
  for (const char* bad : {"", ":1", "a:", "a:0", "a:70000", "a:b"}) {
    EXPECT_FALSE(Memcached::make({{bad}, {}, {}}).ok()) << bad;
  }
  EXPECT_FALSE(Memcached::make({}).ok());
}

}  // namespace
}  // namespace net
