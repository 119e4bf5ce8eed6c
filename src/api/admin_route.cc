#include "api/admin_route.h"

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

void add_admin_route(net::Router& router, const Gate& gate, const char* method, const char* pattern,
                     AdminHandler handler) {
  const auto refuse = [&gate](const Request& request) -> std::optional<Answer> {
    const Admission admission = gate.admit(request, store::Right::admin);
    if (const auto* refusal = std::get_if<Denial>(&admission)) {
      return tecken_dialect().refusal(*refusal);
    }
    // Who makes tokens can make one for any project.
    if (std::get<Who>(admission).project.name.empty()) return std::nullopt;
    return json_error(403, "this token is for one project; projects and tokens are everybody's");
  };
  net::Route route;
  route.method = method;
  route.pattern = pattern;
  route.runs = net::Runs::pool;
  if (route.method == "POST") route.body = net::BodyPolicy::memory(kBodySizeMax);
  route.admit = refuse;
  route.handler = [&gate, handler = std::move(handler)](Request& request) -> net::Reply {
    const Admission admission = gate.admit(request, store::Right::admin);
    if (const auto* refusal = std::get_if<Denial>(&admission)) {
      return tecken_dialect().refusal(*refusal);
    }
    return handler(request, {std::get<Who>(admission).name, request.peer});
  };
  router.add(std::move(route));
}

}  // namespace api
