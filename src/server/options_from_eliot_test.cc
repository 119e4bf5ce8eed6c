#include "server/options_from_eliot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/file.h"
#include "server/config_files.h"

namespace server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Options must_options(const ForeignSettings& read) {
  const auto options = options_from(read.settings);
  EXPECT_TRUE(options.ok()) << options.error().what;
  return options.ok() ? *options : Options();
}

TEST(OptionsFromEliot, WithoutItsVariablesThereIsNothing) {
  EXPECT_FALSE(find_settings_from_eliot({}, "/").has_value());
  EXPECT_FALSE(find_settings_from_eliot({{"FAULTLINE_DATA", "x"}}, "/").has_value());
}

TEST(OptionsFromEliot, SaysWhereSymbolsComeFromAndWhereTheyAreKept) {
  const auto read =
      find_settings_from_eliot({{"ELIOT_SYMBOLS_URLS", "https://a.example/, http://b.example/try,"},
                                {"ELIOT_SYMBOLS_CACHE_DIR", "cache"},
                                {"ELIOT_SYMBOLS_CACHE_MAX_SIZE", "2_000_000"},
                                {"ELIOT_LOGGING_LEVEL", "WARNING"}},
                               "/place");
  ASSERT_TRUE(read.has_value());
  const Options options = must_options(*read);
  ASSERT_EQ(options.upstreams.size(), 2u);
  EXPECT_EQ(options.upstreams[0].url, "https://a.example/");
  EXPECT_EQ(options.upstreams[0].layout, "breakpad");
  EXPECT_EQ(options.upstreams[1].url, "http://b.example/try");
  EXPECT_EQ(options.cache_path, "/place/cache");
  EXPECT_EQ(options.cache_size, 2'000'000u);
  EXPECT_EQ(options.log_level, "warning");
  EXPECT_TRUE(read->warnings.empty());
}

TEST(OptionsFromEliot, WhatIsNotSaidIsAsThere) {
  const auto read = find_settings_from_eliot({{"ELIOT_SYMBOLS_CACHE_DIR", "/c"}}, "/");
  ASSERT_TRUE(read.has_value());
  const Options options = must_options(*read);
  ASSERT_EQ(options.upstreams.size(), 1u);
  EXPECT_EQ(options.upstreams[0].url, "https://symbols.mozilla.org/try/");
  EXPECT_EQ(options.cache_size, 1u << 30);
  EXPECT_EQ(options.listen, Options().listen);
}

TEST(OptionsFromEliot, WhatHasNoMeaningHereIsSaid) {
  const auto read = find_settings_from_eliot({{"ELIOT_STATSD_HOST", "h"},
                                              {"ELIOT_SYMBOLS_CACHE_MAX_SIZE", "much"},
                                              {"ELIOT_LOGGING_LEVEL", "LOUD"}},
                                             "/");
  ASSERT_TRUE(read.has_value());
  EXPECT_THAT(read->warnings,
              ElementsAre(HasSubstr("ELIOT_SYMBOLS_CACHE_MAX_SIZE"),
                          HasSubstr("ELIOT_LOGGING_LEVEL = LOUD"), HasSubstr("ELIOT_STATSD_HOST")));
  EXPECT_EQ(must_options(*read).cache_size, 1u << 30);
}

// The environment of this very process; a file of ours says more than it.
TEST(OptionsFromEliot, StandsBehindTheFileOfTheServer) {
  const auto place = base::TemporaryDirectory::create("eliot").value();
  const std::string path = place.path() + "/faultline.toml";
  ASSERT_TRUE(base::write_file_durably(path, base::bytes_of("cache.size = \"1 MiB\"\n"
                                                            "[[upstream]]\nurl = \"http://c/\"\n"))
                  .ok());
  ::setenv("ELIOT_SYMBOLS_URLS", "http://a/", 1);
  ::setenv("ELIOT_SECRET_SENTRY_DSN", "https://secret@sentry.example/1", 1);
  const auto options = load_options({path}, {});
  ::unsetenv("ELIOT_SYMBOLS_URLS");
  ::unsetenv("ELIOT_SECRET_SENTRY_DSN");
  ASSERT_TRUE(options.ok()) << options.error().what;
  EXPECT_EQ(options->cache_size, 1u << 20);
  ASSERT_EQ(options->upstreams.size(), 2u);
  EXPECT_EQ(options->upstreams[0].url, "http://a/");
  EXPECT_EQ(options->upstreams[1].url, "http://c/");
  ASSERT_EQ(options->warnings.size(), 1u);
  EXPECT_THAT(options->warnings[0], testing::Not(HasSubstr("secret@")));
}

}  // namespace
}  // namespace server
