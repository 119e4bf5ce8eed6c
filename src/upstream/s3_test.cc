#include "upstream/s3.h"

#include <gtest/gtest.h>

namespace upstream {
namespace {

std::string url_of(const std::string& location, const std::string& endpoint = "",
                   const std::string& region = "eu-west-1") {
  const auto address = s3_address(location, {endpoint, region, {}});
  if (!address.ok()) return address.error().what;
  return address->origin + address->path + " " + address->host;
}

TEST(S3Address, IsWhereTheBucketIs) {
  struct Row {
    std::string location, endpoint, expected;
  };
  const std::vector<Row> rows{
      {"s3://symbols", "",
       "https://symbols.s3.eu-west-1.amazonaws.com/ symbols.s3.eu-west-1.amazonaws.com"},
      {"s3://symbols/v1/a b/", "",
       "https://symbols.s3.eu-west-1.amazonaws.com/v1/a%20b/ symbols.s3.eu-west-1.amazonaws.com"},
      {"s3://my.symbols", "",
       "https://s3.eu-west-1.amazonaws.com/my.symbols/ s3.eu-west-1.amazonaws.com"},
      {"s3://Symbols", "",
       "https://s3.eu-west-1.amazonaws.com/Symbols/ s3.eu-west-1.amazonaws.com"},
      {"s3://symbols/v1", "HTTP://LocalHost:9000/",
       "http://localhost:9000/symbols/v1/ localhost:9000"},
      {"s3://symbols", "https://storage.example:443/s3",
       "https://storage.example:443/s3/symbols/ storage.example"},
      {"s3://symbols", "http://[::1]:80", "http://[::1]:80/symbols/ [::1]"},
      {"s3://symbols", "http://[::80]", "http://[::80]/symbols/ [::80]"},
  };
  for (const Row& row : rows) EXPECT_EQ(url_of(row.location, row.endpoint), row.expected);
  EXPECT_EQ(url_of("s3://symbols", "", "cn-north-1"),
            "https://symbols.s3.cn-north-1.amazonaws.com.cn/ "
            "symbols.s3.cn-north-1.amazonaws.com.cn");
}

TEST(S3Address, RefusesWhatIsNone) {
  struct Row {
    std::string location, endpoint, region, expected;
  };
  const std::vector<Row> rows{
      {"s3://", "", "r", "expected s3://bucket/prefix"},
      {"s3://b", "", "r", "expected s3://bucket/prefix"},
      {"s3://buc ket", "", "r", "expected s3://bucket/prefix"},
      {"s3://bucket/a/../b", "", "r", "no . or .. in the prefix"},
      {"s3://bucket", "localhost:9000", "r", "expected http://host:port"},
      {"s3://bucket", "http", "r", "expected http://host:port"},
      {"s3://bucket", "https:/", "r", "expected http://host:port"},
      {"s3://bucket", "http://", "r", "expected http://host:port"},
      {"s3://bucket", "http://h/../x", "r", "expected http://host:port"},
      {"s3://bucket", "http://me:word@host", "r", "no user or password"},
      {"s3://bucket", "me:word@host", "r", "no user or password"},
      {"s3://bucket", "", "", "is no region"},
      {"s3://bucket", "", "a/b", "is no region"},
  };
  for (const Row& row : rows) {
    const auto address = s3_address(row.location, {row.endpoint, row.region, {}});
    ASSERT_FALSE(address.ok()) << row.location << " " << row.endpoint;
    EXPECT_EQ(address.error().fault, base::Fault::malformed);
    EXPECT_NE(address.error().what.find(row.expected), std::string::npos) << address.error().what;
    EXPECT_EQ(address.error().what.find("word@"), std::string::npos);
  }
}

std::string document_of(const std::string& code, const std::string& more = "") {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code +
         "</Code><Message>Some words</Message>" + more + "</Error>";
}

TEST(S3Refusal, GoesByTheCode) {
  struct Row {
    int status;
    std::string body;
    S3Meaning meaning;
    std::string said;
  };
  const std::vector<Row> rows{
      {404, document_of("NoSuchKey"), S3Meaning::miss, "NoSuchKey"},
      {404, "", S3Meaning::miss, "404"},
      {404, document_of("NoSuchBucket"), S3Meaning::failure, "no such bucket"},
      {403, document_of("AccessDenied"), S3Meaning::hidden, "may not read it"},
      {403, "", S3Meaning::hidden, "403"},
      {403, document_of("SignatureDoesNotMatch"), S3Meaning::failure, "secret key"},
      {403, document_of("InvalidAccessKeyId"), S3Meaning::failure, "access key"},
      {403, document_of("RequestTimeTooSkewed"), S3Meaning::clock, "clock"},
      {403, document_of("SomethingNew"), S3Meaning::failure, "SomethingNew"},
      {400, document_of("ExpiredToken"), S3Meaning::failure, "has expired"},
      {400, document_of("AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>"),
       S3Meaning::failure, "set region = \"eu-north-1\""},
      {301, document_of("PermanentRedirect", "<Endpoint>b.s3.example.com</Endpoint>"),
       S3Meaning::failure, "asked for at b.s3.example.com"},
      {301, "", S3Meaning::failure, "lies elsewhere"},
      {503, document_of("SlowDown"), S3Meaning::failure, "too often"},
      {500, document_of("a\nbad\x1b[1m one"), S3Meaning::failure, "answers 500"},
  };
  for (const Row& row : rows) {
    const S3Refusal refusal = refused_by_s3(row.status, {}, row.body);
    EXPECT_EQ(refusal.meaning, row.meaning) << row.body;
    EXPECT_NE(refusal.error.what.find(row.said), std::string::npos) << refusal.error.what;
    EXPECT_EQ(refusal.error.what.find('\x1b'), std::string::npos);
    const bool is_miss = row.meaning == S3Meaning::miss || row.meaning == S3Meaning::hidden;
    EXPECT_EQ(refusal.error.fault, is_miss ? base::Fault::not_found : base::Fault::unavailable);
  }
}

TEST(S3Refusal, TheHeadersNameTheRegionToo) {
  net::Headers headers;
  headers.add("x-amz-bucket-region", "ap-south-1");
  EXPECT_NE(refused_by_s3(301, headers, "").error.what.find("ap-south-1"), std::string::npos);
}

TEST(S3Refusal, AnElementIsShortAndPlain) {
  EXPECT_EQ(element_of("<a><Code> Slow-Down </Code></a>", "Code"), "Slow-Down");
  EXPECT_EQ(element_of("<a><Code>unfinished", "Code"), "");
  EXPECT_EQ(element_of("<Code>" + std::string(5000, 'a') + "</Code>", "Code"), "");
  EXPECT_EQ(element_of("<Code>two words</Code>", "Code"), "");
  EXPECT_EQ(element_of("", "Code"), "");
}

}  // namespace
}  // namespace upstream
