#include "server/upstream_s3.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::string_view kNobody = "anonymous";
constexpr std::string_view kUsualRegion = "us-east-1";

}  // namespace

Result<upstream::S3Options> s3_options(const UpstreamOptions& options, const std::string& name) {
  const std::string table = "[[upstream]] " + name;
  const bool has_key =
      !options.access_key.empty() || !options.secret_key.empty() || !options.session_token.empty();
  if (!upstream::is_s3(options.url)) {
    if (!has_key && options.endpoint.empty() && options.region.empty()) {
      return upstream::S3Options();
    }
    return Error{Fault::malformed, table +
                                       ": endpoint, region, access_key, secret_key and "
                                       "session_token are for s3:// alone"};
  }
  upstream::S3Options s3;
  s3.endpoint = options.endpoint;
  s3.region = options.region.empty() ? std::string(kUsualRegion) : options.region;
  if (options.access_key == kNobody) return s3;
  if (options.access_key.empty() != options.secret_key.empty()) {
    return Error{Fault::malformed, table + ": access_key and secret_key go together"};
  }
  if (has_key && options.access_key.empty()) {
    return Error{Fault::malformed, table + ": session_token goes with access_key and secret_key"};
  }
  s3.credentials = {options.access_key, options.secret_key, options.session_token};
  return s3;
}

}  // namespace server
