#include "server/mozilla_container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "server/json_from_mozilla.h"

namespace server {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

MozillaConfig must_read(const std::string& json) {
  auto config = read_mozilla_config("", json);
  EXPECT_TRUE(config.ok()) << config.error().what;
  return *config;
}

MozillaContainer must_plan(const std::string& json) {
  auto container = MozillaContainer::plan(must_read(json), "/srv/symbols");
  EXPECT_TRUE(container.ok()) << container.error().what;
  return *container;
}

MozillaConfig inside(const MozillaContainer& container) {
  return must_read(container.configuration);
}

// Every value that follows this flag.
Words values(const Words& words, const std::string& flag) {
  Words found;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == flag) found.push_back(words[i + 1]);
  }
  return found;
}

constexpr ContainerUser kRoot{0, 0};
constexpr ContainerUser kSomebody{1000, 100};
constexpr const char* kAll = R"j({"quickstart": {"Docker": {"enable": true,
    "publish": {"memcached": true, "DiskCache": true, "SymServer": true}}}})j";

TEST(JsonFromMozilla, IsReadAsWhatItWasMadeOf) {
  MozillaConfig config;
  config.disk_cache.local_symbol_dirs = {"/a", "b \"c\""};
  config.disk_cache.port = 1;
  config.disk_cache.log.level = 10;
  config.sym_server.memcached_servers.clear();
  config.sym_server.disk_cache_server = "other:1";
  config.quickstart.memcached.starting.start = false;
  config.quickstart.disk_cache.restart = false;
  config.quickstart.sym_server.restart = true;
  const std::string json = json_from_mozilla(config);
  const MozillaConfig again = must_read(json);
  EXPECT_EQ(json_from_mozilla(again), json);
  EXPECT_EQ(again.disk_cache.local_symbol_dirs, config.disk_cache.local_symbol_dirs);
  EXPECT_EQ(again.sym_server.disk_cache_server, "other:1");
  EXPECT_FALSE(again.quickstart.memcached.starting.start);
  EXPECT_TRUE(again.quickstart.sym_server.restart);
}

TEST(MozillaContainer, OnlyWhatIsPublishedIsReachedFromOutsideAndFromThisMachineAlone) {
  const MozillaContainer container = must_plan(R"j({"quickstart": {"Docker": {"enable": true}}})j");
  const Words words = container.words(EngineKind::podman, kRoot, "id");
  EXPECT_EQ(values(words, "--publish"), Words{"127.0.0.1:8080:8080"});
  EXPECT_EQ(values(words, "--network"), Words{"private"});
  EXPECT_EQ(inside(container).sym_server.listen_address, "0.0.0.0");
  EXPECT_EQ(inside(container).disk_cache.listen_address, "127.0.0.1");
  EXPECT_EQ(inside(container).quickstart.memcached.listen_address, "127.0.0.1");
  EXPECT_FALSE(inside(container).quickstart.docker.enable);
}

TEST(MozillaContainer, PublishesWhatItIsToldToAndStarts) {
  EXPECT_EQ(values(must_plan(kAll).words(EngineKind::docker, kRoot, "id"), "--publish"),
            (Words{"127.0.0.1:11211:11211", "127.0.0.1:8888:8888", "127.0.0.1:8080:8080"}));
  const MozillaContainer container = must_plan(R"j({"DiskCache": {"port": 88},
      "quickstart": {"Docker": {"publish": {"DiskCache": 1, "address": "::1"}},
                     "SymServer": {"start": false}}})j");
  const Words words = container.words(EngineKind::docker, kSomebody, "id");
  EXPECT_EQ(values(words, "--publish"), Words{"[::1]:88:88"});
  EXPECT_EQ(values(words, "--sysctl"), Words{"net.ipv4.ip_unprivileged_port_start=0"});
}

TEST(MozillaContainer, OnThisMachinesNetworkNothingListensWhereItWasNotToldTo) {
  const MozillaContainer container = must_plan(R"j({"quickstart": {"Docker":
      {"network": "host", "publish": {"DiskCache": true}}}})j");
  const Words words = container.words(EngineKind::docker, kRoot, "id");
  EXPECT_EQ(values(words, "--network"), Words{"host"});
  EXPECT_EQ(values(words, "--publish"), Words{});
  EXPECT_EQ(inside(container).disk_cache.listen_address, "127.0.0.1");
  EXPECT_EQ(inside(container).sym_server.listen_address, "127.0.0.1");
  EXPECT_THAT(container.configuration, Not(HasSubstr("0.0.0.0")));
}

TEST(MozillaContainer, DirectoriesAreThisMachines) {
  const MozillaContainer container = must_plan(
      R"j({"DiskCache": {"cachePath": "cache", "localSymbolDirs": ["/builds/a", "b"]}})j");
  EXPECT_EQ(
      values(container.words(EngineKind::docker, kRoot, "id"), "--volume"),
      (Words{"/srv/symbols/cache:/data/cache", "/srv/symbols/cache.faultline:/data/cache.faultline",
             "/srv/symbols/cache.symserver:/data/cache.symserver", "/builds/a:/symbols/0:ro",
             "/srv/symbols/b:/symbols/1:ro"}));
  EXPECT_EQ(inside(container).disk_cache.cache_path, "/data/cache");
  EXPECT_EQ(inside(container).disk_cache.local_symbol_dirs, (Words{"/symbols/0", "/symbols/1"}));
  const auto bad =
      MozillaContainer::plan(must_read(R"j({"DiskCache": {"cachePath": "/a:b"}})j"), "/srv");
  ASSERT_FALSE(bad.ok());
  EXPECT_THAT(bad.error().what, HasSubstr("/a:b: a container can have no path with a colon"));
}

TEST(MozillaContainer, WhatIsNotThereIsLeftOut) {
  MozillaContainer container =
      must_plan(R"j({"DiskCache": {"localSymbolDirs": ["/no/such", "/"]}})j");
  EXPECT_EQ(container.leave_out_missing(), Words{"/no/such"});
  const Words words = container.words(EngineKind::docker, kRoot, "id");
  EXPECT_THAT(values(words, "--volume"), Contains("/:/symbols/1:ro"));
  EXPECT_THAT(values(words, "--volume"), Not(Contains(HasSubstr("/symbols/0"))));
}

TEST(MozillaContainer, ServersAreWhoStartsThemAndMayDoNothingMore) {
  const MozillaContainer container = must_plan(kAll);
  const Words rootless = container.words(EngineKind::podman, kSomebody, "id");
  EXPECT_EQ(values(rootless, "--user"), Words{"1000:100"});
  EXPECT_EQ(values(rootless, "--userns"), Words{"keep-id"});
  EXPECT_EQ(values(rootless, "--cap-drop"), Words{"all"});
  EXPECT_EQ(values(rootless, "--cap-add"), Words{});
  EXPECT_EQ(values(container.words(EngineKind::docker, kSomebody, "id"), "--userns"), Words{});
  // memcached is not root's.
  EXPECT_EQ(values(container.words(EngineKind::podman, kRoot, "id"), "--cap-add"),
            (Words{"SETUID", "SETGID"}));
  EXPECT_THAT(rootless, Contains("--read-only"));
}

TEST(MozillaContainer, RunsQuickstartInTheForeground) {
  const MozillaContainer container = must_plan(kAll);
  const Words words = container.words(EngineKind::podman, kRoot, "sha256:id");
  const auto image = std::find(words.begin(), words.end(), "sha256:id");
  EXPECT_EQ(Words(image + 1, words.end()), container.inner_words("--foreground"));
  EXPECT_EQ(container.inner_words("wait"),
            (Words{"quickstart", "--configJSON", container.configuration, "--pid-dir",
                   "/run/faultline", "wait"}));
  EXPECT_EQ(inside(container).disk_cache.log.path, "") << "the engine keeps what is logged";
}

TEST(MozillaContainer, AnotherConfigurationOrImageIsAnotherContainer) {
  const MozillaContainer container = must_plan(kAll);
  const std::string first = container.fingerprint(EngineKind::podman, kRoot, "one");
  EXPECT_EQ(values(container.words(EngineKind::podman, kRoot, "one"), "--label"),
            Words{"faultline.quickstart=" + first});
  EXPECT_EQ(must_plan(kAll).fingerprint(EngineKind::podman, kRoot, "one"), first);
  EXPECT_NE(container.fingerprint(EngineKind::podman, kRoot, "two"), first);
  EXPECT_NE(must_plan("{}").fingerprint(EngineKind::podman, kRoot, "one"), first);
}

TEST(MozillaContainer, AConfigurationThatNoCommandLineHoldsIsRefused) {
  MozillaConfig config;
  config.disk_cache.symbol_urls = Words(1000, "http://127.0.0.1/" + std::string(80, 'a'));
  const auto container = MozillaContainer::plan(config, "/srv");
  ASSERT_FALSE(container.ok());
  EXPECT_EQ(container.error().fault, base::Fault::too_large);
}

}  // namespace
}  // namespace server
