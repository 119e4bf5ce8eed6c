#include "api/upload_common.h"

#include <algorithm>

#include "api/clients.h"
#include "base/log.h"
#include "base/text.h"
#include "extract/identify.h"
#include "ingest/content_keys.h"
#include "ingest/unpack.h"
#include "store/data_directory.h"

namespace api {

using base::Error;
using base::Fault;
using base::JsonWriter;
using net::Answer;
using net::Request;

namespace {

constexpr std::int64_t kMicrosecondsPerDay = 86'400'000'000;

Answer with_challenge(Answer answer) {
  if (answer.status == 401) answer.headers.set("WWW-Authenticate", "Bearer");
  return answer;
}

// Tecken's sentences; scripts look for them.
Answer tecken_refusal(const Denial& refusal) {
  switch (refusal.why) {
    case Denial::Why::no_token:
      return json_error(403, "This requires an Auth-Token to authenticate the request");
    case Denial::Why::unknown_token:
      return json_error(403, "API Token not matched");
    case Denial::Why::expired:
      return json_error(403, "API Token found but expired");
    case Denial::Why::lacks_right:
      return json_error(403, "Forbidden");
    case Denial::Why::no_project:
      return json_error(404, refusal.what);
  }
  return json_error(403, refusal.what);
}

int status_of(const Denial& refusal) {
  switch (refusal.why) {
    case Denial::Why::no_token:
    case Denial::Why::unknown_token:
    case Denial::Why::expired:
      return 401;
    case Denial::Why::lacks_right:
      return 403;
    case Denial::Why::no_project:
      return 404;
  }
  return 403;
}

Answer sentry_error(int status, std::string_view text) {
  JsonWriter out;
  out.begin_object().key("detail").string(text).end_object();
  return with_note(Answer::json(status, out.take()), text);
}

Answer sentry_refusal(const Denial& refusal) {
  return with_challenge(sentry_error(status_of(refusal), refusal.what));
}

Answer text_error(int status, std::string_view text) {
  return with_note(Answer::text(status, base::to_valid_utf8(text) + "\n"), text);
}

Answer nuget_refusal(const Denial& refusal) {
  return with_challenge(text_error(status_of(refusal), refusal.what));
}

int status_of(const Context& context, const Error& error) {
  if (ingest::is_too_full_to_unpack(error)) return 507;
  if (error.fault != Fault::unavailable) return base::policy_of(error.fault).http_status;
  // A full disk is the operator's matter; anything else may pass by itself.
  const std::uint64_t free = store::free_bytes(context->rooms.disk.path());
  return free < context->options.free_bytes_min ? 507 : 503;
}

net::Route admitted_route(const Context& context, const Dialect& dialect, std::string method,
                          std::string pattern) {
  net::Route route;
  route.method = std::move(method);
  route.pattern = std::move(pattern);
  route.runs = net::Runs::pool;
  route.admit = [context, &dialect](const Request& request) -> std::optional<Answer> {
    const Admission admission = context->rooms.gate.admit_upload(request, path_project(request));
    if (const auto* refusal = std::get_if<Denial>(&admission)) return dialect.refusal(*refusal);
    return refuse_for_lack_of_disk(context, dialect, request);
  };
  route.refuse_body = [context, &dialect](const Request&, const Error& error) {
    return upload_failed(context, dialect, error);
  };
  return route;
}

}  // namespace

const Dialect& tecken_dialect() {
  static const Dialect kDialect{json_error, tecken_refusal};
  return kDialect;
}
const Dialect& sentry_dialect() {
  static const Dialect kDialect{sentry_error, sentry_refusal};
  return kDialect;
}
const Dialect& nuget_dialect() {
  static const Dialect kDialect{text_error, nuget_refusal};
  return kDialect;
}

Answer json_error(int status, std::string_view text) {
  JsonWriter out;
  out.begin_object().key("error").string(text).end_object();
  return with_note(Answer::json(status, out.take()), text);
}

Answer upload_failed(const Context& context, const Dialect& dialect, const Error& error) {
  const int status = status_of(context, error);
  if (status >= 500) base::log::error("upload: {}", error.what);
  if (status == 507) {
    return dialect.error(507, "the disk of the server is full; nothing was kept");
  }
  return dialect.error(status, error.what);
}

net::Route upload_route(const Context& context, const Dialect& dialect, std::string method,
                        std::string pattern, std::uint64_t size_max) {
  net::Route route = admitted_route(context, dialect, std::move(method), std::move(pattern));
  route.body = net::BodyPolicy::file(size_max);
  route.body.plain_size_max = size_max;
  return route;
}

net::Route upload_text_route(const Context& context, const Dialect& dialect, std::string method,
                             std::string pattern, std::uint64_t size_max) {
  net::Route route = admitted_route(context, dialect, std::move(method), std::move(pattern));
  route.body = net::BodyPolicy::memory(size_max);
  return route;
}

net::Reply run_long(const Context& context, const Dialect& dialect, std::function<Answer()> job) {
  return context->rooms.long_work.reply(std::move(job), [&dialect] {
    return dialect.error(503, "too many packages and fetches are under way: try again later");
  });
}

void add_for_projects(net::Router& router, net::Route route, const UploadHandler& handler) {
  route.handler = handler;
  net::Route scoped = route;
  scoped.pattern = "/p/{project}" + route.pattern;
  router.add(std::move(route));
  router.add(std::move(scoped));
}

std::optional<std::string> path_project(const Request& request) {
  const std::string_view project = request.path_parameter("project");
  if (project.empty()) return std::nullopt;
  return std::string(project);
}

std::optional<Answer> refuse_for_lack_of_disk(const Context& context, const Dialect& dialect,
                                              const Request& request) {
  const std::uint64_t length = base::parse_decimal(request.header("Content-Length")).value_or(0);
  if (length > context->options.body_size_max) return std::nullopt;  // net says 413
  if (context->rooms.disk.has_room_for(length)) return std::nullopt;
  // The last look says no; it may be a second old.
  const std::uint64_t free = store::free_bytes(context->rooms.disk.path());
  const std::uint64_t least = context->options.free_bytes_min;
  if (free >= least && free - least >= length) return std::nullopt;
  return dialect.error(507, "the disk of the server is too full for this upload");
}

std::optional<Answer> refuse_to_unpack(const Context& context, const Dialect& dialect) {
  if (context->rooms.disk.may_extract()) return std::nullopt;
  return dialect.error(507, "the disk of the server is too full to unpack packages");
}

ingest::Bringer bringer_of(const Context& context, const Request& request, const Who& who,
                           std::string_view way, bool wants_try) {
  ingest::Bringer bringer;
  bringer.peer = request.peer;
  bringer.way = way;
  bringer.project = who.project.name;
  bringer.is_strict = who.project.strict;
  bringer.is_try = wants_try || who.only_try;
  const auto days =
      static_cast<std::int64_t>(std::min<std::uint64_t>(context->options.try_days, 36'500));
  bringer.expires_at = {base::now().us + days * kMicrosecondsPerDay};
  bringer.token = who.token;
  bringer.user = who.name;
  return bringer;
}

std::string own_url(const Context& context, const Request& request) {
  std::string url = context->options.public_url;
  if (!url.empty()) {
    while (url.ends_with('/')) url.pop_back();
    return url;
  }
  std::string host(request.header("Host"));
  const bool plain = !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view(".:-[]_").find(c) != std::string_view::npos;
  });
  if (!plain) host = "localhost";
  return (request.secure ? "https://" : "http://") + host;
}

base::Result<void> check_names_itself(base::Bytes bytes, const std::string& name) {
  if (!ident::is_allowed_name(name)) return Error{Fault::malformed, name + ": no name for a file"};
  const extract::Identity identity = extract::identify(bytes);
  if (!identity.debug_id.is_nil() || !identity.code_id.empty() || !identity.dwo_ids.empty() ||
      !identity.old_id.empty() || !identity.uuid.empty() ||
      identity.kind == extract::FileKind::cab || ingest::is_source_text(name, bytes)) {
    return {};
  }
  return Error{Fault::malformed,
               name + ": has no id by which it could be found" +
                   (identity.problem.empty() ? "" : " (" + identity.problem + ")")};
}

base::Result<std::int64_t> record_upload(const Context& context, const ingest::Bringer& bringer,
                                         const std::vector<std::string>& ignored,
                                         std::uint64_t size,
                                         const std::vector<store::NewFile>& skipped) {
  store::Upload upload = ingest::upload_of(bringer);
  upload.created_at = base::now();
  upload.size = size;
  upload.ignored = ignored;
  return context->rooms.catalog.begin_upload(upload, skipped);
}

void write_file(JsonWriter& out, const ingest::Kept& kept) {
  const store::FileRecord& file = kept.file.file;
  out.begin_object();
  out.key("path").string(kept.file.path);
  out.key("size").unsigned_integer(file.size);
  out.key("sha256").string(file.sha256.hex());
  out.key("format").string(file.format);
  out.key("arch").string(file.arch);
  out.key("debug_id").string(file.debug_id);
  out.key("code_id").string(file.code_id);
  out.key("has_debug").boolean(file.has_debug);
  out.key("was_known").boolean(kept.was_known);
  out.key("verified").boolean(kept.file.path_is_verified());
  out.end_object();
}

void write_upload(JsonWriter& out, const ingest::Bringer& bringer, const ingest::Receipt& receipt,
                  const std::string& file_name, std::uint64_t size) {
  out.begin_object();
  out.key("id").integer(receipt.upload_id);
  out.key("size").unsigned_integer(size);
  out.key("filename").string(file_name);
  out.key("bucket").string("faultline");
  out.key("download_url");
  if (bringer.download_url.empty()) {
    out.null();
  } else {
    out.string(bringer.download_url);
  }
  out.key("try_symbols").boolean(bringer.is_try);
  out.key("redirect_urls").begin_array();
  for (const std::string& url : bringer.redirect_urls) out.string(url);
  out.end_array();
  out.key("completed_at").string(base::iso8601(base::now()));
  out.key("created_at").string(base::iso8601(receipt.created_at));
  out.key("user").string(bringer.user);
  out.key("project").string(bringer.project);
  out.key("skipped_keys").begin_array();
  for (const ingest::Kept& kept : receipt.files) {
    if (kept.was_known) out.string(kept.file.path);
  }
  out.end_array();
  out.key("ignored_keys").begin_array();
  for (const std::string& name : receipt.ignored) out.string(name);
  out.end_array();
  out.key("files").begin_array();
  for (const ingest::Kept& kept : receipt.files) write_file(out, kept);
  out.end_array();
  out.end_object();
}

Answer answer_of_many(const Context& context, const ingest::Bringer& bringer,
                      const std::string& file_name, std::uint64_t size,
                      const base::Result<ingest::Receipt>& receipt) {
  if (!receipt.ok()) return upload_failed(context, tecken_dialect(), receipt.error());
  base::log::info("upload {}: {} with {} files", receipt->upload_id, file_name,
                  receipt->files.size());
  JsonWriter out;
  out.begin_object().key("upload");
  write_upload(out, bringer, *receipt, file_name, size);
  out.end_object();
  return Answer::json(201, out.take());
}

std::optional<Answer> refuse_uploader(const Request& request, const Gate& gate) {
  const Admission admission = gate.admit_upload(request, path_project(request));
  if (const auto* refusal = std::get_if<Denial>(&admission)) return tecken_refusal(*refusal);
  // These routes know one kind of file, and try builds may not bring that.
  if (std::get<Who>(admission).only_try) {
    return tecken_refusal({Denial::Why::lacks_right, "this token may upload try symbols only"});
  }
  if (const std::string& project = std::get<Who>(admission).project.name; !project.empty()) {
    return json_error(403, "this token is for the project " + project +
                               "; sources and transactions are of the default one");
  }
  return std::nullopt;
}

std::function<std::optional<Answer>(const Request&)> upload_gate(const UploadRooms& rooms,
                                                                 const UploadOptions& options) {
  const auto context = std::make_shared<const UploadContext>(UploadContext{rooms, options});
  return [context](const Request& request) -> std::optional<Answer> {
    if (auto refused = refuse_uploader(request, context->rooms.gate)) return refused;
    return refuse_for_lack_of_disk(context, tecken_dialect(), request);
  };
}

void add_upload_routes(net::Router& router, const UploadRooms& rooms,
                       const UploadOptions& options) {
  const auto context = std::make_shared<const UploadContext>(UploadContext{rooms, options});
  add_tecken_v2_routes(router, context);
  add_tecken_routes(router, context);
  add_breakpad_routes(router, context);
  add_sentry_routes(router, context);
  add_nuget_routes(router, context);
  add_upload_record_routes(router, context);
  add_tecken_page_routes(router, context);
  add_tecken_token_routes(router, context);
  add_put_route(router, context);
}

}  // namespace api
