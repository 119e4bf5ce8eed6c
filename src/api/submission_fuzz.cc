// Hostile crash reports: the boundary is fixed, all else is the fuzzer's.
#include "api/json_members.h"
#include "api/submission_from_parts.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes bytes(data, size);
  [[maybe_unused]] const auto members = api::split_json_object(base::text_of(bytes));
  const auto parts = net::parse_multipart("b", bytes);
  if (parts.ok()) {
    api::SubmissionLimits limits;
    limits.unpacked_size_max = 1u << 20;
    [[maybe_unused]] const auto taken = api::submission_from_parts(*parts, limits);
  }
  return 0;
}
