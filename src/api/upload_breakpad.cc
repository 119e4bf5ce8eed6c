// Breakpad's sym_upload v2: status, create, PUT, complete. The Linux client finds values with a
// pattern that needs exactly one space after the colon, so these answers are written by hand.
#include "api/manifest.h"
#include "api/upload_common.h"
#include "api/upload_symbol_form.h"
#include "base/log.h"
#include "base/text.h"

namespace api {

using net::Answer;
using net::Request;

namespace {

constexpr std::string_view kWay = "sym_upload-v2";

Answer one_value(std::string_view name, std::string_view value) {
  std::string text = "{\"";
  text.append(name).append("\": \"").append(value).append("\"}");
  return Answer::json(200, text);
}

Admission admit(const Context& context, const Request& request) {
  return context->rooms.gate.admit_upload(request, path_project(request),
                                          request.query_value("key").value_or(""));
}

Answer check_status(const Context& context, const Request& request) {
  const Admission admission = admit(context, request);
  if (const auto* refusal = std::get_if<Denial>(&admission)) {
    return tecken_dialect().refusal(*refusal);
  }
  const Who& who = std::get<Who>(admission);
  const auto path = path_of_module(std::string(request.path_parameter("file")),
                                   std::string(request.path_parameter("id")), true);
  if (!path) return json_error(400, "no name and id of a module");
  for (const std::string& file : {path->file, path->name}) {
    const auto found = context->rooms.catalog.find({ident::path_key({path->name, path->id, file})},
                                                   {who.project.name, who.only_try});
    if (!found.ok()) return upload_failed(context, tecken_dialect(), found.error());
    if (!found->at(0).empty()) return one_value("status", "FOUND");
  }
  return one_value("status", "MISSING");
}

Answer create(const Context& context, const Request& request) {
  const Admission admission = admit(context, request);
  if (const auto* refusal = std::get_if<Denial>(&admission)) {
    return tecken_dialect().refusal(*refusal);
  }
  const auto id = context->rooms.sessions.begin(
      {bringer_of(context, request, std::get<Who>(admission), kWay, false), {}, 0, "", false});
  if (!id.ok()) return upload_failed(context, tecken_dialect(), id.error());
  return Answer::json(200, "{\"uploadUrl\": \"" + own_url(context, request) + "/v1/uploads/" + *id +
                               "\", \"uploadKey\": \"" + *id + "\"}");
}

Answer put_bytes(const Context& context, Request& request) {
  auto held = context->rooms.sessions.hold(request.path_parameter("id"));
  if (!held.ok()) return upload_failed(context, tecken_dialect(), held.error());
  const auto body = request.body_bytes();
  if (!body.ok()) return upload_failed(context, tecken_dialect(), body.error());
  if (held->announced().bringer.way != kWay) return json_error(404, "no such upload");
  const auto written = held->replace(*body);
  if (!written.ok()) return upload_failed(context, tecken_dialect(), written.error());
  return Answer::json(200, "{}");  // exactly 200, or the client gives up
}

Answer complete(const Context& context, Request& request) {
  const auto id = parse_symbol_id(request.body);
  if (!id.ok()) return json_error(400, id.error().what);
  const auto path =
      path_of_module(id->debug_file, id->debug_id, id->type.empty() || id->type == "BREAKPAD");
  if (!path) return json_error(400, "no name and id of a module");
  auto held = context->rooms.sessions.hold(request.path_parameter("id"));
  if (!held.ok()) return upload_failed(context, tecken_dialect(), held.error());
  const ingest::Bringer bringer = held->announced().bringer;
  if (bringer.way != kWay) return json_error(404, "no such upload");
  if (held->size() == 0) return json_error(400, "nothing was uploaded under this key");
  const auto receipt = context->rooms.ingest.keep_file(bringer, {held->take(), path, path->file});
  if (!receipt.ok()) return upload_failed(context, tecken_dialect(), receipt.error());
  base::log::info("upload {}: {} by sym_upload", receipt->upload_id, path->text());
  return one_value("result", receipt->files.front().was_known ? "DUPLICATE_DATA" : "OK");
}

// The right is in the query here, so the head is judged with it.
net::Route judged_with_key(const Context& context, net::Route route) {
  route.admit = [context](const Request& request) -> std::optional<Answer> {
    const Admission admission = admit(context, request);
    if (const auto* refusal = std::get_if<Denial>(&admission)) {
      return tecken_dialect().refusal(*refusal);
    }
    return refuse_for_lack_of_disk(context, tecken_dialect(), request);
  };
  return route;
}

}  // namespace

void add_breakpad_routes(net::Router& router, const Context& context) {
  const auto text_route = [&](const char* method, const char* pattern) {
    return judged_with_key(
        context, upload_text_route(context, tecken_dialect(), method, pattern, 64 * 1024));
  };
  add_for_projects(router, text_route("GET", "/v1/symbols/{file}/{id}:checkStatus"),
                   [context](Request& request) { return check_status(context, request); });
  add_for_projects(router, text_route("POST", "/v1/uploads:create"),
                   [context](Request& request) { return create(context, request); });
  add_for_projects(router, text_route("POST", "/v1/uploads/{id}:complete"),
                   [context](Request& request) { return complete(context, request); });
  net::Route put = upload_route(context, tecken_dialect(), "PUT", "/v1/uploads/{id}",
                                context->options.body_size_max);
  put.admit = [context](const Request& request) {  // the key is the right
    return refuse_for_lack_of_disk(context, tecken_dialect(), request);
  };
  put.handler = [context](Request& request) -> net::Reply { return put_bytes(context, request); };
  router.add(std::move(put));
}

}  // namespace api
