#include "api/profiler.h"

#include "api/clients.h"
#include "api/for_strangers.h"
#include "base/text.h"

namespace api {

bool is_allowed_page(const net::Request& request, std::string_view allowed_origin) {
  return !allowed_origin.empty() &&
         (allowed_origin == "*" || request.header("Origin") == allowed_origin);
}

bool may_page_ask(const net::Request& request, std::string_view allowed_origin) {
  return request.header("Origin").empty() || is_allowed_page(request, allowed_origin);
}

void allow_page(const net::Request& request, std::string_view allowed_origin, net::Answer& answer) {
  if (!is_allowed_page(request, allowed_origin)) return;
  answer.headers.set("Access-Control-Allow-Origin", std::string(allowed_origin));
  answer.headers.set("Access-Control-Allow-Methods", "POST, OPTIONS");
  answer.headers.set("Access-Control-Allow-Headers", "*, user-agent, content-type");
  answer.headers.set("Access-Control-Max-Age", "86400");
}

net::Answer profiler_error(int status, std::string_view text) {
  base::JsonWriter out;
  out.begin_object().key("error").string(text).end_object();
  return with_note(net::Answer::json(status, out.take()), text);
}

net::Answer profiler_failure(const base::Error& error) {
  const bool is_missing = error.fault == base::Fault::unsupported;
  const int status = is_missing ? 404 : base::policy_of(error.fault).http_status;
  return profiler_error(status, for_strangers(error).what);
}

std::optional<base::Rva> find_profiler_offset(const base::JsonValue& value) {
  if (const auto* number = value.unsigned_integer()) return base::Rva{*number};
  if (const auto* number = value.integer(); number != nullptr && *number >= 0) {
    return base::Rva{static_cast<std::uint64_t>(*number)};
  }
  const std::string_view text = value.text_or("");
  if (!text.starts_with("0x")) return std::nullopt;
  const auto number = base::parse_hex(text.substr(2));
  if (!number) return std::nullopt;
  return base::Rva{*number};
}

}  // namespace api
