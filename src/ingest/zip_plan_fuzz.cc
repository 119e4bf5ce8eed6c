// Any bytes as an uploaded zip: a plan whose paths are all allowed, or a fault.
#include "base/assert.h"
#include "ingest/zip_members.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  archive::ZipLimits limits;
  limits.members_max = 100;
  limits.member_size_max = 1 << 20;
  limits.ratio_free_size = 4 << 20;
  limits.ratio_max = 20;
  const auto plan = ingest::plan_zip({data, size}, limits);
  if (!plan.ok()) return 0;
  for (const auto& [name, wanted] : plan->wanted) {
    ASSERT(name.find("..") == std::string::npos || name.find("/../") == std::string::npos);
    ASSERT(ident::is_allowed_name(wanted.name));
    if (wanted.path) {
      ASSERT(ident::is_allowed_name(wanted.path->name) &&
             ident::is_allowed_name(wanted.path->file));
    }
  }
  return 0;
}
