#include "upstream/sigv4.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>

#include "base/sha256.h"
#include "base/text.h"

namespace upstream {

using Headers = std::vector<std::pair<std::string, std::string>>;

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string hash_of(std::string_view text) { return base::sha256_of(base::bytes_of(text)).hex(); }

// No blanks at the ends, one where there are several.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (const char c : base::trim(value)) {
    if (c != ' ' || out.back() != ' ') out.push_back(c);
  }
  return out;
}

Headers canonical_headers(const Headers& headers) {
  Headers canonical;
  canonical.reserve(headers.size());
  for (const auto& [name, value] : headers) {
    canonical.emplace_back(base::lower_ascii(name), canonical_value(value));
  }
  std::sort(canonical.begin(), canonical.end());
  return canonical;
}

std::string names_of(const Headers& canonical) {
  std::string names;
  for (const auto& [name, value] : canonical) {
    if (!names.empty()) names += ';';
    names += name;
  }
  return names;
}

std::string canonical_request(const AwsRequest& request, const Headers& canonical,
                              const std::string& names) {
  std::string lines;
  for (const auto& [name, value] : canonical) lines += fmt::format("{}:{}\n", name, value);
  return fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path, request.query, lines,
                     names, request.payload_hash);
}

// From the secret to a key that is good for one day, region and service.
base::Sha256 signing_key(const std::string& secret, std::string_view day, const AwsScope& scope) {
  const std::string first = "AWS4" + secret;
  base::Sha256 key = base::hmac_sha256_of(base::bytes_of(first), base::bytes_of(day));
  for (const std::string_view part :
       {std::string_view(scope.region), std::string_view(scope.service),
        std::string_view("aws4_request")}) {
    key = base::hmac_sha256_of(key.bytes, base::bytes_of(part));
  }
  return key;
}

}  // namespace

bool must_be_signed(std::string_view header) {
  return base::lower_ascii(header).starts_with("x-amz-");
}

std::string aws_time(base::Time time) {
  const std::time_t seconds = time.us / 1'000'000;
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

std::string aws_authorization(const AwsRequest& request, const AwsCredentials& credentials,
                              const AwsScope& scope, const std::string& time) {
  const Headers canonical = canonical_headers(request.headers);
  const std::string names = names_of(canonical);
  const std::string_view day = std::string_view(time).substr(0, 8);
  const std::string where = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, time, where,
                                          hash_of(canonical_request(request, canonical, names)));
  const base::Sha256 signature = base::hmac_sha256_of(
      signing_key(credentials.secret_key, day, scope).bytes, base::bytes_of(to_sign));
  return fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm,
                     credentials.access_key, where, names, signature.hex());
}

Headers aws_signed_headers(const std::string& host, const std::string& path,
                           const AwsCredentials& credentials, const AwsScope& scope,
                           base::Time time, const Headers& more) {
  AwsRequest request;
  request.path = path;
  request.payload_hash = hash_of("");
  const std::string now = aws_time(time);
  Headers headers{{"x-amz-content-sha256", request.payload_hash}, {"x-amz-date", now}};
  if (!credentials.session_token.empty()) {
    headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  std::copy_if(more.begin(), more.end(), std::back_inserter(headers),
               [](const auto& header) { return must_be_signed(header.first); });
  request.headers = headers;
  request.headers.emplace_back("host", host);
  headers.emplace_back("Authorization", aws_authorization(request, credentials, scope, now));
  return headers;
}

}  // namespace upstream
