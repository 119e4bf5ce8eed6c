// The transport against a server that says what a test wants. A real S3 server is in
// tests/s3_upstream_test.cc.
#include <gtest/gtest.h>

#include <algorithm>

#include "testing/scripted_server.h"
#include "upstream/transport.h"

namespace upstream {
namespace {

struct Seen {
  std::string target;
  net::Headers headers;

  std::string header(std::string_view name) const {
    return std::string(headers.find(name).value_or(""));
  }
};

class S3TransportTest : public testing::Test {
 protected:
  void SetUp() override {
    transport_.location = "s3://bucket/v1";
    transport_.s3.endpoint = server_.url();
  }
  void with_keys() { transport_.s3.credentials = {"the-id", "the-secret", "the-token"}; }
  // What fetching `path` gives: the bytes, or what went wrong.
  std::string fetched(const std::string& path, std::uint64_t size_max = UINT64_MAX) {
    const auto transport = s3_transport(transport_);
    if (!transport.ok()) return transport.error().what;
    auto file = base::PendingFile::create(directory_.path()).value();
    const auto end = (*transport)->fetch({path, size_max}, file, stop_, {});
    if (!end.ok()) return std::string(base::name_of(end.error().fault)) + ": " + end.error().what;
    return base::read_file(file.path()).value();
  }
  static net::Answer refusal(int status, const std::string& code, const std::string& more = "") {
    return net::Answer::text(status, "<Error><Code>" + code + "</Code>" + more + "</Error>");
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("s3-transport").value();
  std::vector<net::Answer> answers_;  // in order; the last for ever
  std::vector<Seen> seen_;            // written by the server while we wait for its answer
  testing_support::ScriptedServer server_{
      directory_.path(), [this](net::Request& request) {
        seen_.push_back({request.target, request.headers});
        return answers_[std::min(seen_.size(), answers_.size()) - 1];
      }};
  TransportOptions transport_;
  std::atomic<bool> stop_ = false;
};

TEST_F(S3TransportTest, AsksForTheKeyWithASignature) {
  with_keys();
  transport_.headers = {{"X-Amz-Request-Payer", "requester"}, {"Accept", "*/*"}};
  answers_ = {net::Answer::text(200, "the bytes")};
  EXPECT_EQ(fetched("libstdc++.so/ä 1%/x"), "the bytes");
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].target, "/bucket/v1/libstdc%2B%2B.so/%C3%A4%201%25/x");
  EXPECT_EQ("http://" + seen_[0].header("Host"), server_.url());
  EXPECT_EQ(seen_[0].header("X-Amz-Security-Token"), "the-token");
  EXPECT_EQ(seen_[0].header("X-Amz-Request-Payer"), "requester");
  const std::string authorization = seen_[0].header("Authorization");
  EXPECT_NE(authorization.find("Credential=the-id/"), std::string::npos) << authorization;
  EXPECT_NE(authorization.find(";x-amz-request-payer;x-amz-security-token, "), std::string::npos);
  EXPECT_EQ(authorization.find("the-secret"), std::string::npos);
}

TEST_F(S3TransportTest, NobodySignsNothing) {
  answers_ = {net::Answer::text(200, "the bytes")};
  EXPECT_EQ(fetched("a"), "the bytes");
  ASSERT_EQ(seen_.size(), 1u);
  for (const auto& [name, value] : seen_[0].headers.all()) {
    EXPECT_FALSE(name.starts_with("x-amz") || name == "Authorization") << name;
  }
}

TEST_F(S3TransportTest, ARefusedClockIsSetOnce) {
  with_keys();
  answers_ = {refusal(403, "RequestTimeTooSkewed"), net::Answer::text(200, "the bytes")};
  EXPECT_EQ(fetched("a"), "the bytes");
  EXPECT_EQ(seen_.size(), 2u);
  seen_.clear();
  answers_ = {refusal(403, "RequestTimeTooSkewed")};
  EXPECT_EQ(fetched("a").find("unavailable: s3://bucket/v1: a: "), 0u);
  EXPECT_EQ(seen_.size(), 2u);
}

TEST_F(S3TransportTest, ARedirectIsNotFollowedAndNamesTheRegion) {
  with_keys();
  net::Answer moved = refusal(301, "PermanentRedirect", "<Region>eu-west-2</Region>");
  moved.headers.add("Location", server_.url() + "/elsewhere");
  answers_ = {moved};
  const std::string said = fetched("a");
  EXPECT_EQ(said.find("unavailable: "), 0u) << said;
  EXPECT_NE(said.find("set region = \"eu-west-2\""), std::string::npos) << said;
  EXPECT_EQ(seen_.size(), 1u);
}

TEST_F(S3TransportTest, WhatIsTooLargeIsNotWaitedFor) {
  answers_ = {net::Answer::text(200, std::string(1'000'000, 'x'))};
  EXPECT_EQ(fetched("a", 999'999).find("too_large: "), 0u);
  EXPECT_EQ(fetched("a", 1'000'000).size(), 1'000'000u);
}

TEST_F(S3TransportTest, TellsAMissFromAFailure) {
  with_keys();
  struct Row {
    net::Answer answer;
    std::string said;
  };
  const std::vector<Row> rows{{refusal(404, "NoSuchKey"), "not_found: "},
                              {refusal(403, "AccessDenied"), "not_found: "},
                              {refusal(403, "SignatureDoesNotMatch"), "unavailable: "},
                              {refusal(403, "InvalidAccessKeyId"), "unavailable: "},
                              {refusal(404, "NoSuchBucket"), "unavailable: "},
                              {net::Answer::text(502, "a proxy's page"), "unavailable: "}};
  for (const Row& row : rows) {
    answers_ = {row.answer};
    const std::string said = fetched("a");
    EXPECT_EQ(said.find(row.said), 0u) << said;
    EXPECT_EQ(said.find("the-secret"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace upstream
