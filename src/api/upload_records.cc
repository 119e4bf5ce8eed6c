// What was uploaded, by whom, and what each file gave: GET /api/v1/uploads,
// /api/v1/uploads/ID/files, and Tecken's /upload/ID. Needs view-uploads; the uploader's own token
// sees its own.
#include <algorithm>

#include "api/derived_state.h"
#include "api/upload_common.h"
#include "api/upload_view.h"
#include "base/text.h"

namespace api {

using base::JsonWriter;
using net::Answer;
using net::Request;

namespace {

constexpr std::uint64_t kListMax = 1000;

void write_head(JsonWriter& out, const store::UploadRecord& record) {
  const store::Upload& upload = record.upload;
  out.key("id").integer(upload.id).key("size").unsigned_integer(upload.size);
  out.key("filename").string(upload.file_name).key("bucket").string("faultline");
  out.key("download_url");
  if (upload.download_url.empty()) {
    out.null();
  } else {
    out.string(upload.download_url);
  }
  out.key("try_symbols").boolean(upload.is_try);
  out.key("redirect_urls").begin_array();
  for (const std::string& url : upload.redirect_urls) out.string(url);
  out.end_array();
  out.key("created_at").string(base::iso8601(upload.created_at));
  out.key("completed_at");
  if (record.completed_at.us == 0) {
    out.null();  // announced, and nothing of it is here yet
  } else {
    out.string(base::iso8601(record.completed_at));
  }
  out.key("user").string(upload.user).key("way").string(upload.way);
  out.key("peer").string(upload.peer).key("project").string(upload.project);
}

// What we make of a module, and whether it is there yet.
void write_derived(JsonWriter& out, const Context& context, const store::Upload& upload,
                   const store::FileRecord& file) {
  out.key("derived").begin_object();
  if (const auto made =
          find_derived(context->rooms.supply, file, {upload.project, upload.is_try})) {
    out.key("sym").string(made->sym).key("index").string(made->index);
    if (made->counts) {
      out.key("functions").unsigned_integer(made->counts->functions);
      out.key("publics").unsigned_integer(made->counts->publics);
    }
  }
  out.end_object();
}

void write_file_row(JsonWriter& out, const Context& context, const store::Upload& upload,
                    const store::UploadedFile& row) {
  out.begin_object();
  out.key("key").string(row.path).key("path").string(row.path);
  out.key("sha256").string(row.sha256.hex());
  out.key("was_known").boolean(row.was_known).key("verified").boolean(row.verified);
  out.key("present").boolean(row.file.has_value());
  if (row.file) {
    const store::FileRecord& file = *row.file;
    out.key("size").unsigned_integer(file.size).key("format").string(file.format);
    out.key("os").string(file.os).key("arch").string(file.arch);
    out.key("debug_id").string(file.debug_id).key("code_id").string(file.code_id);
    out.key("has_debug").boolean(file.has_debug).key("has_symbols").boolean(file.has_symbols);
    out.key("has_code").boolean(file.has_code);
    write_derived(out, context, upload, file);
  }
  out.end_object();
}

Answer get_upload(const Context& context, const Request& request, bool wrapped) {
  auto loaded = load_upload(context, request);
  if (auto* refused = std::get_if<Answer>(&loaded)) return std::move(*refused);
  const auto& record = std::get<store::UploadRecord>(loaded);
  JsonWriter out;
  if (wrapped) out.begin_object().key("upload");
  out.begin_object();
  write_head(out, record);
  out.key("skipped_keys").begin_array();
  for (const store::UploadedFile& row : record.files) {
    if (row.was_known) out.string(row.path);
  }
  out.end_array().key("ignored_keys").begin_array();
  for (const std::string& name : record.upload.ignored) out.string(name);
  out.end_array().key("files").begin_array();
  for (const store::UploadedFile& row : record.files) {
    write_file_row(out, context, record.upload, row);
  }
  out.end_array().end_object();
  if (wrapped) out.end_object();
  return Answer::json(200, out.take());
}

Answer list_uploads(const Context& context, const Request& request) {
  auto view = view_of(context, request);
  if (auto* refused = std::get_if<Answer>(&view)) return std::move(*refused);
  store::UploadFilter filter = std::get<UploadView>(view).filter;
  filter.limit = std::min(
      base::parse_decimal(request.query_value("limit").value_or("")).value_or(100), kListMax);
  filter.before = static_cast<std::int64_t>(std::min<std::uint64_t>(
      base::parse_decimal(request.query_value("before").value_or("")).value_or(0), INT64_MAX));
  const auto list = context->rooms.uploads.list(filter);
  if (!list.ok()) return upload_failed(context, tecken_dialect(), list.error());
  JsonWriter out;
  out.begin_object().key("uploads").begin_array();
  for (const store::UploadRecord& record : *list) {
    out.begin_object();
    write_head(out, record);
    out.end_object();
  }
  out.end_array().key("next");
  if (list->size() < filter.limit || list->empty()) {
    out.null();
  } else {
    out.integer(list->back().upload.id);  // ?before= that
  }
  out.end_object();
  return Answer::json(200, out.take());
}

net::Route get_route(const char* pattern) {
  net::Route route;
  route.method = "GET";
  route.pattern = pattern;
  route.runs = net::Runs::pool;
  return route;
}

}  // namespace

void add_upload_record_routes(net::Router& router, const Context& context) {
  add_for_projects(router, get_route("/api/v1/uploads"),
                   [context](Request& request) { return list_uploads(context, request); });
  add_for_projects(router, get_route("/api/v1/uploads/{id}/files"),
                   [context](Request& request) { return get_upload(context, request, false); });
  add_for_projects(router, get_route("/upload/{id}"),
                   [context](Request& request) { return get_upload(context, request, true); });
}

}  // namespace api
