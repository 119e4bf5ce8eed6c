// NuGet's symbol packages: PUT of a .snupkg to the SymbolPackagePublish resource, which the
// service index at /nuget/v3/index.json names (dotnet nuget push --source …/nuget/v3/index.json).
#include <algorithm>

#include "api/upload_common.h"
#include "base/log.h"
#include "base/text.h"
#include "net/multipart.h"

namespace api {

using net::Answer;
using net::Request;

namespace {

Answer service_index(const Context& context, const Request& request) {
  std::string root = own_url(context, request);
  if (const auto project = path_project(request)) root += "/p/" + base::lower_ascii(*project);
  base::JsonWriter out;
  out.begin_object().key("version").string("3.0.0").key("resources").begin_array();
  for (const char* type : {"SymbolPackagePublish/4.9.0", "PackagePublish/2.0.0"}) {
    out.begin_object().key("@id").string(root + "/api/v2/symbolpackage");
    out.key("@type").string(type).end_object();
  }
  out.end_array().end_object();
  return Answer::json(200, out.take());
}

Answer put_package(const Context& context, Request& request) {
  const Admission admission = context->rooms.gate.admit_upload(request, path_project(request));
  if (const auto* refusal = std::get_if<Denial>(&admission)) {
    return nuget_dialect().refusal(*refusal);
  }
  const auto parts = net::parse_multipart(request);
  if (!parts.ok()) return upload_failed(context, nuget_dialect(), parts.error());
  if (parts->empty()) return nuget_dialect().error(400, "the form has no package");
  const net::Part& part = parts->front();  // the first is the package, whatever it is called
  std::string name = base::to_valid_utf8(base::basename_of(part.filename.value_or("")));
  if (name.empty()) name = "package.snupkg";
  const ingest::Bringer bringer =
      bringer_of(context, request, std::get<Who>(admission), "nuget", false);
  const auto receipt =
      context->rooms.ingest.keep_zip(bringer, name, part.body, ingest::ZipKind::nuget);
  if (!receipt.ok()) return upload_failed(context, nuget_dialect(), receipt.error());
  base::log::info("upload {}: {} with {} files", receipt->upload_id, name, receipt->files.size());
  return Answer::text(201, "");
}

}  // namespace

void add_nuget_routes(net::Router& router, const Context& context) {
  for (const char* pattern :
       {"/api/v2/symbolpackage", "/api/v2/symbolpackage/", "/api/v2/package", "/api/v2/package/"}) {
    add_for_projects(
        router,
        upload_route(context, nuget_dialect(), "PUT", pattern, context->options.body_size_max),
        [context](Request& request) { return put_package(context, request); });
  }
  net::Route index;
  index.method = "GET";
  index.pattern = "/nuget/v3/index.json";
  add_for_projects(router, std::move(index),
                   [context](Request& request) { return service_index(context, request); });
}

}  // namespace api
