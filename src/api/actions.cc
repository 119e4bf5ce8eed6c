#include "api/actions.h"

#include "api/clients.h"
#include "base/text.h"

namespace api {

using net::Answer;
using net::Request;

namespace {

// "http://host:port" → "host:port"; "null" stays, and is nobody's Host.
std::string_view host_of(std::string_view origin) {
  const auto slashes = origin.find("://");
  return slashes == std::string_view::npos ? origin : origin.substr(slashes + 3);
}

// A browser says where its own page came from; that it is ours was seen.
bool is_local_page(const Request& request) {
  if (request.header("Origin").empty()) return is_local(request);
  Request without = request;
  without.headers.remove("Origin");
  return is_local(without);
}

Answer refusal(int status, std::string_view what) {
  Answer answer = Answer::text(status, std::string(what) + "\n");
  answer.headers.set("Cache-Control", "no-store");
  if (status == 401) answer.headers.set("WWW-Authenticate", "Basic realm=\"symbols\"");
  return answer;
}

}  // namespace

bool is_from_other_site(const Request& request) {
  const std::string_view site = request.header("Sec-Fetch-Site");
  if (!site.empty()) return site != "same-origin" && site != "none";
  const std::string_view origin = request.header("Origin");
  return !origin.empty() && !base::equal_ignoring_case(host_of(origin), request.header("Host"));
}

std::optional<Answer> refuse_action(const Request& request, const Gate& gate) {
  if (is_from_other_site(request)) return refusal(403, "a page of another site may not do this");
  if (is_local_page(request)) return std::nullopt;
  Admission admission = gate.admit_upload(request);
  if (std::holds_alternative<Denial>(admission)) {
    Admission admin = gate.admit(request, store::Right::admin);
    if (std::holds_alternative<Who>(admin)) admission = std::move(admin);
  }
  if (const auto* denial = std::get_if<Denial>(&admission)) {
    return refusal(denial->why == Denial::Why::no_token ? 401 : 403,
                   denial->what + ": one that may upload, or administer");
  }
  // Upstream servers are the default project's.
  if (std::get<Who>(admission).project.name.empty()) return std::nullopt;
  return refusal(403, "this token is for one project, which has no upstream servers");
}

}  // namespace api
