#include "api/clients.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace api {

using base::Fault;
using net::Answer;

namespace {

// The agents' own time-outs are 30 s and, for what users bear of a debugger, 5 s.
constexpr std::chrono::milliseconds kSymsrvPatience{25'000};
constexpr std::chrono::milliseconds kDebuginfodPatience{5'000};
constexpr std::chrono::milliseconds kSymbolicatorPatience{10'000};
constexpr std::chrono::milliseconds kPatience{55'000};

// ERROR_RETRY as an HRESULT: the agent asks again later.
constexpr std::string_view kSymbolAgentRetry = "0x80070512";

bool is_browser_or_script(std::string_view agent) {
  constexpr std::array<std::string_view, 7> kBegin{
      "Mozilla/", "curl/", "Wget/", "wget2/", "python", "Go-http", "PostmanRuntime/"};
  return std::any_of(kBegin.begin(), kBegin.end(),
                     [&](std::string_view begin) { return agent.starts_with(begin); });
}

// Newer agents of symsrv say how many milliseconds they wait.
std::chrono::milliseconds symsrv_patience(const net::Request& request) {
  const auto announced = base::parse_decimal(request.header("Symbol-Agent-Receive-Timeout"));
  if (!announced || *announced == 0) return kSymsrvPatience;
  constexpr std::uint64_t kLongest = 3'600'000;
  const std::chrono::milliseconds theirs(std::min(*announced, kLongest));
  return std::clamp(theirs * 5 / 6, std::chrono::milliseconds(1), kPatience);
}

Answer answer_trouble(const net::Request& request, const base::Error& error) {
  Answer answer = Answer::text(503, error.what + "\n");
  switch (client_of(request)) {
    case Client::debuginfod:
      answer.reset = true;
      break;
    case Client::symsrv:
      answer.headers.set("Symbol-Agent-Status", kSymbolAgentRetry);
      break;
    case Client::other:
    case Client::profiler:
      answer.headers.set("Retry-After", "5");
      break;
    case Client::dotnet:
    case Client::lldb:
    case Client::breakpad:
    case Client::symbolicator:
      break;
  }
  return with_reason(std::move(answer), error);
}

Answer answer_missing(const base::Error& miss, std::string_view what_to_do) {
  std::string body = "Not found: " + miss.what;
  body.append("\n").append(what_to_do);
  return with_reason(Answer::text(404, body), miss);
}

// Addresses, not names that look like one: "127.evil.example" is somebody's domain, and a page
// of his could send requests to us under it.
bool is_loopback_address(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const std::string address(text);
  in_addr v4{};
  if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6{};
  if (::inet_pton(AF_INET6, address.c_str(), &v6) != 1) return false;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) return v6.s6_addr[12] == 127;
  return IN6_IS_ADDR_LOOPBACK(&v6);
}

// "127.0.0.1:7070" → "127.0.0.1", "[::1]:7070" → "[::1]".
std::string_view without_port(std::string_view text) {
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return text;
  if (bracket != std::string_view::npos && colon < bracket) return text;
  if (bracket == std::string_view::npos && text.find(':') != colon) return text;  // bare IPv6
  return text.substr(0, colon);
}

}  // namespace

std::string header_text(std::string_view text) {
  std::string plain(text.substr(0, 500));
  std::replace_if(plain.begin(), plain.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return plain;
}

Answer with_note(Answer answer, std::string_view why) {
  answer.note = header_text(why);
  answer.headers.set("X-Faultline-Reason", answer.note);
  return answer;
}

Answer with_reason(Answer given, const base::Error& error) {
  std::string reason(base::name_of(error.fault));
  reason.append(": ").append(error.what);
  Answer answer = with_note(std::move(given), reason);
  answer.headers.set("Access-Control-Allow-Origin", "*");
  // A proxy between us must not keep what an upload may change in the next second.
  answer.headers.set("Cache-Control", "no-store");
  return answer;
}

std::string_view name_of(Client client) {
  constexpr std::array<std::string_view, 8> kNames{
      "other", "symsrv", "dotnet", "lldb", "breakpad", "debuginfod", "symbolicator", "profiler"};
  return kNames.at(static_cast<std::size_t>(client));
}

Client client_of(const net::Request& request) {
  // PATCH, or a head that could not be read: none of them sends such.
  if (request.method == net::Method::other) return Client::other;
  const std::string_view agent = request.header("User-Agent");
  if (agent.starts_with("Microsoft-Symbol-Server")) return Client::symsrv;
  if (agent.find("elfutils/") != std::string_view::npos) return Client::debuginfod;
  if (agent.starts_with("symbolicator/")) return Client::symbolicator;
  if (agent.starts_with("FirefoxProfiler/")) return Client::profiler;
  if (!request.header("X-TFS-FedAuthRedirect").empty() ||
      !request.header("SymbolChecksum").empty()) {
    return Client::dotnet;
  }
  if (request.query.find("code_file=") != std::string::npos) return Client::breakpad;
  if (agent.starts_with("lldb/")) return Client::lldb;
  if (!agent.empty() && !agent.starts_with("LLVM-HTTPClient/")) {
    // Users of debuginfod's library may call it what they like (DEBUGINFOD_HEADERS_FILE).
    const bool is_buildid = request.path.find("/buildid/") != std::string::npos;
    return is_buildid && !is_browser_or_script(agent) ? Client::debuginfod : Client::other;
  }
  return request.path.ends_with(".sym") ? Client::breakpad : Client::lldb;
}

std::chrono::milliseconds patience_of(const net::Request& request) {
  switch (client_of(request)) {
    case Client::symsrv:
      return symsrv_patience(request);
    case Client::debuginfod:
      return kDebuginfodPatience;
    case Client::symbolicator:
      return kSymbolicatorPatience;
    default:
      return kPatience;
  }
}

Answer answer_miss(const net::Request& request, const base::Error& miss,
                   std::string_view what_to_do) {
  switch (miss.fault) {
    case Fault::timed_out:
    case Fault::unavailable:
    case Fault::internal:
      return answer_trouble(request, miss);
    default:
      break;
  }
  return answer_missing(miss, what_to_do);
}

Answer answer_nobody_answers(const net::Request& request, const base::Error& miss,
                             std::string_view what_to_do) {
  switch (client_of(request)) {
    case Client::symsrv:
    case Client::dotnet:
    case Client::lldb:
    case Client::breakpad:
      return answer_missing(miss, what_to_do);
    default:
      return answer_trouble(request, miss);
  }
}

Answer answer_still_working(const net::Request& request) {
  return answer_trouble(request, {Fault::timed_out, "the file is being made; ask again soon"});
}

Answer answer_denied(const net::Request& request, bool has_shown_token, std::string_view what) {
  const Client client = client_of(request);
  const bool plain = client == Client::other || client == Client::profiler;
  const bool asks_again = plain || client == Client::symsrv || client == Client::debuginfod ||
                          client == Client::symbolicator;
  int status = 404;
  if (has_shown_token && plain) status = 403;
  if (!has_shown_token && asks_again) status = 401;
  Answer answer = Answer::text(status, std::string(what) + "\n");
  if (status == 401) answer.headers.set("WWW-Authenticate", "Basic realm=\"symbols\"");
  return with_reason(std::move(answer), {Fault::denied, std::string(what)});
}

bool is_local(const net::Request& request) {
  // Browsers say it of every request, also of those that they send without an Origin.
  const std::string_view site = request.header("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none") return false;
  constexpr std::array<std::string_view, 6> kTraces{
      "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Via", "Origin"};
  for (const auto& [name, value] : request.headers.all()) {
    if (base::lower_ascii(name).starts_with("x-forwarded-")) return false;
    for (const std::string_view trace : kTraces) {
      if (base::equal_ignoring_case(name, trace)) return false;
    }
  }
  const std::string_view host = without_port(request.header("Host"));
  return is_loopback_address(without_port(request.peer)) &&
         (base::equal_ignoring_case(host, "localhost") || is_loopback_address(host));
}

}  // namespace api
