#include "upstream/sigv4.h"

#include <gtest/gtest.h>

#include "base/sha256.h"

namespace upstream {
namespace {

// The keys that AWS's documentation and its test suite sign with.
const AwsCredentials& documentation_keys() {
  static const AwsCredentials keys{"AKIAIOSFODNN7EXAMPLE",
                                   "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  return keys;
}
const AwsCredentials& suite_keys() {
  static const AwsCredentials keys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};
  return keys;
}

std::string hash_of(std::string_view text) { return base::sha256_of(base::bytes_of(text)).hex(); }

std::string signature_of(const std::string& authorization) {
  const std::size_t at = authorization.find("Signature=");
  return at == std::string::npos ? authorization : authorization.substr(at + 10);
}

TEST(Sigv4, SignsAsTheExamplesOfS3) {
  const std::string time = "20130524T000000Z";
  struct Row {
    std::string name, method, path, query, payload;
    std::vector<std::pair<std::string, std::string>> more;
    std::string signature;
  };
  const std::vector<Row> rows{
      {"GET object",
       "GET",
       "/test.txt",
       "",
       "",
       {{"Range", "bytes=0-9"}},
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"PUT object",
       "PUT",
       "/test%24file.text",
       "",
       "Welcome to Amazon S3.",
       {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"GET bucket lifecycle",
       "GET",
       "/",
       "lifecycle=",
       "",
       {},
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"GET bucket",
       "GET",
       "/",
       "max-keys=2&prefix=J",
       "",
       {},
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (const Row& row : rows) {
    AwsRequest request{row.method, row.path, row.query, row.more, hash_of(row.payload)};
    request.headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
    request.headers.emplace_back("x-amz-content-sha256", request.payload_hash);
    request.headers.emplace_back("x-amz-date", time);
    EXPECT_EQ(
        signature_of(aws_authorization(request, documentation_keys(), {"us-east-1", "s3"}, time)),
        row.signature)
        << row.name;
  }
}

TEST(Sigv4, SignsAsTheTestSuite) {
  const std::string time = "20150830T123600Z";
  struct Row {
    std::string name, path, query;
    std::vector<std::pair<std::string, std::string>> more;
    std::string signature;
  };
  const std::vector<Row> rows{
      {"get-vanilla",
       "/",
       "",
       {},
       "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
      {"get-vanilla-query-order-key-case",
       "/",
       "Param1=value1&Param2=value2",
       {},
       "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
      {"get-utf8",
       "/%E1%88%B4",
       "",
       {},
       "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
      {"get-unreserved",
       "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
       "",
       {},
       "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
      {"get-header-value-trim",
       "/",
       "",
       {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
       "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
  };
  for (const Row& row : rows) {
    AwsRequest request{"GET", row.path, row.query, row.more, hash_of("")};
    request.headers.emplace_back("Host", "example.amazonaws.com");
    request.headers.emplace_back("X-Amz-Date", time);
    EXPECT_EQ(
        signature_of(aws_authorization(request, suite_keys(), {"us-east-1", "service"}, time)),
        row.signature)
        << row.name;
  }
}

TEST(Sigv4, SaysWhoWhenAndWhatIsSigned) {
  EXPECT_EQ(aws_time(base::Time{1'369'353'600'000'000}), "20130524T000000Z");
  const auto headers =
      aws_signed_headers("examplebucket.s3.amazonaws.com", "/test.txt", documentation_keys(),
                         {"us-east-1", "s3"}, base::Time{1'369'353'600'999'999},
                         {{"X-Amz-Request-Payer", "requester"}, {"Accept", "text/plain"}});
  ASSERT_EQ(headers.size(), 4u);
  EXPECT_EQ(headers[0].second, hash_of(""));
  EXPECT_EQ(headers[1].second, "20130524T000000Z");
  EXPECT_EQ(headers[2].first, "X-Amz-Request-Payer");
  const std::string start =
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
      "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-request-payer, Signature=";
  EXPECT_EQ(headers[3].first, "Authorization");
  EXPECT_EQ(headers[3].second.substr(0, start.size()), start);
}

TEST(Sigv4, TheTokenIsSentAndSigned) {
  AwsCredentials keys = documentation_keys();
  keys.session_token = "a token";
  const auto headers = aws_signed_headers("h", "/k", keys, {"us-east-1", "s3"}, base::Time{0});
  ASSERT_EQ(headers.size(), 4u);
  EXPECT_EQ(headers[2],
            std::make_pair(std::string("x-amz-security-token"), std::string("a token")));
  EXPECT_NE(headers[3].second.find("x-amz-date;x-amz-security-token,"), std::string::npos);
}

}  // namespace
}  // namespace upstream
