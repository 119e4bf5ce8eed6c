// What the routes of the Firefox profiler have in common: which web page may ask, how an offset is
// written, what a failure looks like. For api/sources.cc, api/asm.cc and api/symbolicate.cc.
// Pure functions. Protocol: docs/protocols/sources.md, asm.md
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "base/json.h"
#include "base/units.h"
#include "net/http.h"

namespace api {

// The profiler waits a minute.
constexpr std::chrono::milliseconds kProfilerPatience{55'000};

// `allowed_origin`: the one whose pages may ask; "*": any; "": none.
bool is_allowed_page(const net::Request& request, std::string_view allowed_origin);
// The same, or no page at all: programs send no Origin.
bool may_page_ask(const net::Request& request, std::string_view allowed_origin);
// Tells the browser so.
void allow_page(const net::Request& request, std::string_view allowed_origin, net::Answer& answer);

net::Answer profiler_error(int status, std::string_view text);  // {"error": "…"}
net::Answer profiler_failure(const base::Error& error);         // in words for strangers

// "0x1c04b" or a number.
std::optional<base::Rva> find_profiler_offset(const base::JsonValue& value);

}  // namespace api
