#include "server/options_from_pysymproxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/config_files.h"
#include "server/toml_from_settings.h"
#include "testing/corpus.h"

namespace server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// What it was shipped with, in fewer lines.
constexpr std::string_view kShipped = R"({
  "identity": {"name": "PySymProxy - Default configuration", "host": "localhost",
               "administrator": "admin@example.com",
               "default_sympath": "srv*c:\\symbols*http://localhost:8080/symbols"},
  "general": {"enableStatistics": true, "cacheLocation": "./data/symbols", "blacklist": []},
  "servers": [
    {"name": "My builds", "identifier": "mb", "remote": "\\\\build-server\\symbols",
     "maxRequests": 10},
    {"name": "Microsoft symbol server", "identifier": "mss",
     "remote": "http://msdl.microsoft.com/download/symbols",
     "cacheLocation": "\\\\build-server\\mssymbols", "retryTimout": 600, "maxRequests": 10}],
  "logging": {"version": 1,
    "formatters": {"simple": {"format": "%(message)s"}},
    "handlers": {
      "console": {"class": "logging.StreamHandler", "level": "DEBUG", "formatter": "simple"},
      "file": {"class": "logging.handlers.RotatingFileHandler", "level": "DEBUG",
               "filename": "./data/log.txt", "maxBytes": 524288, "backupCount": 10}},
    "root": {"level": "DEBUG", "handlers": ["console", "file"]}}
})";

base::Result<ForeignSettings> read(std::string_view text) {
  const auto json = base::JsonValue::parse(text);
  if (!json.ok()) return json.error();
  return settings_from_pysymproxy(*json, "p.json", "/srv/proxy");
}

ForeignSettings must_read(std::string_view text) {
  auto read_settings = read(text);
  EXPECT_TRUE(read_settings.ok()) << read_settings.error().what;
  return std::move(read_settings).value();
}

Options must_options(const ForeignSettings& read_settings) {
  const auto options = options_from(read_settings.settings);
  EXPECT_TRUE(options.ok()) << options.error().what;
  return *options;
}

// A whole configuration with these members in `general` and in the only server.
std::string config_of(std::string_view general, std::string_view server,
                      std::string_view more = "") {
  std::string text = R"({"identity": {"name": "n", "administrator": "a", "default_sympath": "s"},
    "general": {"cacheLocation": "c", "blacklist": []})";
  text.insert(text.size() - 1, general);
  text += R"(, "servers": [{"identifier": "i", "remote": "http://r/s")";
  return text.append(server).append("}]").append(more).append("}");
}

UpstreamOptions server_of(std::string_view members) {
  return must_options(must_read(config_of("", members))).upstreams.at(0);
}

std::string error_of(std::string_view text) {
  const auto read_settings = read(text);
  return read_settings.ok() ? "" : read_settings.error().what;
}

TEST(PySymProxy, TheShippedConfigurationIsRead) {
  const ForeignSettings read_settings = must_read(kShipped);
  const Options options = must_options(read_settings);
  EXPECT_EQ(options.listen, "0.0.0.0:8080");
  EXPECT_EQ(options.site.name, "PySymProxy - Default configuration");
  EXPECT_EQ(options.site.administrator, "admin@example.com");
  EXPECT_EQ(options.site.default_sympath, "srv*c:\\symbols*http://localhost:8080/symbols");
  EXPECT_EQ(options.site.statistics, 1u);
  EXPECT_EQ(options.upstreams_cache, "/srv/proxy/data/symbols");
  EXPECT_EQ(options.upstreams_deny, "");
  ASSERT_EQ(options.upstreams.size(), 2u);
  EXPECT_EQ(options.upstreams[0].name, "My builds");
  EXPECT_EQ(options.upstreams[0].identifier, "mb");
  EXPECT_EQ(options.upstreams[0].url, "\\\\build-server\\symbols");
  EXPECT_EQ(options.upstreams[0].retry_seconds, 60u);
  EXPECT_EQ(options.upstreams[0].allow, ".*");
  EXPECT_EQ(options.upstreams[1].url, "http://msdl.microsoft.com/download/symbols");
  EXPECT_EQ(options.upstreams[1].cache, "\\\\build-server\\mssymbols");
  EXPECT_EQ(options.upstreams[1].retry_seconds, 600u);
  EXPECT_EQ(options.upstreams[1].requests_max, 10u);
  EXPECT_EQ(options.log_level, "debug");
  EXPECT_EQ(options.log_file, "/srv/proxy/data/log.txt");
  EXPECT_EQ(options.log_file_size, 524288u);
  EXPECT_EQ(options.log_file_count, 10u);
  EXPECT_THAT(read_settings.warnings,
              ElementsAre(HasSubstr("p.json: servers[1].retryTimout: is read as retryTimeout")));
}

TEST(PySymProxy, TheRightSpellingOfTheTimeoutWins) {
  EXPECT_EQ(server_of(R"(, "retryTimout": 5)").retry_seconds, 5u);
  EXPECT_EQ(server_of(R"(, "retryTimeout": 7)").retry_seconds, 7u);
  EXPECT_EQ(server_of(R"(, "retryTimout": 5, "retryTimeout": 7)").retry_seconds, 7u);
  EXPECT_EQ(server_of(R"(, "retryTimout": 5, "retryTimeout": null)").retry_seconds, 5u);
  EXPECT_EQ(server_of(R"(, "retryTimeout": 0.5)").retry_seconds, 1u);
  EXPECT_EQ(server_of("").retry_seconds, 60u);
  EXPECT_THAT(must_read(config_of("", R"(, "retryTimeout": 7)")).warnings, IsEmpty());
}

TEST(PySymProxy, ListsOfPatternsAreLines) {
  const UpstreamOptions server =
      server_of(R"(, "whitelist": ["a.*", "(?i)b;c"], "blacklist": ["x"])");
  EXPECT_EQ(server.allow, "a.*\n(?i)b;c");
  EXPECT_EQ(server.deny, "x");
  // One of none must match, so nothing is asked for; an empty one matches everything.
  EXPECT_EQ(server_of(R"(, "whitelist": [])").allow, "");
  EXPECT_EQ(server_of(R"(, "whitelist": [""])").allow, "(?:)");
  EXPECT_EQ(must_options(must_read(config_of(R"(, "blacklist": ["q", "r"])", ""))).upstreams_deny,
            "q\nr");
}

TEST(PySymProxy, WhatIsMissingIsNamed) {
  EXPECT_EQ(error_of("{}"), "p.json: Configuration value missing: identity.name");
  EXPECT_EQ(error_of(R"({"identity": {"name": "n", "administrator": "a",
                         "default_sympath": null}})"),
            "p.json: Configuration value missing: identity.default_sympath");
  EXPECT_EQ(error_of(R"({"identity": {"name": "n", "administrator": "a", "default_sympath": "s"},
                         "general": {"cacheLocation": "c"}})"),
            "p.json: Configuration value missing: general.blacklist");
  EXPECT_EQ(error_of(R"({"identity": {"name": "n", "administrator": "a", "default_sympath": "s"},
                         "general": {"cacheLocation": "c", "blacklist": []}})"),
            "p.json: Configuration value missing: servers");
  EXPECT_EQ(error_of(R"({"identity": {"name": "n", "administrator": "a", "default_sympath": "s"},
                         "general": {"cacheLocation": "c", "blacklist": []},
                         "servers": [{"remote": "r"}]})"),
            "p.json: Configuration value missing: servers[0].identifier");
}

TEST(PySymProxy, AWrongKindIsNamed) {
  EXPECT_EQ(error_of(config_of("", R"(, "maxRequests": "ten")")),
            "p.json: servers[0].maxRequests: expected a number that is not negative");
  EXPECT_EQ(error_of(config_of("", R"(, "whitelist": "x")")),
            "p.json: servers[0].whitelist: expected a list of texts");
  EXPECT_EQ(error_of(config_of("", R"(, "whitelist": ["x", 3])")),
            "p.json: servers[0].whitelist[1]: expected a text");
  EXPECT_EQ(error_of(config_of("", "", R"(, "logging": 3)")),
            "p.json: logging: expected an object");
}

TEST(PySymProxy, UnknownKeysAreWarnings) {
  EXPECT_THAT(
      must_read(config_of(R"(, "cacheSize": 1)", R"(, "colour": 2)", R"(, "extra": 3)")).warnings,
      ElementsAre(HasSubstr("p.json: general.cacheSize: "),
                  HasSubstr("p.json: servers[0].colour: "), HasSubstr("p.json: extra: ")));
}

TEST(PySymProxy, LoggingMayBeMissingOrEmpty) {
  for (const std::string& logging : std::vector<std::string>{
           "", R"(, "logging": {})", R"(, "logging": null)", R"(, "logging": {"version": 1})"}) {
    const ForeignSettings read_settings = must_read(config_of("", "", logging));
    EXPECT_EQ(must_options(read_settings).log_file, "");
    EXPECT_EQ(must_options(read_settings).log_level, "info");
    EXPECT_THAT(read_settings.warnings, IsEmpty());
  }
}

TEST(PySymProxy, OtherHandlersAreWarnings) {
  const ForeignSettings read_settings = must_read(config_of("", "", R"(, "logging": {"handlers": {
      "a": {"class": "logging.FileHandler", "filename": "/var/log/a", "level": "ERROR"},
      "b": {"class": "logging.FileHandler", "filename": "b"},
      "c": {"class": "logging.handlers.SMTPHandler"}}, "root": {"level": 20}})"));
  EXPECT_EQ(must_options(read_settings).log_file, "/var/log/a");
  EXPECT_EQ(must_options(read_settings).log_file_size, 0u);
  EXPECT_THAT(read_settings.warnings, ElementsAre(HasSubstr("p.json: logging.handlers.b: "),
                                                  HasSubstr("p.json: logging.handlers.c: ")));
}

TEST(PySymProxy, APasswordInAUrlBecomesAHeader) {
  const Options options = must_options(must_read(R"({
      "identity": {"name": "n", "administrator": "a", "default_sympath": "s"},
      "general": {"cacheLocation": "c", "blacklist": []},
      "servers": [{"identifier": "i", "remote": "https://me:a%40b@host:8443/s?x=@"}]})"));
  EXPECT_EQ(options.upstreams.at(0).url, "https://host:8443/s?x=@");
  EXPECT_EQ(options.upstreams.at(0).headers, "Authorization: Basic bWU6YUBi");  // me:a@b
}

TEST(PySymProxy, DirectoriesBeginWhereItWasStarted) {
  const auto url_of = [](std::string_view remote) {
    std::string text = R"({"identity": {"name": "n", "administrator": "a", "default_sympath": "s"},
      "general": {"cacheLocation": "c", "blacklist": []}, "servers": [{"identifier": "i",
      "remote": ")";
    return must_options(must_read(text.append(remote).append("\"}]}"))).upstreams.at(0).url;
  };
  EXPECT_EQ(url_of("store"), "/srv/proxy/store");
  EXPECT_EQ(url_of(".\\\\data\\\\store\\\\"), "/srv/proxy/data/store");
  EXPECT_EQ(url_of("../store"), "/srv/store");
  EXPECT_EQ(url_of("/store/"), "/store");
  EXPECT_EQ(url_of("D:\\\\store"), "D:\\store");
  EXPECT_EQ(url_of("//files/store"), "//files/store");
  EXPECT_EQ(url_of("HTTP://Server/Sym"), "http://Server/Sym");
}

TEST(PySymProxy, AsTomlItGivesTheSameOptions) {
  const auto sample =
      read_config(testing_support::source_root() + "/examples/configurations/pysymproxy.json");
  ASSERT_TRUE(sample.ok()) << sample.error().what;
  std::vector<std::vector<Setting>> all{sample->settings, must_read(kShipped).settings,
                                        must_read(config_of("", R"(, "whitelist": ["\"a\\b", "é"],
                                          "blacklist": [])"))
                                            .settings};
  all.push_back(all.back());
  all.back().push_back({"unc.\\\\files.example\\drop", "/mnt/a", "test"});
  for (int i = 0; i < 12; ++i) {
    all.back().push_back({"upstream." + std::to_string(i) + ".url", std::to_string(i), "test"});
  }
  for (const std::vector<Setting>& settings : all) {
    const std::string toml = toml_from_settings(settings);
    const auto again = settings_from_toml(toml, "again.toml");
    ASSERT_TRUE(again.ok()) << again.error().what << "\n" << toml;
    const auto options = options_from(*again);
    ASSERT_TRUE(options.ok()) << options.error().what << "\n" << toml;
    EXPECT_TRUE(*options == *options_from(settings)) << toml;
  }
}

TEST(PySymProxy, WhatIsShownHasNoSecrets) {
  const auto json = base::JsonValue::parse(
      R"({"servers": [{"remote": "https://me:secret@host/s", "headers": ["X: secret"]}],
          "logging": {"handlers": {"m": {"credentials": ["u", "secret"], "level": "INFO"}}}})");
  const std::string shown = redacted_json(json.value());
  EXPECT_EQ(shown.find("secret"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("me:"), std::string::npos) << shown;
  EXPECT_THAT(shown, HasSubstr("https://***@host/s"));
  EXPECT_THAT(shown, HasSubstr("\"INFO\""));
}

}  // namespace
}  // namespace server
