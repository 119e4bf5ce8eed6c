// AWS Signature Version 4, in the header form: how a request to S3 proves who asks. curl has a
// signer too, which is no use here: it refuses keys such as libstdc++.so.
// What is signed is what goes over the wire: path and query are percent-encoded already, each byte
// once, as S3 wants it (other services of AWS want the path encoded twice).
// Pure functions; any thread; they cannot fail. No result holds the secret.
// Source: AWS, "Signature Calculations for the Authorization Header"
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace upstream {

struct AwsCredentials {
  std::string access_key, secret_key;
  std::string session_token;  // of credentials that end; "": none

  bool empty() const { return access_key.empty(); }
};

struct AwsScope {
  std::string region;
  std::string service = "s3";
};

struct AwsRequest {
  std::string method = "GET";
  std::string path = "/";  // percent-encoded
  std::string query;       // "a=1&b=", percent-encoded, in the order of the names
  // All that are signed, Host among them, in any order and case.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string payload_hash;  // SHA-256, in hex
};

bool must_be_signed(std::string_view header);  // X-Amz-…
std::string aws_time(base::Time time);         // "20130524T000000Z"

// The value of the header Authorization. `time` is aws_time(), and that of X-Amz-Date.
std::string aws_authorization(const AwsRequest& request, const AwsCredentials& credentials,
                              const AwsScope& scope, const std::string& time);

// The headers that a GET without a body needs, beside Host, which the client sends: those in
// `more` that must be signed, the time, the token, and Authorization.
std::vector<std::pair<std::string, std::string>> aws_signed_headers(
    const std::string& host, const std::string& path, const AwsCredentials& credentials,
    const AwsScope& scope, base::Time time,
    const std::vector<std::pair<std::string, std::string>>& more = {});

}  // namespace upstream
