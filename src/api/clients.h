// Who is asking: what an overload or a miss may look like depends on it, since clients remember
// wrong answers for minutes or for the session (docs/protocols/symsrv.md, debuginfod.md).
// Pure functions of a request's head.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace api {

enum class Client : std::uint8_t {
  other,  // browsers, scripts, curl
  symsrv,
  dotnet,        // dotnet-symbol, SOS, Visual Studio's managed debugger
  lldb,          // and LLVM's tools: they name no agent
  breakpad,      // minidump-stackwalk, old and new
  debuginfod,    // whatever uses libdebuginfod
  symbolicator,  // Sentry's
  profiler       // the Firefox Profiler's page
};
std::string_view name_of(Client client);

// By agent, headers of their own, and the query that only they send.
Client client_of(const net::Request& request);

// How long this client may be held before it gives up by itself.
std::chrono::milliseconds patience_of(const net::Request& request);

// The answer to a wish that could not be settled, in the client's dialect: a miss is 404 for
// everybody; trouble on our side is a status that nobody remembers as a miss.
// `what_to_do` is added to the body of a 404.
net::Answer answer_miss(const net::Request& request, const base::Error& miss,
                        std::string_view what_to_do);
// The same where servers that may have it are down, and will be for a while. Who asks again as long
// as it is told to, or gives us up, is told that it is not here: it goes on to its next server, and
// remembers nothing.
net::Answer answer_nobody_answers(const net::Request& request, const base::Error& miss,
                                  std::string_view what_to_do);
// The same for something that is still being made when patience is over.
net::Answer answer_still_working(const net::Request& request);

// The same for what this client may not read. Who has shown no token is asked for one if their
// kind asks again with it and forgets the refusal; for the others what is not theirs is not here,
// since symsrv, .NET's clients and LLDB drop a server that answers 403 or 401.
net::Answer answer_denied(const net::Request& request, bool has_shown_token, std::string_view what);

// Tells why in X-Faultline-Reason and in the log; nobody may keep such an answer.
net::Answer with_reason(net::Answer answer, const base::Error& error);
// The reason alone, where a protocol has its own words and its own body for it.
net::Answer with_note(net::Answer answer, std::string_view why);
// Header values are plain ASCII on one line.
std::string header_text(std::string_view text);

// Decision: only requests from this very machine may do what needs no token. The peer is
// loopback, nothing says that a proxy stands between, the Host is a loopback name, and no page of
// another site sent it.
bool is_local(const net::Request& request);

}  // namespace api
