#include "api/upkeep.h"

#include "api/admin_route.h"
#include "api/clients.h"
#include "api/upload_common.h"
#include "base/json.h"
#include "base/text.h"
#include "upkeep/purge.h"

namespace api {

using base::JsonValue;
using net::Answer;
using net::Request;

namespace {

// It is written on the server's disk, wherever the request says. Who shows the key is at home
// there, though the request came to an address that others reach as well.
bool may_back_up(const Gate& gate, const Request& request) {
  return is_local(request) || gate.shows_admin_key(request);
}

Answer start(upkeep::Work& work, const Gate& gate, const Request& request,
             const store::Actor& actor) {
  const std::string what(request.path_parameter("what"));
  if (what == "backup" && !may_back_up(gate, request)) {
    return json_error(403,
                      "a backup is written on the server's own disk: ask on that machine, with "
                      "`faultline admin backup`");
  }
  auto options = JsonValue::parse(request.body.empty() ? "{}" : request.body);
  if (!options.ok() || options->object() == nullptr) {
    return json_error(400, "the body is no JSON object");
  }
  const auto id = work.start(what, std::move(*options), actor);
  if (!id.ok()) return json_error(409, id.error().what);
  base::JsonWriter out;
  out.begin_object().key("work").integer(*id).end_object();
  return Answer::json(202, out.take());
}

Answer show(const upkeep::Work& work, const Request& request) {
  const auto id = base::parse_decimal(request.path_parameter("id"));
  const auto state =
      id && *id <= INT64_MAX ? work.find(static_cast<std::int64_t>(*id)) : std::nullopt;
  return state ? Answer::json(200, *state) : json_error(404, "there is no such work");
}

}  // namespace

void add_upkeep_routes(net::Router& router, const Gate& gate, upkeep::Work& work,
                       store::Tombstones& tombstones) {
  add_admin_route(router, gate, "GET", "/api/v1/upkeep/work/{id}",
                  [&work](Request& request, const store::Actor&) { return show(work, request); });
  add_admin_route(router, gate, "POST", "/api/v1/upkeep/{what}",
                  [&work, &gate](Request& request, const store::Actor& actor) {
                    return start(work, gate, request, actor);
                  });
  add_admin_route(router, gate, "GET", "/api/v1/purged",
                  [&tombstones](Request&, const store::Actor&) {
                    const auto stones = tombstones.list();
                    return stones.ok() ? Answer::json(200, upkeep::json_of(*stones))
                                       : admin_failed(stones.error());
                  });
}

}  // namespace api
