// What the environment says about upstream servers: anything that their tables may say, so that
// secrets need not stand in a file that everybody reads, and the names that other programs use for
// the keys of buckets.
// Pure but for upstream_settings(), which reads the files named; it fails when one cannot be read.
// Format: docs/protocols/upstreams.md
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/options.h"

namespace server {

using Environment = std::map<std::string, std::string>;

// FAULTLINE_UPSTREAM_0_SECRET_KEY sets `secret_key` of the first table; with _FILE at the end, to
// what stands in that file.
base::Result<std::vector<Setting>> upstream_settings(const Environment& environment);
// AWS_ACCESS_KEY_ID and its kind, for buckets whose table names no key.
void use_aws_environment(const Environment& environment, std::vector<UpstreamOptions>& upstreams);

}  // namespace server
