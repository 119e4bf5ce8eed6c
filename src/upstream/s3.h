// What S3 is like: where the objects of a bucket lie, and what a refusal means. Its answers to who
// may not list a bucket hide what is not there behind "access denied", so that a status alone does
// not say whether a file is missing or our key is wrong; the code in the body does.
// Not the transfer: that is s3_transport.cc; nor the signature: sigv4.h.
// Plain values; pure functions; any thread. s3_address() fails with malformed and says what is
// wrong about the location or the endpoint. No error holds more than names.
// Format: docs/protocols/upstreams.md
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"
#include "upstream/sigv4.h"

namespace upstream {

struct S3Options {
  std::string endpoint;  // "https://host[:port][/path]"; "": AWS
  std::string region = "us-east-1";
  AwsCredentials credentials;  // empty: we ask as nobody
};

bool is_s3(std::string_view location);  // "s3://bucket/prefix"

// The URL of an object is origin + path + its key, percent-encoded; `path` is encoded already.
struct S3Address {
  std::string origin;  // "https://bucket.s3.eu-west-1.amazonaws.com"
  std::string host;    // as in the header Host
  std::string path;    // "/", "/prefix/", "/bucket/prefix/"
};
base::Result<S3Address> s3_address(std::string_view location, const S3Options& options);

enum class S3Meaning : unsigned char {
  miss,     // it is not there
  hidden,   // it is not there, or we may not read it: nobody tells us
  clock,    // our clock and the server's are too far apart
  failure,  // nothing is known about the object
};
struct S3Refusal {
  S3Meaning meaning;
  base::Error error;  // not_found for a miss, unavailable otherwise
};
S3Refusal refused_by_s3(int status, const net::Headers& headers, std::string_view body);

// What stands in the element of a document that S3 answers with; "" when there is none. Letters,
// digits and ".-:_/" alone, and not many: it ends in a log.
std::string element_of(std::string_view xml, std::string_view name);

}  // namespace upstream
