// PUT /NAME/ID/FILE: one file, as it is or with a Content-Encoding.
#include "api/symbols.h"
#include "api/upload_common.h"
#include "base/log.h"
#include "base/text.h"
#include "ident/scope.h"
#include "ingest/packed_files.h"

namespace api {

using net::Answer;
using net::Request;

namespace {

std::optional<std::string> refuse_path(const std::string& path) {
  const auto scoped = ident::split_scope(path);
  if (!scoped || !ident::find_store_path(path)) {
    return "a symbol file is put to NAME/ID/FILE, each without control characters or any of "
           "\\ ^ ` > < { } [ ] # % \" ' |";
  }
  std::string_view first = path;
  while (first.starts_with('/')) first.remove_prefix(1);
  if (scoped->rest.data() != first.data()) return std::nullopt;  // behind a prefix nothing is ours
  first = first.substr(0, first.find('/'));
  if (is_reserved(first)) {
    return "files named " + std::string(first) + " live under /symbols/: put it there";
  }
  return std::nullopt;
}

std::optional<std::string> project_of(const Request& request) {
  const auto scoped = ident::split_scope(request.path);
  if (!scoped || scoped->scope.project.empty()) return std::nullopt;
  return scoped->scope.project;
}

// Part of a transaction, which are the default project's: kept as it is, cabinets and pointers too
// (api/store.h).
bool is_for_store(const Request& request) { return request.query_value("for") == "store"; }

std::optional<Answer> refuse_for_store(const Request& request, const Who& who, bool wants_try) {
  if (!is_for_store(request)) return std::nullopt;
  if (who.project.name.empty() && !who.only_try && !wants_try) return std::nullopt;
  return json_error(403, "?for=store: transactions are of the default project, without try builds");
}

Answer keep_file(const Context& context, const ingest::Bringer& bringer,
                 ingest::Received received) {
  auto receipt = context->rooms.ingest.keep_file(bringer, std::move(received));
  if (!receipt.ok()) return upload_failed(context, tecken_dialect(), receipt.error());
  const ingest::Kept& kept = receipt->files.front();
  base::log::info("upload {}: {} ({})", receipt->upload_id, kept.file.path,
                  base::human_size(kept.file.file.size));
  base::JsonWriter out;
  write_file(out, kept);
  return Answer::json(kept.was_known ? 200 : 201, out.take());
}

net::Reply put_file(const Context& context, Request& request) {
  const Admission admission = context->rooms.gate.admit_upload(request, project_of(request));
  if (const auto* refusal = std::get_if<Denial>(&admission)) {
    return tecken_dialect().refusal(*refusal);
  }
  const auto path = ident::find_store_path(request.path);
  if (const auto refused = refuse_path(request.path)) return json_error(400, *refused);
  if (!request.body_file) return json_error(400, "the body is empty");
  const bool wants_try = ident::split_scope(request.path)->scope.include_try;
  const ingest::Bringer bringer =
      bringer_of(context, request, std::get<Who>(admission), "put", wants_try);
  const bool for_store = is_for_store(request);
  const auto keep = [context, bringer, path, for_store, &request] {
    return keep_file(context, bringer,
                     {std::move(request.body_file->file), path, path->file, for_store});
  };
  // A child unpacks it and may take its time.
  const bool is_packed =
      ingest::is_compressed_name(path->file) || ingest::is_bundle_name(path->file);
  if (is_packed && !for_store) return run_long(context, tecken_dialect(), keep);
  return keep();
}

}  // namespace

void add_put_route(net::Router& router, const Context& context) {
  net::Route route =
      upload_route(context, tecken_dialect(), "PUT", "/**", context->options.body_size_max);
  route.body.hashes_file = true;
  route.admit = [context](const Request& request) -> std::optional<Answer> {
    const Admission admission = context->rooms.gate.admit_upload(request, project_of(request));
    if (const auto* refusal = std::get_if<Denial>(&admission)) {
      return tecken_dialect().refusal(*refusal);
    }
    if (auto refused = refuse_for_lack_of_disk(context, tecken_dialect(), request)) return refused;
    if (const auto refused = refuse_path(request.path)) return json_error(400, *refused);
    const bool wants_try = ident::split_scope(request.path)->scope.include_try;
    return refuse_for_store(request, std::get<Who>(admission), wants_try);
  };
  route.handler = [context](Request& request) -> net::Reply { return put_file(context, request); };
  router.add(std::move(route));
}

}  // namespace api
