#include "api/crash_form.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "net/multipart.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// Of a part that is JSON.
constexpr std::size_t kJsonMax = 1u << 20;

Result<void> read_member(const net::Part& part, CrashForm& form) {
  using Read = Result<void> (*)(std::string_view, symbolicate::TraceQuestion&);
  constexpr std::array<std::pair<std::string_view, Read>, 3> kMembers{
      {{"sources", symbolicate::read_trace_sources},
       {"options", symbolicate::read_trace_options},
       {"rewrite_first_module", symbolicate::read_trace_rewrites}}};
  const auto* const member = std::find_if(kMembers.begin(), kMembers.end(),
                                          [&](const auto& one) { return one.first == part.name; });
  if (member == kMembers.end()) return {};
  if (part.body.size() > kJsonMax) {
    return Error{Fault::too_large, fmt::format("the part {} is larger than 1 MiB", part.name)};
  }
  const auto read = member->second(base::text_of(part.body), form.asks);
  if (read.ok()) return {};
  return Error{Fault::malformed, fmt::format("the part {}: {}", part.name, read.error().what)};
}

}  // namespace

Result<CrashForm> read_crash_form(const net::Request& request, std::string_view part,
                                  std::string_view what) {
  const std::vector<net::Part> parts = TRY(net::parse_multipart(request));
  CrashForm form;
  bool has_file = false;
  for (const net::Part& one : parts) {
    if (one.name == part) {
      form.file = one.body;
      has_file = true;
    } else {
      TRY(read_member(one, form));
    }
  }
  if (!has_file) return Error{Fault::malformed, fmt::format("missing {}", what)};
  return form;
}

}  // namespace api
