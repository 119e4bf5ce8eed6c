#include "api/admin.h"

#include <algorithm>

#include "api/upload_common.h"
#include "base/json.h"
#include "base/text.h"
#include "store/access_json.h"

namespace api {

using base::Error;
using base::JsonWriter;
using base::Result;
using net::Answer;
using net::Request;

namespace {

constexpr std::uint64_t kBodySizeMax = 64 * 1024;

Answer failed(const Error& error) {
  return json_error(base::policy_of(error.fault).http_status, error.what);
}

using AdminHandler = std::function<Answer(Request& request, const store::Actor& actor)>;

void add(net::Router& router, const Gate& gate, const char* method, const char* pattern,
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

Answer revoke(store::Access& access, const Request& request, const store::Actor& actor) {
  const auto id = base::parse_decimal(request.path_parameter("id"));
  if (!id || *id > INT64_MAX) return json_error(404, "there is no such token");
  const auto revoked = access.revoke_token(static_cast<std::int64_t>(*id), actor);
  return revoked.ok() ? Answer::json(200, "{}") : failed(revoked.error());
}

Answer audit(store::Access& access, const Request& request) {
  const auto limit = base::parse_decimal(request.query_value("limit").value_or("")).value_or(100);
  const auto entries = access.audit_log(std::min<std::uint64_t>(limit, 1000));
  if (!entries.ok()) return failed(entries.error());
  JsonWriter out;
  out.begin_object().key("entries").begin_array();
  for (const store::AuditEntry& entry : *entries) {
    out.begin_object().key("at").string(base::iso8601(entry.at));
    out.key("actor").string(entry.actor).key("peer").string(entry.peer);
    out.key("action").string(entry.action).key("detail").string(entry.detail).end_object();
  }
  out.end_array().end_object();
  return Answer::json(200, out.take());
}

Answer created(const Result<std::string>& made) {
  return made.ok() ? Answer::json(201, *made) : failed(made.error());
}

}  // namespace

void add_admin_routes(net::Router& router, const Gate& gate, store::Access& access) {
  add(router, gate, "GET", "/api/v1/projects", [&access](Request&, const store::Actor&) {
    return Answer::json(200, store::projects_json(access));
  });
  add(router, gate, "POST", "/api/v1/projects",
      [&access](Request& request, const store::Actor& actor) {
        return created(store::post_project(access, request.body, actor));
      });
  add(router, gate, "GET", "/api/v1/tokens", [&access](Request&, const store::Actor&) {
    return Answer::json(200, store::tokens_json(access));
  });
  add(router, gate, "POST", "/api/v1/tokens",
      [&access](Request& request, const store::Actor& actor) {
        return created(store::post_token(access, request.body, actor));
      });
  add(router, gate, "POST", "/api/v1/tokens/{id}/revoke",
      [&access](Request& request, const store::Actor& actor) {
        return revoke(access, request, actor);
      });
  add(router, gate, "GET", "/api/v1/audit",
      [&access](Request& request, const store::Actor&) { return audit(access, request); });
}

}  // namespace api
