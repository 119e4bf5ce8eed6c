// What a table [[upstream]] whose url is s3://… says about the bucket, and who we are there.
// A pure function. Fails with malformed and names the table.
// Format: docs/protocols/upstreams.md
#pragma once

#include <string>

#include "base/result.h"
#include "server/upstream_options.h"
#include "upstream/s3.h"

namespace server {

// Of another url: the default ones, or an error when the keys are set all the same.
base::Result<upstream::S3Options> s3_options(const UpstreamOptions& options,
                                             const std::string& name);

}  // namespace server
