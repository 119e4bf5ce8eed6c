#include "server/options.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "testing/corpus.h"

namespace server {
namespace {

Options must_options(std::string_view toml) {
  const auto settings = settings_from_toml(toml, "f.toml");
  EXPECT_TRUE(settings.ok()) << settings.error().what;
  const auto options = options_from(*settings);
  EXPECT_TRUE(options.ok()) << options.error().what;
  return *options;
}

std::string error_of(std::string_view toml) {
  const auto settings = settings_from_toml(toml, "f.toml");
  if (!settings.ok()) return settings.error().what;
  const auto options = options_from(*settings);
  return options.ok() ? "" : options.error().what;
}

TEST(Options, ComeFromTomlTables) {
  const Options options = must_options(
      "listen = \"0.0.0.0:80\"\ndata = '/srv/f'\n[limits]\nupload = \"2 GiB\"\nparts = 12\n");
  EXPECT_EQ(options.listen, "0.0.0.0:80");
  EXPECT_EQ(options.data, "/srv/f");
  EXPECT_EQ(options.limit_upload, 2ull << 30);
  EXPECT_EQ(options.limit_parts, 12u);
  EXPECT_EQ(options.limit_crash_report, 100ull << 20);
}

TEST(Options, NobodyMakesUsFetchUnlessTheOperatorLetsHim) {
  EXPECT_EQ(must_options("").symbolication_sources, 0u);
  EXPECT_EQ(must_options("symbolication.sources = 1\n").symbolication_sources, 1u);
}

TEST(Options, AListIsATextWithALineForEachItem) {
  EXPECT_EQ(must_options("[sources]\nhosts = [\"a\", \"b\"]\n").sources_hosts, "a\nb");
  EXPECT_NE(error_of("[sources]\nhosts = [\"a\", 3]\n"), "");
}

TEST(Options, AnUnknownKeyNamesTheNearest) {
  EXPECT_EQ(error_of("[limits]\nuplaod = 3\n"),
            "f.toml:2: there is no key limits.uplaod; the nearest is limits.upload");
  EXPECT_EQ(error_of("listne = 'x'\n"), "f.toml:1: there is no key listne; the nearest is listen");
}

TEST(Options, AWrongValueSaysWhatWasExpected) {
  EXPECT_EQ(error_of("limits.upload = 'much'\n"),
            "f.toml:1: limits.upload = much: expected a size such as \"8 GiB\"");
  EXPECT_EQ(error_of("\nlimits.parts = 1.5\n"),
            "f.toml:2: limits.parts is neither a text, a list of texts nor a whole number");
  EXPECT_EQ(error_of("limits.parts = -1\n"),
            "f.toml:1: limits.parts = -1: expected a whole number");
}

TEST(Options, BrokenTomlNamesItsLine) {
  EXPECT_EQ(error_of("a = 1\nb = = 2\n").substr(0, 9), "f.toml:2:");
  EXPECT_EQ(error_of("a = 1\n[[[\n").substr(0, 7), "f.toml:");
}

TEST(Options, LaterSourcesWin) {
  const auto environment = settings_from_environment({{"FAULTLINE_LIMITS_UPLOAD", "5"},
                                                      {"FAULTLINE_LISTEN", "[::1]:1"},
                                                      {"FAULTLINE_OTHER", "x"}});
  ASSERT_TRUE(environment.ok());
  std::vector<Setting> settings{{"listen", "a:1", "file"}};
  settings.insert(settings.end(), environment->begin(), environment->end());
  settings.push_back({"listen", "flag:2", "--listen"});
  const Options options = options_from(settings).value();
  EXPECT_EQ(options.limit_upload, 5u);
  EXPECT_EQ(options.listen, "flag:2");
}

TEST(Options, ASecretMayStandInAFile) {
  const auto root = base::TemporaryDirectory::create("options").value();
  ASSERT_TRUE(base::write_file_durably(root.path() + "/t", base::bytes_of("secret\n")).ok());
  const auto settings =
      settings_from_environment({{"FAULTLINE_UPLOAD_TOKEN_FILE", root.path() + "/t"}});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(options_from(*settings)->upload_token, "secret");
}

TEST(Options, SizesHaveUnits) {
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("8 GiB"), 8ull << 30);
  EXPECT_EQ(parse_size("100MB"), 100'000'000u);
  EXPECT_FALSE(parse_size("-1"));
  EXPECT_FALSE(parse_size("many"));
  EXPECT_FALSE(parse_size("99999999999 TiB"));
}

TEST(Options, EveryKeyIsDocumentedWithItsDefault) {
  const auto page =
      base::read_file(testing_support::source_root() + "/docs/configuration.md").value_or("");
  for (const Setting& setting : default_settings()) {
    EXPECT_NE(page.find("`" + setting.key + "`"), std::string::npos) << setting.key;
  }
}

}  // namespace
}  // namespace server
