#include "api/crash_form.h"

#include <fmt/format.h>

#include <optional>

#include "net/multipart.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// Of a part that is JSON.
constexpr std::size_t kJsonMax = 1u << 20;

Result<void> read_member(const net::Part& part, CrashForm& form) {
  if (part.name != "sources" && part.name != "options") return {};
  if (part.body.size() > kJsonMax) {
    return Error{Fault::too_large, fmt::format("the part {} is larger than 1 MiB", part.name)};
  }
  const std::string_view json = base::text_of(part.body);
  const auto read = part.name == "sources" ? symbolicate::read_trace_sources(json, form.asks)
                                           : symbolicate::read_trace_options(json, form.asks);
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
