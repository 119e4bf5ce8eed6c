// POST /upload/v2/: a manifest in; for each file a URL to send it to, or "skip", or an error out.
// The URLs speak Google Cloud Storage's resumable protocol, which Tecken's clients know.
#include <algorithm>

#include "api/manifest.h"
#include "api/upload_common.h"
#include "base/codec.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"

namespace api {

using base::DigestKind;
using base::Error;
using base::Fault;
using base::JsonWriter;
using base::Result;
using net::Answer;
using net::Request;

namespace {

constexpr std::uint64_t kManifestSizeMax = 2 << 20;

// The MD5 of a file is worked out once.
Result<bool> has_md5(const UploadRooms& rooms, const store::FileRecord& file,
                     const std::string& md5) {
  const bool known = TRY(rooms.uploads.has_digest("md5", md5, file.sha256));
  if (known) return true;
  const auto blob = TRY(base::MappedFile::open(rooms.blobs.path_of(file.sha256)));
  const std::string its = base::hex_digest_of(blob->bytes(), DigestKind::md5);
  TRY(rooms.uploads.keep_digest("md5", its, file.sha256));
  return its == md5;
}

// The very same bytes, if they are there under that key.
Result<std::optional<store::Found>> find_unchanged(const UploadRooms& rooms,
                                                   const ManifestFile& wanted,
                                                   const ident::Scope& scope) {
  const auto found = TRY(rooms.catalog.find({ident::path_key(*wanted.path)}, scope));
  for (const store::Found& row : found.at(0)) {
    if (row.file.size != wanted.size || row.key.is_try != scope.include_try) continue;
    const bool same = TRY(has_md5(rooms, row.file, wanted.md5));
    if (!same) continue;
    // What only a watched directory has goes with that: the record could not keep it.
    const auto kept = TRY(rooms.uploads.find_by_digest("md5", wanted.md5, scope));
    if (kept && kept->sha256 == row.file.sha256) return std::optional(row);
  }
  return std::optional<store::Found>();
}

void write_error(JsonWriter& out, std::string_view text) {
  out.key("type").string("error").key("msg").string(text);
}

// What is to be done with each file of a manifest, and what the record says of it.
struct Plan {
  std::vector<bool> skips;  // for each: it is here
  std::vector<store::NewFile> skipped;
  std::vector<std::string> refused;
  std::uint64_t size = 0;  // of what is not refused
};

Plan plan_of(const Context& context, std::vector<ManifestFile>& manifest,
             const ident::Scope& scope) {
  Plan plan;
  for (ManifestFile& wanted : manifest) {
    if (wanted.error.empty() && wanted.size > context->options.body_size_max) {
      wanted.error = "file too large";
    }
    plan.skips.push_back(false);
    if (!wanted.error.empty()) {
      plan.refused.push_back(base::to_valid_utf8(wanted.key));
      continue;
    }
    plan.size += wanted.size;
    const auto same = find_unchanged(context->rooms, wanted, scope);
    if (!same.ok() || !*same) continue;
    plan.skips.back() = true;
    store::NewFile file;
    file.file = (*same)->file;
    file.keys.push_back((*same)->key);
    file.path = wanted.path->text();
    plan.skipped.push_back(std::move(file));
  }
  return plan;
}

void write_action(const Context& context, const ManifestFile& wanted, bool skips,
                  const ingest::Bringer& bringer, const std::string& url, JsonWriter& out) {
  if (!wanted.error.empty()) return write_error(out, wanted.error);
  if (skips) {
    out.key("type").string("skip");
    return;
  }
  const bool is_sym = wanted.path->file.ends_with(".sym");
  const auto id =
      context->rooms.sessions.begin({bringer, wanted.path, wanted.size, wanted.md5, is_sym});
  if (!id.ok()) return write_error(out, "internal error");
  out.key("type").string("upload").key("url").string(url + *id);
  if (is_sym) out.key("content_encoding").string("gzip");
}

Answer post_manifest(const Context& context, Request& request) {
  const Admission admission = context->rooms.gate.admit_upload(request, path_project(request));
  if (const auto* refusal = std::get_if<Denial>(&admission)) {
    return tecken_dialect().refusal(*refusal);
  }
  auto manifest = parse_manifest(request.body);
  if (!manifest.ok()) return json_error(400, manifest.error().what);
  ingest::Bringer bringer =
      bringer_of(context, request, std::get<Who>(admission), "tecken-v2", false);
  const Plan plan = plan_of(context, *manifest, {bringer.project, bringer.is_try});
  const auto id = record_upload(context, bringer, plan.refused, plan.size, plan.skipped);
  if (!id.ok()) return upload_failed(context, tecken_dialect(), id.error());
  bringer.upload_id = *id;  // each file goes there when it is complete
  const std::string url = own_url(context, request) + "/upload/v2/session/";
  JsonWriter out;
  out.begin_object().key("id").integer(*id);
  out.key("created_at").string(base::iso8601(base::now()));
  out.key("user").string(bringer.user).key("try_symbols").boolean(bringer.is_try);
  out.key("upload_protocol").string("gcs-resumable");
  out.key("files").begin_array();
  for (std::size_t i = 0; i < manifest->size(); ++i) {
    const ManifestFile& wanted = manifest->at(i);
    out.begin_object().key("key").string(wanted.key).key("action").begin_object();
    write_action(context, wanted, plan.skips[i], bringer, url, out);
    out.end_object().end_object();
  }
  out.end_array().end_object();
  return Answer::json(201, out.take());
}

Answer auth_info(const Context& context, const Request& request) {
  const Admission admission = context->rooms.gate.admit_upload(request, path_project(request));
  if (const auto* refusal = std::get_if<Denial>(&admission)) {
    return tecken_dialect().refusal(*refusal);
  }
  const Who& who = std::get<Who>(admission);
  const std::string shown = token_of(request);  // TOKEN[-label]
  const auto token = context->rooms.access.find_token(shown.substr(0, shown.find('-')));
  JsonWriter out;
  out.begin_object().key("email").string(who.name).key("user_id").integer(who.token);
  out.key("try_symbols").boolean(who.only_try).key("token_expires_at");
  if (token && token->expires_at.us != 0) {
    out.string(base::iso8601(token->expires_at));
  } else {
    out.null();
  }
  out.key("upload_api_version").integer(2).end_object();
  return Answer::json(200, out.take());
}

// 308: send on after byte N, in the words of the protocol.
Answer resume_at(std::uint64_t size) {
  Answer answer = Answer::text(308, "");
  if (size != 0) answer.headers.set("Range", "bytes=0-" + std::to_string(size - 1));
  return answer;
}

Result<base::PendingFile> plain_of(const Context& context, ingest::UploadSessions::Held& held) {
  const auto sent = TRY(base::MappedFile::open(held.path()));
  const base::Bytes bytes = sent->bytes();
  const bool packed = bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
  if (!held.announced().is_gzip || !packed) return held.take();
  base::PendingFile plain = TRY(context->rooms.blobs.create());
  TRY(base::gunzip_to(bytes, context->options.body_size_max,
                      [&](base::Bytes piece) { return plain.append(piece); }));
  static_cast<void>(held.take());  // the packed form goes
  return plain;
}

Result<void> check_announced(const ingest::Announced& announced, const base::PendingFile& file) {
  const auto mapped = TRY(base::MappedFile::open(file.path()));
  const base::Bytes bytes = mapped->bytes();
  if (announced.size != bytes.size() ||
      base::hex_digest_of(bytes, DigestKind::md5) != announced.md5) {
    return Error{Fault::malformed, "size or MD5 is not what was announced"};
  }
  return {};
}

Answer finish_session(const Context& context, ingest::UploadSessions::Held held) {
  const ingest::Announced announced = held.announced();
  auto file = plain_of(context, held);
  if (!file.ok()) return upload_failed(context, tecken_dialect(), file.error());
  if (const auto good = check_announced(announced, *file); !good.ok()) {
    return upload_failed(context, tecken_dialect(), good.error());
  }
  const auto receipt = context->rooms.ingest.keep_file(
      announced.bringer, {std::move(*file), announced.path, announced.path->file});
  if (!receipt.ok()) return upload_failed(context, tecken_dialect(), receipt.error());
  const ingest::Kept& kept = receipt->files.front();
  // Best effort: without it the next comparison reads the file once.
  if (kept.file.file.size == announced.size) {
    static_cast<void>(
        context->rooms.uploads.keep_digest("md5", announced.md5, kept.file.file.sha256));
  }
  base::log::info("upload {}: {}", receipt->upload_id, kept.file.path);
  JsonWriter out;
  write_file(out, kept);
  return Answer::json(200, out.take());
}

Answer put_session(const Context& context, Request& request) {
  auto held = context->rooms.sessions.hold(request.path_parameter("id"));
  if (!held.ok()) return upload_failed(context, tecken_dialect(), held.error());
  if (held->announced().bringer.way != "tecken-v2") return json_error(404, "no such upload");
  const auto range = parse_content_range(request.header("Content-Range"));
  if (!range) return json_error(400, "Content-Range is damaged");
  const auto body = request.body_bytes();
  if (!body.ok()) return upload_failed(context, tecken_dialect(), body.error());
  if (range->is_query) return resume_at(held->size());
  if (range->first > held->size()) return resume_at(held->size());
  // A repeated piece: what is there already is not written twice.
  const std::uint64_t skip = std::min<std::uint64_t>(held->size() - range->first, body->size());
  const base::Bytes fresh = body->subspan(static_cast<std::size_t>(skip));
  if (held->size() + fresh.size() > context->options.body_size_max) {
    return json_error(413, "the file is larger than the limit");
  }
  if (const auto written = held->append(fresh); !written.ok()) {
    return upload_failed(context, tecken_dialect(), written.error());
  }
  const bool complete = !range->is_part || (range->total && held->size() == *range->total);
  return complete ? finish_session(context, std::move(*held)) : resume_at(held->size());
}

}  // namespace

void add_tecken_v2_routes(net::Router& router, const Context& context) {
  for (const char* pattern : {"/upload/v2/", "/upload/v2"}) {
    add_for_projects(
        router, upload_text_route(context, tecken_dialect(), "POST", pattern, kManifestSizeMax),
        [context](Request& request) { return post_manifest(context, request); });
  }
  for (const char* pattern : {"/upload/auth_info/", "/upload/auth_info"}) {
    add_for_projects(router,
                     upload_text_route(context, tecken_dialect(), "POST", pattern, 64 * 1024),
                     [context](Request& request) { return auth_info(context, request); });
  }
  net::Route put = upload_route(context, tecken_dialect(), "PUT", "/upload/v2/session/{id}",
                                context->options.body_size_max);
  // The id is the right.
  put.admit = [context](const Request& request) {
    return refuse_for_lack_of_disk(context, tecken_dialect(), request);
  };
  put.handler = [context](Request& request) -> net::Reply { return put_session(context, request); };
  router.add(std::move(put));
}

}  // namespace api
