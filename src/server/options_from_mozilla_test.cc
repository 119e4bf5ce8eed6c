#include "server/options_from_mozilla.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/file.h"
#include "server/config_files.h"
#include "server/options_from_snappy.h"

namespace server {
namespace {

using Values = std::map<std::string, std::string>;

Values values_of(const ForeignSettings& read) {
  Values values;
  for (const Setting& setting : read.settings) values[setting.key] = setting.value;
  return values;
}

base::Result<MozillaConfig> config_of(const std::string& json) {
  return mozilla_config(base::JsonValue::parse(json).value(), "c.json");
}

TEST(MozillaConfig, HasTheDefaultsOfTheOriginal) {
  const MozillaConfig config = read_mozilla_config("", "").value();
  EXPECT_EQ(config.disk_cache.cache_path, "./DiskCacheData");
  EXPECT_EQ(config.disk_cache.max_size_mb, 200u);
  EXPECT_EQ(config.disk_cache.port, 8888u);
  EXPECT_EQ(config.disk_cache.retries, 3u);
  EXPECT_EQ(config.disk_cache.retry_delay_ms, 500u);
  EXPECT_EQ(config.sym_server.port, 8080u);
  EXPECT_EQ(config.sym_server.memcached_servers, std::vector<std::string>{"127.0.0.1:11211"});
  EXPECT_EQ(config.sym_server.log.level, 30u);
  EXPECT_EQ(config.quickstart.memcached.listen_address, "0.0.0.0");
  EXPECT_TRUE(config.quickstart.disk_cache.restart);
  EXPECT_FALSE(config.quickstart.sym_server.restart);
  EXPECT_FALSE(config.quickstart.memcached.starting.restart);
}

TEST(MozillaConfig, PassesOverWhatItDoesNotKnowAndReadsNumbersAsPythonDid) {
  const auto config = config_of(
      R"j({"DiskCache": {"port": "9001", "maxSizeMB": 7.9, "odd": [1], "log": {"level": 10}},
           "SymServer": {"retries": 3, "memcachedServers": []},
           "quickstart": {"Docker": {"restart": 1}, "memcached": {"start": 0}}, "other": 1})j");
  ASSERT_TRUE(config.ok()) << config.error().what;
  EXPECT_EQ(config->disk_cache.port, 9001u);
  EXPECT_EQ(config->disk_cache.max_size_mb, 7u);
  EXPECT_EQ(config->disk_cache.log.level, 10u);
  EXPECT_TRUE(config->sym_server.memcached_servers.empty());
  EXPECT_FALSE(config->quickstart.memcached.starting.start);
}

TEST(MozillaConfig, SaysWhichValueIsOfTheWrongKind) {
  struct Row {
    const char* json;
    const char* what;
  };
  constexpr Row kRows[] = {
      {R"j({"DiskCache": {"cachePath": 1}})j", "c.json: DiskCache.cachePath: expected a text"},
      {R"j({"DiskCache": {"listenAddress": 1}})j",
       "c.json: DiskCache.listenAddress: expected a text"},
      {R"j({"SymServer": {"listenAddress": 1}})j",
       "c.json: SymServer.listenAddress: expected a text"},
      {R"j({"DiskCache": {"port": "x"}})j", "c.json: DiskCache.port: expected a whole number"},
      {R"j({"DiskCache": {"port": 70000}})j", "c.json: DiskCache.port: expected a whole number"},
      {R"j({"DiskCache": {"symbolURLs": "u"}})j",
       "c.json: DiskCache.symbolURLs: expected a list of texts"},
      {R"j({"SymServer": {"log": 1}})j", "c.json: SymServer.log: expected an object"},
      {R"j({"quickstart": {"verbose": "yes"}})j",
       "c.json: quickstart.verbose: expected true or false"},
      {R"j({"SymServer": []})j", "c.json: SymServer: expected an object"}};
  for (const Row& row : kRows) {
    const auto config = config_of(row.json);
    ASSERT_FALSE(config.ok()) << row.json;
    EXPECT_EQ(config.error().what, row.what);
  }
}

TEST(OptionsFromMozilla, DiskCacheAsksDirectoriesThenServersInTheirOrder) {
  const auto place = base::TemporaryDirectory::create("mozilla").value();
  ASSERT_TRUE(base::make_directories(place.path() + "/local").ok());
  MozillaConfig config;
  config.disk_cache.local_symbol_dirs = {"./local", "./nowhere"};
  config.disk_cache.symbol_urls = {"https://a.example.com/s/", "https://b.example.com"};
  config.disk_cache.log.files = 3;
  const ForeignSettings read = settings_of_disk_cache(config, place.path());
  Values values = values_of(read);
  EXPECT_EQ(values["listen"], "0.0.0.0:8888");
  EXPECT_EQ(values["cache.path"], place.path() + "/DiskCacheData");
  EXPECT_EQ(values["data"], place.path() + "/DiskCacheData.faultline");
  EXPECT_EQ(values["cache.size"], "200 MiB");
  EXPECT_EQ(values["upstream.0.url"], place.path() + "/local");
  EXPECT_EQ(values["upstream.1.url"], "https://a.example.com/s/");
  EXPECT_EQ(values["upstream.2.url"], "https://b.example.com");
  EXPECT_EQ(values["upstream.2.layout"], "breakpad");
  EXPECT_EQ(values["upstreams.rounds"], "3");
  EXPECT_EQ(values["upstreams.round_ms"], "500");
  EXPECT_EQ(values["log_level"], "warning");
  EXPECT_EQ(values["log_file"], place.path() + "/DiskCache.log");
  EXPECT_EQ(values["log_file_count"], "2");
  ASSERT_EQ(read.warnings.size(), 1u);
  EXPECT_EQ(read.warnings[0], place.path() + "/nowhere: is no directory; it is left out");
  EXPECT_TRUE(options_from(read.settings).ok());
}

TEST(OptionsFromMozilla, WhatTheOriginalKeptInItsCacheIsAskedFirst) {
  const auto place = base::TemporaryDirectory::create("mozilla").value();
  ASSERT_TRUE(base::make_directories(place.path() + "/local").ok());
  ASSERT_TRUE(base::make_directories(place.path() + "/cache/faultline/index").ok());
  MozillaConfig config;
  config.disk_cache.cache_path = "./cache";
  config.disk_cache.local_symbol_dirs = {"./local"};
  EXPECT_EQ(values_of(settings_of_disk_cache(config, place.path()))["upstream.0.url"],
            place.path() + "/local")
      << "of what is ours alone nothing is asked";
  ASSERT_TRUE(base::make_directories(place.path() + "/cache/xul.pdb").ok());
  for (const auto& settings_of : {settings_of_disk_cache, settings_of_both}) {
    Values values = values_of(settings_of(config, place.path()));
    EXPECT_EQ(values["upstream.0.url"], place.path() + "/cache");
    EXPECT_EQ(values["upstream.0.layout"], "breakpad");
    EXPECT_EQ(values["upstream.1.url"], place.path() + "/local");
  }
}

TEST(OptionsFromMozilla, AddressesOfTheSixthVersionStandInBrackets) {
  EXPECT_EQ(listen_text("0.0.0.0", 80), "0.0.0.0:80");
  EXPECT_EQ(listen_text("::1", 80), "[::1]:80");
  EXPECT_EQ(listen_text("[::1]", 80), "[::1]:80");
}

TEST(OptionsFromMozilla, SymServerAsksDiskCacheAndSharesFrames) {
  MozillaConfig config;
  config.sym_server.memcached_servers = {"a:1", "b:2"};
  const ForeignSettings read = settings_of_sym_server(config, "/place");
  Values values = values_of(read);
  EXPECT_EQ(values["listen"], "0.0.0.0:8080");
  EXPECT_EQ(values["upstream.0.url"], "http://127.0.0.1:8888");
  EXPECT_EQ(values["upstream.0.failures_max"], "0") << "what it has is asked for all the same";
  EXPECT_EQ(values["memcached.servers"], "a:1\nb:2");
  EXPECT_EQ(values["data"], "/place/DiskCacheData.symserver");
  EXPECT_EQ(values["symbolication.debug"], "symserver");
  EXPECT_EQ(options_from(read.settings)->symbolication_body, 100ull << 20);
  EXPECT_TRUE(options_from(read.settings).ok());
}

TEST(OptionsFromMozilla, OneServerInPlaceOfBothReadsTheFileByItself) {
  const auto place = base::TemporaryDirectory::create("mozilla").value();
  const std::string path = place.path() + "/config.json";
  ASSERT_TRUE(base::write_file_durably(
                  path, base::bytes_of(R"j({"SymServer": {"port": 9090}, "quickstart": {}})j"))
                  .ok());
  const auto file = read_config(path);
  ASSERT_TRUE(file.ok()) << file.error().what;
  EXPECT_EQ(file->kind, "Mozilla's");
  const auto options = options_of({*file});
  ASSERT_TRUE(options.ok()) << options.error().what;
  EXPECT_EQ(options->listen, "0.0.0.0:9090");
  EXPECT_EQ(options->memcached_servers, "127.0.0.1:11211");
  EXPECT_EQ(options->upstreams.size(), 1u);
}

constexpr std::string_view kIni =
    "# Snappy\n[General]\nhostname = 127.0.0.1\nportNumber: 8000 ; ours\nenableTracing=0\n"
    "remoteSymbolServer = http://far.example.com/\n"
    "[MemoryCache]\nmaxMemCacheFiles=400\n[DiskCache]\ndiskCachePath=%(ROOT)s/cache\n"
    "[Log]\nlogPath = /var/log/snappy.log\nlogLevel = ERROR\nmaxFiles=3\nmaxFileSize=1048576\n"
    "[SymbolPaths]\nown = %(ROOT)s\n[SymbolURLs]\npublic = http://symbols.example.com/\n";

base::Result<ForeignSettings> snappy(std::string_view text) {
  return settings_from_snappy(text, "s.ini", "/", {{"ROOT", "/tmp"}});
}

TEST(OptionsFromSnappy, ReadsTheIniOfTheFirstServer) {
  EXPECT_TRUE(is_snappy(kIni));
  EXPECT_FALSE(is_snappy("listen = \"a\"\n[upload]\n"));
  const auto read = snappy(kIni);
  ASSERT_TRUE(read.ok()) << read.error().what;
  Values values = values_of(*read);
  EXPECT_EQ(values["listen"], "127.0.0.1:8000");
  EXPECT_EQ(values["symbolication.dialect"], "snappy");
  EXPECT_EQ(values["symbolication.body"], "100 MiB");
  EXPECT_EQ(values["cache.path"], "/tmp/cache");
  EXPECT_EQ(values["upstream.0.url"], "/tmp");
  EXPECT_EQ(values["upstream.1.url"], "http://symbols.example.com/");
  EXPECT_EQ(values["symbolication.forward"], "http://far.example.com/");
  EXPECT_FALSE(values.contains("upstream.2.url")) << "it has names, not files";
  EXPECT_EQ(values["log_level"], "error");
  EXPECT_EQ(values["log_file_size"], "1048576");
  EXPECT_EQ(read->warnings.size(), 1u);
  EXPECT_TRUE(options_from(read->settings).ok());
}

TEST(OptionsFromSnappy, RefusesWhatTheFirstServerRefused) {
  struct Row {
    const char* text;
    const char* what;
  };
  constexpr Row kRows[] = {
      {"[General]\n", "s.ini: has no section [Log]"},
      {"[General]\nodd=1\n[Log]\n", "s.ini:2: there is no option odd in General"},
      {"[General]\n[Log]\nlogLevel=LOUD\n", "s.ini:3: loglevel = LOUD: is no level"},
      {"[General]\n[Log]\nlogPath=%(HOME)s/x\n", "s.ini:3: %(HOME)s stands for nothing"},
      {"[General]\nwhat\n[Log]\n", "s.ini:2: neither [SECTION] nor NAME = VALUE"}};
  for (const Row& row : kRows) {
    const auto read = snappy(row.text);
    ASSERT_FALSE(read.ok()) << row.text;
    EXPECT_EQ(read.error().what, row.what);
  }
}

TEST(OptionsFromSnappy, ValuesThatStandInEachOtherEnd) {
  std::string text = "[General]\n[Log]\n[SymbolPaths]\na=x\n";
  for (char name = 'b'; name <= 'z'; ++name) {
    const char before = static_cast<char>(name - 1);
    text.append(1, name).append("=");
    for (int i = 0; i < 8; ++i) text.append("%(").append(1, before).append(")s");
    text += '\n';
  }
  EXPECT_FALSE(snappy(text).ok());
  EXPECT_FALSE(snappy("[General]\n[Log]\n[SymbolURLs]\na=https://symb\xfc"
                      "ol/\n")
                   .ok());
  EXPECT_FALSE(snappy("[General]\n[Log]\n[SymbolPaths]\na=%(a)s\n").ok());
}

}  // namespace
}  // namespace server
