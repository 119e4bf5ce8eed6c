// The eight ways in which something can go wrong, and the policy for each.
// Not a message: base/result.h pairs a fault with a sentence for the person who must act.
// The table in fault.cc is the only place that says how long a fault may be
// remembered, how loudly it is logged, and which HTTP status it has by default.
#pragma once

#include <chrono>
#include <string_view>

namespace base {

enum class Fault : unsigned char {
  not_found,    // nobody has it
  malformed,    // the bytes are not what they claim to be
  unsupported,  // legal, but we cannot read it
  too_large,    // a named limit was passed
  denied,       // the asker may not
  timed_out,    // no answer in time
  unavailable,  // the other side cannot now: disk full, server down
  internal,     // our own mistake
};

enum class Loudness : unsigned char { debug, info, warning, error };

struct FaultPolicy {
  std::string_view name;
  std::chrono::seconds remember;  // how long a miss with this cause may be kept
  Loudness loudness;
  int http_status;
};

const FaultPolicy& policy_of(Fault fault);
inline std::string_view name_of(Fault fault) { return policy_of(fault).name; }

}  // namespace base
