#include "api/admin.h"

#include "api/admin_route.h"
#include "api/upload_common.h"
#include "base/text.h"
#include "store/access_json.h"

namespace api {

using base::Result;
using net::Answer;
using net::Request;

namespace {

Answer revoke(store::Access& access, const Request& request, const store::Actor& actor) {
  const auto id = base::parse_decimal(request.path_parameter("id"));
  if (!id || *id > INT64_MAX) return json_error(404, "there is no such token");
  const auto revoked = access.revoke_token(static_cast<std::int64_t>(*id), actor);
  return revoked.ok() ? Answer::json(200, "{}") : admin_failed(revoked.error());
}

Answer extend(store::Access& access, const Request& request, const store::Actor& actor) {
  const auto extended =
      store::post_extend(access, request.path_parameter("id"), request.body, actor);
  return extended.ok() ? Answer::json(200, *extended) : admin_failed(extended.error());
}

Answer limit(store::Access& access, const Request& request, const store::Actor& actor) {
  const auto limited = store::post_limit(access, request.path_parameter("id"), request.body, actor);
  return limited.ok() ? Answer::json(200, *limited) : admin_failed(limited.error());
}

Answer audit(store::Access& access, const Request& request) {
  const auto entries = store::audit_json(access, request.query);
  return entries.ok() ? Answer::json(200, *entries) : admin_failed(entries.error());
}

Answer created(const Result<std::string>& made) {
  return made.ok() ? Answer::json(201, *made) : admin_failed(made.error());
}

}  // namespace

void add_admin_routes(net::Router& router, const Gate& gate, store::Access& access) {
  add_admin_route(router, gate, "GET", "/api/v1/projects",
                  [&access](Request&, const store::Actor&) {
                    return Answer::json(200, store::projects_json(access));
                  });
  add_admin_route(router, gate, "POST", "/api/v1/projects",
                  [&access](Request& request, const store::Actor& actor) {
                    return created(store::post_project(access, request.body, actor));
                  });
  add_admin_route(router, gate, "GET", "/api/v1/tokens", [&access](Request&, const store::Actor&) {
    return Answer::json(200, store::tokens_json(access));
  });
  add_admin_route(router, gate, "POST", "/api/v1/tokens",
                  [&access](Request& request, const store::Actor& actor) {
                    return created(store::post_token(access, request.body, actor));
                  });
  add_admin_route(router, gate, "POST", "/api/v1/tokens/{id}/revoke",
                  [&access](Request& request, const store::Actor& actor) {
                    return revoke(access, request, actor);
                  });
  add_admin_route(router, gate, "POST", "/api/v1/tokens/{id}/extend",
                  [&access](Request& request, const store::Actor& actor) {
                    return extend(access, request, actor);
                  });
  add_admin_route(router, gate, "POST", "/api/v1/tokens/{id}/quota",
                  [&access](Request& request, const store::Actor& actor) {
                    return limit(access, request, actor);
                  });
  add_admin_route(
      router, gate, "GET", "/api/v1/audit",
      [&access](Request& request, const store::Actor&) { return audit(access, request); });
}

}  // namespace api
