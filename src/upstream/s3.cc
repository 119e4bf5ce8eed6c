#include "upstream/s3.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "net/percent.h"

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::string_view kScheme = "s3://";
constexpr std::size_t kElementMax = 200;
constexpr std::size_t kBucketMin = 3, kBucketMax = 255;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool consists_of(std::string_view text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alphanumeric(c) || others.find(c) != std::string_view::npos;
  });
}

// What a server says, when it is fit for a log.
std::string plain(std::string_view text) {
  text = base::trim(text);
  return text.size() <= kElementMax && consists_of(text, ".-:_/") ? std::string(text) : "";
}

// A client would take "." and ".." out of the path, and the signature would be another one's.
bool has_dots(std::string_view path) {
  const auto parts = base::split(path, '/');
  return std::any_of(parts.begin(), parts.end(),
                     [](std::string_view part) { return part == "." || part == ".."; });
}

struct Endpoint {
  std::string origin, host, path;
};

Result<Endpoint> parse_endpoint(std::string_view endpoint) {
  if (endpoint.find('@') != std::string_view::npos) {
    return Error{Fault::malformed,
                 "no user or password in the endpoint; use access_key and secret_key"};
  }
  const Error wrong{Fault::malformed, fmt::format("endpoint {}: expected http://host:port or "
                                                  "https://host",
                                                  endpoint)};
  const std::string scheme = base::lower_ascii(endpoint.substr(0, endpoint.find("://")));
  if (scheme != "http" && scheme != "https") return wrong;
  std::string_view rest = endpoint.substr(std::min(scheme.size() + 3, endpoint.size()));
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string host = base::lower_ascii(rest.substr(0, slash));
  const std::string_view path = rest.substr(slash);
  if (host.empty() || !consists_of(host, "-.:[]_") || !consists_of(path, "-._~/") ||
      has_dots(path)) {
    return wrong;
  }
  Endpoint parsed{fmt::format("{}://{}", scheme, host), host, std::string(path)};
  // Clients leave it out of the header Host.
  const std::string_view usual = scheme == "http" ? ":80" : ":443";
  if (host.ends_with(usual)) parsed.host.resize(host.size() - usual.size());
  return parsed;
}

// Dots are no part of what AWS's certificates cover, capitals no part of a host's name.
bool is_host_label(std::string_view bucket) {
  return std::all_of(bucket.begin(), bucket.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

S3Address address_at_aws(std::string_view bucket, const std::string& region) {
  const std::string host =
      fmt::format("s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
  if (!is_host_label(bucket)) return {"https://" + host, host, fmt::format("/{}", bucket)};
  const std::string own = fmt::format("{}.{}", bucket, host);
  return {"https://" + own, own, ""};
}

struct Known {
  std::string_view code;
  S3Meaning meaning;
  std::string_view why;
};
constexpr std::array<Known, 12> kKnown{{
    {"NoSuchKey", S3Meaning::miss, ""},
    {"KeyTooLongError", S3Meaning::miss, ""},
    {"InvalidURI", S3Meaning::miss, ""},
    {"InvalidObjectState", S3Meaning::miss, "it is archived"},
    {"AccessDenied", S3Meaning::hidden, "it is not there, or we may not read it"},
    {"RequestTimeTooSkewed", S3Meaning::clock, "our clock and the server's are too far apart"},
    {"SignatureDoesNotMatch", S3Meaning::failure, "the secret key is not that of the access key"},
    {"InvalidAccessKeyId", S3Meaning::failure, "the server does not know the access key"},
    {"ExpiredToken", S3Meaning::failure, "the session token has expired"},
    {"InvalidToken", S3Meaning::failure, "the session token is none of this access key"},
    {"NoSuchBucket", S3Meaning::failure, "there is no such bucket"},
    {"SlowDown", S3Meaning::failure, "it is asked too often"},
}};

// Without a code: a proxy answered, or something that is S3 only nearly.
S3Meaning meaning_of(int status) {
  if (status == 404 || status == 410) return S3Meaning::miss;
  return status == 403 ? S3Meaning::hidden : S3Meaning::failure;
}

// Where the bucket is instead, when the answer says so.
std::string place_told(int status, const net::Headers& headers, std::string_view body) {
  std::string region = plain(headers.find("x-amz-bucket-region").value_or(""));
  if (region.empty()) region = element_of(body, "Region");
  if (!region.empty()) {
    return fmt::format("the bucket lies in the region {0}; set region = \"{0}\"", region);
  }
  if (const std::string endpoint = element_of(body, "Endpoint"); !endpoint.empty()) {
    return fmt::format("the bucket wants to be asked for at {}", endpoint);
  }
  return status >= 300 && status < 400 ? "the bucket lies elsewhere, and nobody says where" : "";
}

}  // namespace

bool is_s3(std::string_view location) { return location.starts_with(kScheme); }

std::string element_of(std::string_view xml, std::string_view name) {
  const std::string open = fmt::format("<{}>", name);
  const std::size_t start = xml.find(open);
  if (start == std::string_view::npos) return "";
  const std::string_view rest = xml.substr(start + open.size());
  const std::size_t size = rest.find('<');
  return size == std::string_view::npos ? "" : plain(rest.substr(0, size));
}

Result<S3Address> s3_address(std::string_view location, const S3Options& options) {
  const std::string_view rest = location.substr(std::min(kScheme.size(), location.size()));
  const std::string_view bucket = rest.substr(0, rest.find('/'));
  std::string_view prefix = rest.substr(bucket.size());
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  if (!is_s3(location) || bucket.size() < kBucketMin || bucket.size() > kBucketMax ||
      !consists_of(bucket, "-._") || has_dots(bucket)) {
    return Error{Fault::malformed, fmt::format("{}: expected s3://bucket/prefix", location)};
  }
  if (has_dots(prefix)) {
    return Error{Fault::malformed, fmt::format("{}: no . or .. in the prefix", location)};
  }
  if (options.region.empty() || !consists_of(options.region, "-_")) {
    return Error{Fault::malformed, fmt::format("{} is no region", options.region)};
  }
  S3Address address;
  if (options.endpoint.empty()) {
    address = address_at_aws(bucket, options.region);
  } else {
    const Endpoint endpoint = TRY(parse_endpoint(options.endpoint));
    address = {endpoint.origin, endpoint.host, fmt::format("{}/{}", endpoint.path, bucket)};
  }
  address.path += net::percent_encode(prefix, "/") + "/";
  return address;
}

S3Refusal refused_by_s3(int status, const net::Headers& headers, std::string_view body) {
  const std::string code = element_of(body, "Code");
  const auto* known = std::find_if(kKnown.begin(), kKnown.end(),
                                   [&](const Known& one) { return one.code == code; });
  const bool is_known = known != kKnown.end();
  S3Meaning meaning = S3Meaning::failure;
  if (is_known) meaning = known->meaning;
  if (code.empty()) meaning = meaning_of(status);
  std::string why(is_known ? known->why : "");
  if (meaning == S3Meaning::failure && why.empty()) why = place_told(status, headers, body);
  const bool is_miss = meaning == S3Meaning::miss || meaning == S3Meaning::hidden;
  return {meaning,
          {is_miss ? Fault::not_found : Fault::unavailable,
           fmt::format("answers {}{}{}{}{}", status, code.empty() ? "" : " ", code,
                       why.empty() ? "" : ": ", why)}};
}

}  // namespace upstream
