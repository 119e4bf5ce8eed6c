// POST /upload/: Tecken's multipart form with a zip, or with the URL of one; a package in the
// place of the zip; and the form of Breakpad's sym_upload, which goes to the same place.
#include <algorithm>

#include "api/tecken_words.h"
#include "api/upload_by_url.h"
#include "api/upload_common.h"
#include "api/upload_symbol_form.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/uploaded_package.h"
#include "net/multipart.h"

namespace api {

using base::Fault;
using net::Answer;
using net::Part;
using net::Request;

namespace {

constexpr std::string_view kNoFile = "Must be multipart form data with at least one file";

const Part* find_part(const std::vector<Part>& parts, std::string_view name) {
  const auto part =
      std::find_if(parts.begin(), parts.end(), [&](const Part& one) { return one.name == name; });
  return part == parts.end() ? nullptr : &*part;
}

Answer keep_zip(const Context& context, const ingest::Bringer& bringer, const std::string& name,
                base::Bytes zip) {
  return answer_of_many(context, bringer, name, zip.size(),
                        context->rooms.ingest.keep_zip(bringer, name, zip));
}

// The part stands in the middle of the body; the child that unpacks wants a file of its own.
Answer keep_package(const Context& context, const ingest::Bringer& bringer, const std::string& name,
                    base::Bytes package) {
  auto file = context->rooms.blobs.create();
  if (!file.ok()) return upload_failed(context, tecken_dialect(), file.error());
  if (const auto written = file->append(package); !written.ok()) {
    return upload_failed(context, tecken_dialect(), written.error());
  }
  return answer_of_many(
      context, bringer, name, package.size(),
      context->rooms.ingest.keep_package(bringer, name, file->path(), package.size()));
}

Answer keep_fetched(const Context& context, const ingest::Bringer& bringer,
                    const FetchedArchive& fetched) {
  const auto mapped = base::MappedFile::open(fetched.file.path());
  if (!mapped.ok()) return upload_failed(context, tecken_dialect(), mapped.error());
  const base::Bytes bytes = (*mapped)->bytes();
  if (!ingest::is_package_name(fetched.name)) {
    return keep_zip(context, bringer, fetched.name, bytes);
  }
  return answer_of_many(
      context, bringer, fetched.name, bytes.size(),
      context->rooms.ingest.keep_package(bringer, fetched.name, fetched.file.path(), bytes.size()));
}

Answer fetch_and_keep(const Context& context, ingest::Bringer bringer, std::string_view url) {
  if (ingest::is_package_name(archive_name(url))) {
    if (auto refused = refuse_to_unpack(context, tecken_dialect())) return *std::move(refused);
  }
  auto fetched = fetch_archive(context, std::string(url));
  if (!fetched.ok()) {
    const bool theirs = fetched.error().fault == Fault::malformed ||
                        fetched.error().fault == Fault::denied ||
                        fetched.error().fault == Fault::too_large;
    // Tecken says 500 when the other server is in trouble, and its clients try again.
    return theirs ? json_error(400, fetched.error().what) : json_error(500, fetched.error().what);
  }
  bringer.download_url = std::string(url);
  bringer.redirect_urls = fetched->redirect_urls;
  return keep_fetched(context, bringer, *fetched);
}

net::Reply post_form(const Context& context, Request& request) {
  const Admission admission = context->rooms.gate.admit_upload(request, path_project(request));
  if (const auto* refusal = std::get_if<Denial>(&admission)) {
    return tecken_dialect().refusal(*refusal);
  }
  const auto parts = net::parse_multipart(request);
  if (!parts.ok()) {
    return parts.error().fault == Fault::malformed
               ? json_error(400, kNoFile)
               : upload_failed(context, tecken_dialect(), parts.error());
  }
  const Part* wants_try = find_part(*parts, "try");
  const bool is_try = wants_try != nullptr && !base::trim(base::text_of(wants_try->body)).empty();
  const Who& who = std::get<Who>(admission);
  if (find_part(*parts, "symbol_file") != nullptr) {
    return keep_symbol_form(context, bringer_of(context, request, who, "sym_upload", is_try),
                            *parts);
  }
  const auto file = std::find_if(parts->begin(), parts->end(),
                                 [](const Part& part) { return part.filename.has_value(); });
  if (file == parts->end()) {
    if (const Part* url = find_part(*parts, "url")) {
      return run_long(context, tecken_dialect(),
                      [context, bringer = bringer_of(context, request, who, "url", is_try),
                       from = std::string(base::trim(base::text_of(url->body)))] {
                        return fetch_and_keep(context, bringer, from);
                      });
    }
    return json_error(400, kNoFile);
  }
  const std::string name = base::to_valid_utf8(base::basename_of(*file->filename));
  const auto dot = name.rfind('.');
  const std::string extension = dot == std::string::npos ? "" : name.substr(dot);
  if (ingest::is_package_name(name)) {
    if (auto refused = refuse_to_unpack(context, tecken_dialect())) return std::move(*refused);
    // The body stays mapped as long as the request, and that as long as the job.
    return run_long(context, tecken_dialect(),
                    [context, bringer = bringer_of(context, request, who, "package", is_try), name,
                     body = file->body] { return keep_package(context, bringer, name, body); });
  }
  if (!base::equal_ignoring_case(extension, ".zip")) {
    return json_error(400, "Unrecognized archive file extension \"" + extension + "\"");
  }
  return keep_zip(context, bringer_of(context, request, who, "zip", is_try), name, file->body);
}

}  // namespace

void add_tecken_routes(net::Router& router, const Context& context) {
  for (const char* pattern : {"/upload/", "/upload"}) {
    add_for_projects(
        router,
        upload_route(context, tecken_dialect(), "POST", pattern, context->options.body_size_max),
        [context](Request& request) { return post_form(context, request); });
    net::Route other;
    other.method = "GET";
    other.pattern = pattern;
    add_for_projects(router, std::move(other),
                     [](Request& request) { return wrong_method(request, "POST"); });
  }
}

}  // namespace api
