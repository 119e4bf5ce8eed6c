#include "base/fault.h"

#include <array>

#include "base/assert.h"

namespace base {
namespace {

using std::chrono::seconds;

constexpr std::array<FaultPolicy, 8> kPolicies{{
    {"not_found", seconds(600), Loudness::debug, 404},
    {"malformed", seconds(3600), Loudness::info, 400},
    {"unsupported", seconds(3600), Loudness::info, 415},
    {"too_large", seconds(3600), Loudness::info, 413},
    {"denied", seconds(60), Loudness::info, 403},
    {"timed_out", seconds(15), Loudness::warning, 504},
    {"unavailable", seconds(15), Loudness::warning, 503},
    {"internal", seconds(5), Loudness::error, 500},
}};

}  // namespace

const FaultPolicy& policy_of(Fault fault) {
  const auto index = static_cast<std::size_t>(fault);
  ASSERT(index < kPolicies.size());
  return kPolicies[index];
}

}  // namespace base
