#include "api/upload.h"

#include <algorithm>
#include <memory>

#include "api/clients.h"
#include "api/symbols.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "net/multipart.h"
#include "store/data_directory.h"

namespace api {

using base::Error;
using base::Fault;
using base::JsonWriter;
using net::Answer;
using net::Request;

namespace {

using Options = std::shared_ptr<const UploadOptions>;

Answer json_error(int status, std::string_view text) {
  JsonWriter out;
  out.begin_object().key("error").string(text).end_object();
  return Answer::json(status, out.take());
}

int status_of(const Error& error, const UploadOptions& options) {
  if (error.fault != Fault::unavailable) return base::policy_of(error.fault).http_status;
  // A full disk is the operator's matter; anything else may pass by itself.
  return store::free_bytes(options.data_directory) < options.free_bytes_min ? 507 : 503;
}

Answer upload_failed(const Error& error, const UploadOptions& options) {
  const int status = status_of(error, options);
  if (status >= 500) base::log::error("upload: {}", error.what);
  if (status == 507) return json_error(507, "the disk of the server is full; nothing was kept");
  return json_error(status, error.what);
}

// Same length of time for every wrong token of a length.
bool equal_secrets(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    difference |= static_cast<unsigned>(a[i] ^ b[i]);
  }
  return difference == 0;
}

// Auth-Token: TOKEN[-label], as Tecken's clients send it, or Authorization: Bearer TOKEN.
std::string_view token_of(const Request& request) {
  std::string_view token = request.header("Auth-Token");
  if (token.empty()) {
    token = request.header("Authorization");
    if (!token.starts_with("Bearer ")) return {};
    token.remove_prefix(7);
    return base::trim(token);
  }
  return base::trim(token);
}

std::optional<Answer> refuse_stranger(const Request& request, const UploadOptions& options) {
  const std::string_view token = token_of(request);
  if (!options.token.empty() && !token.empty()) {
    const bool labelled = token.size() > options.token.size() && token[options.token.size()] == '-';
    if (equal_secrets(labelled ? token.substr(0, options.token.size()) : token, options.token)) {
      return std::nullopt;
    }
    return json_error(403, "API Token not matched");
  }
  if (is_local(request)) return std::nullopt;
  return json_error(403, "This requires an Auth-Token to authenticate the request");
}

std::optional<Answer> refuse_for_lack_of_disk(const Request& request,
                                              const UploadOptions& options) {
  const std::uint64_t free = store::free_bytes(options.data_directory);
  const std::uint64_t length = base::parse_decimal(request.header("Content-Length")).value_or(0);
  if (length > options.body_size_max) return std::nullopt;  // net says 413
  if (free >= options.free_bytes_min && free - options.free_bytes_min >= length) {
    return std::nullopt;
  }
  return json_error(507, "the disk of the server is too full for this upload");
}

std::optional<Answer> refuse_head(const Request& request, const UploadOptions& options) {
  if (auto refused = refuse_stranger(request, options)) return refused;
  return refuse_for_lack_of_disk(request, options);
}

// The body could not be taken: too large, or its coding is damaged.
Answer refuse_body(const Request&, const Error& error, const UploadOptions& options) {
  return upload_failed(error, options);
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
  const bool verified =
      std::any_of(kept.file.keys.begin(), kept.file.keys.end(), [](const store::KeyRecord& record) {
        return record.key.kind == ident::KeyKind::path && record.verified;
      });
  out.key("verified").boolean(verified);
  out.end_object();
}

std::optional<std::string> refuse_path(const std::string& path,
                                       const std::optional<ident::StorePath>& parsed) {
  if (!parsed) {
    return "a symbol file is put to NAME/ID/FILE, each without control characters or any of "
           "\\ ^ ` > < { } [ ] # % \" ' |";
  }
  std::string_view first = path;
  while (first.starts_with('/')) first.remove_prefix(1);
  first = first.substr(0, first.find('/'));
  if (is_reserved(first)) {
    return "files named " + std::string(first) + " live under /symbols/: put it there";
  }
  return std::nullopt;
}

Answer put_file(Request& request, ingest::Ingest& ingest, const UploadOptions& options) {
  const auto path = ident::find_store_path(request.path);
  if (const auto refused = refuse_path(request.path, path)) return json_error(400, *refused);
  if (!request.body_file) return json_error(400, "the body is empty");
  // Cabinets and pointers of a store that is imported are kept as they are (api/store.h).
  const bool for_store = request.query_value("for") == "store";
  auto receipt = ingest.keep_file(
      request.peer, {std::move(request.body_file->file), path, path->file, for_store});
  if (!receipt.ok()) return upload_failed(receipt.error(), options);
  const ingest::Kept& kept = receipt->files.front();
  base::log::info("upload {}: {} ({})", receipt->upload_id, kept.file.path,
                  base::human_size(kept.file.file.size));
  JsonWriter out;
  write_file(out, kept);
  return Answer::json(kept.was_known ? 200 : 201, out.take());
}

// Tecken fetches archives from allow-listed hosts; we have no such list yet, so every host is
// none of it.
Answer refuse_by_url(std::string_view url) {
  if (!url.starts_with("https://")) return json_error(400, "Insecure URL");
  std::string_view host = url.substr(8);
  host = host.substr(0, host.find_first_of("/?#:"));
  return json_error(
      400, "Not an allowed domain ('" + base::to_valid_utf8(host) + "') to download from.");
}

std::string zip_answer(const ingest::Receipt& receipt, const std::string& file_name,
                       std::uint64_t size) {
  JsonWriter out;
  out.begin_object().key("upload").begin_object();
  out.key("id").integer(receipt.upload_id);
  out.key("size").unsigned_integer(size);
  out.key("filename").string(file_name);
  out.key("bucket").string("faultline");
  out.key("download_url").null();
  out.key("try_symbols").boolean(false);
  out.key("redirect_urls").begin_array().end_array();
  out.key("completed_at").string(base::iso8601(base::now()));
  out.key("created_at").string(base::iso8601(receipt.created_at));
  out.key("user").string("");
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
  out.end_object().end_object();
  return out.take();
}

Answer post_zip(Request& request, ingest::Ingest& ingest, const UploadOptions& options) {
  constexpr std::string_view kNoFile = "Must be multipart form data with at least one file";
  const auto parts = net::parse_multipart(request);
  if (!parts.ok()) {
    return parts.error().fault == Fault::malformed ? json_error(400, kNoFile)
                                                   : upload_failed(parts.error(), options);
  }
  const auto file = std::find_if(parts->begin(), parts->end(),
                                 [](const net::Part& part) { return part.filename.has_value(); });
  if (file == parts->end()) {
    for (const net::Part& part : *parts) {
      if (part.name == "url") return refuse_by_url(base::text_of(part.body));
    }
    return json_error(400, kNoFile);
  }
  const std::string name = base::to_valid_utf8(base::basename_of(*file->filename));
  const auto dot = name.rfind('.');
  const std::string extension = dot == std::string::npos ? "" : name.substr(dot);
  if (!base::equal_ignoring_case(extension, ".zip")) {
    return json_error(400, "Unrecognized archive file extension \"" + extension + "\"");
  }
  const auto receipt = ingest.keep_zip(request.peer, name, file->body);
  if (!receipt.ok()) return upload_failed(receipt.error(), options);
  base::log::info("upload {}: {} with {} files", receipt->upload_id, name, receipt->files.size());
  return Answer::json(201, zip_answer(*receipt, name, file->body.size()));
}

// What only POST may: `GET /upload/` would else look like the path of a file.
Answer wrong_method(const Request& request) {
  Answer answer = json_error(405, "Method Not Allowed (" + request.method_text +
                                      "): " + base::to_valid_utf8(request.path));
  answer.headers.set("Allow", "POST");
  return answer;
}

net::Route upload_route(const Options& options) {
  net::Route route;
  route.body = net::BodyPolicy::file(options->body_size_max);
  route.body.plain_size_max = options->body_size_max;
  route.runs = net::Runs::pool;
  route.admit = [options](const Request& request) { return refuse_head(request, *options); };
  route.refuse_body = [options](const Request& request, const Error& error) {
    return refuse_body(request, error, *options);
  };
  return route;
}

}  // namespace

std::function<std::optional<Answer>(const Request&)> upload_gate(const UploadOptions& options) {
  return [options](const Request& request) { return refuse_head(request, options); };
}

std::optional<Answer> refuse_uploader(const Request& request, const UploadOptions& options) {
  return refuse_stranger(request, options);
}

void add_upload_routes(net::Router& router, ingest::Ingest& ingest, const UploadOptions& given) {
  const auto options = std::make_shared<const UploadOptions>(given);
  for (const char* pattern : {"/upload/", "/upload"}) {
    net::Route zip = upload_route(options);
    zip.method = "POST";
    zip.pattern = pattern;
    zip.handler = [&ingest, options](Request& request) -> net::Reply {
      return post_zip(request, ingest, *options);
    };
    router.add(std::move(zip));

    net::Route other;
    other.method = "GET";
    other.pattern = pattern;
    other.handler = [](Request& request) -> net::Reply { return wrong_method(request); };
    router.add(std::move(other));
  }

  net::Route put = upload_route(options);
  put.method = "PUT";
  put.pattern = "/**";
  put.admit = [options](const Request& request) -> std::optional<Answer> {
    if (auto refused = refuse_head(request, *options)) return refused;
    const auto refused = refuse_path(request.path, ident::find_store_path(request.path));
    if (refused) return json_error(400, *refused);
    return std::nullopt;
  };
  put.handler = [&ingest, options](Request& request) -> net::Reply {
    return put_file(request, ingest, *options);
  };
  router.add(std::move(put));
}

}  // namespace api
