#include "server/upstream_options.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "server/options.h"
#include "server/upstream_environment.h"

namespace server {
namespace {

std::vector<UpstreamOptions> must_upstreams(std::string_view toml, const Environment& environment) {
  auto settings = settings_from_toml(toml, "f.toml").value();
  const auto more = settings_from_environment(environment);
  EXPECT_TRUE(more.ok()) << more.error().what;
  settings.insert(settings.end(), more->begin(), more->end());
  auto options = options_from(settings);
  EXPECT_TRUE(options.ok()) << options.error().what;
  if (!options.ok()) return {};
  use_aws_environment(environment, options->upstreams);
  return options->upstreams;
}

std::string error_of(std::string_view toml) {
  for (const UpstreamOptions& one : must_upstreams(toml, {})) {
    const auto server = server_options(one);
    if (!server.ok()) return server.error().what;
  }
  return "";
}

TEST(UpstreamOptions, TheEnvironmentMaySayWhatATableMay) {
  const auto directory = base::TemporaryDirectory::create("upstream-options").value();
  const std::string file = directory.path() + "/secret";
  ASSERT_TRUE(base::write_file_durably(file, base::bytes_of("out of a file\n")).ok());
  const auto upstreams = must_upstreams(
      "[[upstream]]\nurl = \"s3://one\"\n[[upstream]]\nurl = \"s3://two\"\nretry_seconds = 3\n",
      {{"FAULTLINE_UPSTREAM_0_ACCESS_KEY", "a"},
       {"FAULTLINE_UPSTREAM_0_SECRET_KEY_FILE", file},
       {"FAULTLINE_UPSTREAM_1_RETRY_SECONDS", "7"}});
  ASSERT_EQ(upstreams.size(), 2u);
  EXPECT_EQ(upstreams[0].access_key, "a");
  EXPECT_EQ(upstreams[0].secret_key, "out of a file");
  EXPECT_EQ(upstreams[1].retry_seconds, 7u);
  EXPECT_FALSE(upstream_settings({{"FAULTLINE_UPSTREAM_0_SECRET_KEY_FILE", "/nowhere"}}).ok());
}

TEST(UpstreamOptions, WhoDripsIsNotWaitedForUnlessToldSo) {
  const auto upstreams = must_upstreams(
      "[[upstream]]\nurl = \"http://one\"\n"
      "[[upstream]]\nurl = \"http://two\"\nspeed_min_bytes = 5000\n"
      "[[upstream]]\nurl = \"http://three\"\nspeed_min_bytes = 0\n",
      {});
  ASSERT_EQ(upstreams.size(), 3u);
  EXPECT_EQ(server_options(upstreams[0])->transport.speed_min, 1024u);
  EXPECT_EQ(server_options(upstreams[1])->transport.speed_min, 5000u);
  EXPECT_EQ(server_options(upstreams[2])->transport.speed_min, 1u)
      << "one that is still has failed";
}

TEST(UpstreamOptions, AwsNamesAreForBucketsWithoutKeys) {
  const Environment environment{{"AWS_ACCESS_KEY_ID", "id"},
                                {"AWS_SECRET_ACCESS_KEY", "secret"},
                                {"AWS_SESSION_TOKEN", "token"},
                                {"AWS_DEFAULT_REGION", "eu-west-3"}};
  const auto upstreams = must_upstreams(
      "[[upstream]]\nurl = \"s3://one\"\n"
      "[[upstream]]\nurl = \"s3://two\"\nregion = \"r\"\naccess_key = \"a\"\nsecret_key = \"s\"\n"
      "[[upstream]]\nurl = \"s3://three\"\naccess_key = \"anonymous\"\n"
      "[[upstream]]\nurl = \"http://four\"\n",
      environment);
  ASSERT_EQ(upstreams.size(), 4u);
  const upstream::S3Options one = server_options(upstreams[0])->transport.s3;
  EXPECT_EQ(one.credentials.access_key, "id");
  EXPECT_EQ(one.credentials.secret_key, "secret");
  EXPECT_EQ(one.credentials.session_token, "token");
  EXPECT_EQ(one.region, "eu-west-3");
  const upstream::S3Options two = server_options(upstreams[1])->transport.s3;
  EXPECT_EQ(two.credentials.access_key, "a");
  EXPECT_EQ(two.credentials.session_token, "");
  EXPECT_EQ(two.region, "r");
  EXPECT_TRUE(server_options(upstreams[2])->transport.s3.credentials.empty());
  EXPECT_EQ(upstreams[3].access_key, "");
  EXPECT_TRUE(server_options(upstreams[3]).ok());
}

TEST(UpstreamOptions, ASchemeMayBeInCapitals) {
  struct Row {
    std::string table, location;
  };
  for (const Row& row :
       {Row{"url = \"HTTP://Server/Sym\"\n", "http://Server/Sym"},
        Row{"url = \"Https://Server/Sym\"\n", "https://Server/Sym"},
        Row{"url = \"S3://bucket/Sym\"\nendpoint = \"HTTP://Minio:9000\"\n", "s3://bucket/Sym"},
        Row{"url = \"/Srv/A://B\"\n", "/Srv/A://B"}}) {
    const auto upstreams = must_upstreams("[[upstream]]\n" + row.table, {});
    ASSERT_EQ(upstreams.size(), 1u);
    const auto server = upstream::Server::make(server_options(upstreams[0]).value());
    ASSERT_TRUE(server.ok()) << server.error().what;
    EXPECT_EQ(server.value()->place(), row.location);
  }
}

TEST(UpstreamOptions, KeysOfBucketsAreChecked) {
  const std::string bucket = "[[upstream]]\nurl = \"s3://bucket\"\n";
  EXPECT_EQ(error_of(bucket), "");
  EXPECT_NE(error_of(bucket + "access_key = \"a\"\n").find("go together"), std::string::npos);
  EXPECT_NE(error_of(bucket + "secret_key = \"a\"\n").find("go together"), std::string::npos);
  EXPECT_NE(error_of(bucket + "session_token = \"a\"\n").find("session_token goes with"),
            std::string::npos);
  EXPECT_NE(error_of("[[upstream]]\nurl = \"http://h\"\nregion = \"a\"\n").find("s3:// alone"),
            std::string::npos);
}

}  // namespace
}  // namespace server
