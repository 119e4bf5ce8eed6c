#include "api/admin_route.h"

#include "api/actions.h"
#include "api/upload_common.h"

namespace api {

using net::Answer;
using net::Request;

namespace {
constexpr std::uint64_t kBodySizeMax = 64 * 1024;
}

Answer admin_failed(const base::Error& error) {
  return json_error(base::policy_of(error.fault).http_status, error.what);
}

namespace {

Answer refusal(const Denial& denial) {
  if (denial.why == Denial::Why::lacks_right) return json_error(403, denial.what);
  return tecken_dialect().refusal(denial);
}

}  // namespace

Admission admit_admin(const Request& request, const Gate& gate) {
  Admission admission = gate.admit(request, store::Right::admin);
  const auto* who = std::get_if<Who>(&admission);
  // Who makes tokens can make one for any project.
  if (who == nullptr || who->project.name.empty()) return admission;
  return Denial{Denial::Why::lacks_right,
                "this token is for one project; projects and tokens are everybody's"};
}

void add_admin_route(net::Router& router, const Gate& gate, const char* method, const char* pattern,
                     AdminHandler handler) {
  const bool changes = std::string_view(method) != "GET";
  const auto refuse = [&gate, changes](const Request& request) -> std::optional<Answer> {
    // A browser may remember our password for its user, and send it along for anybody's page.
    if (changes && is_from_other_site(request)) {
      return json_error(403, "a page of another site may not do this");
    }
    const Admission admission = admit_admin(request, gate);
    const auto* denial = std::get_if<Denial>(&admission);
    if (denial == nullptr) return std::nullopt;
    return refusal(*denial);
  };
  net::Route route;
  route.method = method;
  route.pattern = pattern;
  route.runs = net::Runs::pool;
  if (route.method == "POST") route.body = net::BodyPolicy::memory(kBodySizeMax);
  route.admit = refuse;
  route.handler = [&gate, handler = std::move(handler)](Request& request) -> net::Reply {
    const Admission admission = admit_admin(request, gate);
    if (const auto* denial = std::get_if<Denial>(&admission)) return refusal(*denial);
    return handler(request, {std::get<Who>(admission).name, request.peer});
  };
  router.add(std::move(route));
}

}  // namespace api
