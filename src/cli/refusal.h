// What a server said when it did not do what a command asked for, as an error for the person.
// Not a reading of statuses: the fault is net's (net/client.h).
// Pure; any thread. Never fails.
#pragma once

#include <string>

#include "base/result.h"
#include "net/client.h"

namespace cli {

// "URL: answered 404: no such report": {"error": "sentence"}, or what a proxy says.
// REQUIRES: the status is not one of success.
base::Error refusal_of(const std::string& url, const net::ClientAnswer& answer);

}  // namespace cli
