// sentry-cli's debug-files upload: options, chunks, assemble. An assemble puts files together for
// a few seconds; what is then left is "assembling", and the client asks again in a second.
#include <algorithm>
#include <bit>
#include <chrono>

#include "api/manifest.h"
#include "api/upload_common.h"
#include "base/codec.h"
#include "base/log.h"
#include "base/text.h"
#include "extract/beside.h"
#include "ident/beside.h"
#include "net/multipart.h"

namespace api {

using base::Error;
using base::Fault;
using base::JsonWriter;
using base::Result;
using net::Answer;
using net::Request;

namespace {

constexpr std::uint64_t kChunkSize = 8 << 20;
constexpr std::size_t kChunksPerRequest = 64;
constexpr std::uint64_t kAssembleSizeMax = 16 << 20;
constexpr std::chrono::seconds kAssembleTime{5};
constexpr std::chrono::microseconds kSkipsAgain = std::chrono::hours(1);

// The names that ingest reads: images and debug files, PDBs of both kinds, and what lies beside
// them ("bcsymbolmaps" are UUID maps, too).
constexpr std::string_view kAccept =
    R"(["debug_files","pdbs","portablepdbs","sources","bcsymbolmaps","il2cpp"])";

// sentry-cli names organization and project; ours is the one of that name, if there is one.
std::optional<std::string> project_of(const Context& context, const Request& request) {
  std::string name(request.path_parameter("sentry_project"));
  if (name.empty() || !context->rooms.access.find_project(name)) return path_project(request);
  return name;
}

Answer get_options(const Context& context, const Request& request) {
  const std::uint64_t request_max =
      std::max(context->options.sentry_request_size_max, kChunkSize / 8);
  const std::uint64_t chunk = std::min(kChunkSize, std::bit_floor(request_max));
  JsonWriter out;
  out.begin_object();
  out.key("url").string(own_url(context, request) + request.path);
  out.key("chunkSize").unsigned_integer(chunk);
  out.key("chunksPerRequest").unsigned_integer(kChunksPerRequest);
  out.key("maxFileSize").unsigned_integer(context->options.body_size_max);
  out.key("maxRequestSize").unsigned_integer(request_max);
  out.key("concurrency").integer(4);
  out.key("hashAlgorithm").string("sha1");
  out.key("compression").begin_array().string("gzip").end_array();
  out.key("accept").raw(kAccept);
  out.end_object();
  return Answer::json(200, out.take());
}

Result<void> keep_chunk(const Context& context, const net::Part& part) {
  const std::string name = base::to_valid_utf8(part.filename.value_or(""));
  if (part.name != "file_gzip") return context->rooms.chunks.put(name, part.body);
  const std::vector<std::uint8_t> plain = TRY(base::gunzip(part.body, kChunkSize));
  return context->rooms.chunks.put(name, plain);
}

Answer post_chunks(const Context& context, Request& request) {
  const auto parts = net::parse_multipart(request);
  if (!parts.ok()) return upload_failed(context, sentry_dialect(), parts.error());
  std::size_t chunks = 0;
  for (const net::Part& part : *parts) {
    if (part.name != "file" && part.name != "file_gzip") continue;
    if (++chunks > kChunksPerRequest) return sentry_dialect().error(400, "too many chunks");
    if (part.body.size() > kChunkSize) return sentry_dialect().error(413, "a chunk is too large");
    const auto kept = keep_chunk(context, part);
    if (!kept.ok()) return upload_failed(context, sentry_dialect(), kept.error());
  }
  return Answer::json(200, "");
}

struct State {
  std::string state;
  std::string detail;  // of an error
  std::vector<std::string> missing;
  std::optional<store::FileRecord> file;
  bool was_known = false;  // it was here before this request
};

State failed(const Error& error) { return {"error", error.what, {}, {}}; }

std::vector<std::string> missing_of(const Context& context, const AssembleFile& wanted) {
  std::vector<std::string> missing;
  for (const std::string& chunk : wanted.chunks) {
    if (!context->rooms.chunks.hold(chunk)) missing.push_back(chunk);
  }
  return missing;
}

// Debug files name themselves; Breakpad text too, but it is looked for under its path. Of the texts
// beside them only the client knows whose they are.
Result<std::optional<ident::StorePath>> told_path(const base::PendingFile& whole,
                                                  const std::string& name,
                                                  const std::string& debug_id) {
  const auto id = ident::DebugId::parse(debug_id);
  const auto bytes = TRY(base::MappedFile::open(whole.path()));
  const extract::FileKind kind = extract::identify(bytes->bytes()).kind;
  if (!id || !extract::is_told_its_id(kind)) return std::optional<ident::StorePath>();
  // A line mapping comes under the very name of its module, which is another file's.
  std::string file = name;
  if (!extract::find_id_in_name(name)) file.append(".").append(extract::name_of(kind));
  return std::optional(ident::StorePath{name, id->breakpad(), std::move(file)});
}

// Puts one file together and keeps it. Its chunks stay: another file of the same upload may share
// them, and sentry-cli, which sends each chunk once, gives up when one is asked for again.
State assemble(const Context& context, const ingest::Bringer& bringer, const AssembleFile& wanted,
               const std::string& tmp) {
  auto whole =
      context->rooms.chunks.join(wanted.chunks, wanted.sha1, tmp, context->options.body_size_max);
  if (!whole.ok()) {
    if (whole.error().fault == Fault::not_found) {
      return {"not_found", "", missing_of(context, wanted), {}};
    }
    return failed(whole.error());
  }
  std::string name(base::basename_of(wanted.name));
  if (!ident::is_allowed_name(name)) name = wanted.sha1;
  auto path = told_path(*whole, name, wanted.debug_id);
  if (!path.ok()) return failed(path.error());
  auto receipt =
      context->rooms.ingest.keep_file(bringer, {std::move(*whole), std::move(*path), name});
  if (!receipt.ok()) return failed(receipt.error());
  const store::NewFile& kept = receipt->files.front().file;
  const auto digest = context->rooms.uploads.keep_digest("sha1", wanted.sha1, kept.file.sha256);
  if (!digest.ok()) return failed(digest.error());
  base::log::info("upload {}: {} by sentry-cli", receipt->upload_id, name);
  return {"ok", "", {}, kept.file};
}

// One text may belong to several modules, which come one after the other.
Result<void> keep_for_module(const Context& context, const ingest::Bringer& bringer,
                             const store::FileRecord& file, const AssembleFile& wanted) {
  const auto id = ident::DebugId::parse(wanted.debug_id);
  const bool is_told = ident::is_beside_format(file.format) && file.format != ident::kSourceBundle;
  if (!is_told || bringer.is_strict || !id || id->is_nil()) return {};
  const ident::Scope scope{bringer.project, bringer.is_try};
  const auto key = ident::SymbolKey::from_debug_id(base::basename_of(wanted.name), *id);
  const auto found = TRY(context->rooms.catalog.find({key}, scope));
  const auto is_file = [&](const store::Found& row) { return row.file.id == file.id; };
  if (std::any_of(found.front().begin(), found.front().end(), is_file)) return {};
  store::NewFile added;
  added.file = file;
  added.keys.push_back({key, false, bringer.is_try});
  if (id->age == 0) {
    const std::string uuid = base::hex_of(id->guid);
    added.keys.push_back(
        {ident::SymbolKey::from_text(ident::KeyKind::uuid, key.name, uuid), false, bringer.is_try});
  }
  return context->rooms.catalog.add_keys(added, scope);
}

State state_of(const Context& context, const ingest::Bringer& bringer, const AssembleFile& wanted,
               bool may_work) {
  const auto known =
      context->rooms.uploads.find_by_digest("sha1", wanted.sha1, {bringer.project, bringer.is_try});
  if (!known.ok()) return failed(known.error());
  if (*known) {
    const auto told = keep_for_module(context, bringer, **known, wanted);
    return told.ok() ? State{"ok", "", {}, *known, true} : failed(told.error());
  }
  const std::vector<std::string> missing = missing_of(context, wanted);
  if (wanted.chunks.empty() || !missing.empty()) return {"not_found", "", missing, {}};
  if (!may_work) return {"assembling", "", {}, {}};
  return assemble(context, bringer, wanted, context->rooms.blobs.tmp());
}

// 0403…0f100 → 04030201-…-0f10 as Sentry prints it: no age when that is 0.
std::string sentry_debug_id(const std::string& breakpad) {
  if (breakpad.size() < 33) return breakpad;
  std::string id = base::lower_ascii(breakpad.substr(0, 32));
  for (const std::size_t at : {20u, 16u, 12u, 8u}) id.insert(at, "-");
  const std::string age = base::lower_ascii(breakpad.substr(32));
  return age == "0" ? id : id + "-" + age;
}

void write_dif(JsonWriter& out, const AssembleFile& wanted, const store::FileRecord& file) {
  const std::string debug_id = sentry_debug_id(file.debug_id);
  out.key("dif").begin_object();
  out.key("id").string(std::to_string(file.id));
  out.key("uuid").string(debug_id.substr(0, 36)).key("debugId").string(debug_id);
  out.key("codeId");
  if (file.code_id.empty()) {
    out.null();
  } else {
    out.string(file.code_id);
  }
  out.key("objectName").string(file.name).key("cpuName").string(file.arch);
  out.key("symbolType").string(file.format);
  out.key("headers").begin_object().key("Content-Type").string("application/octet-stream");
  out.end_object();
  out.key("size").unsigned_integer(file.size).key("sha1").string(wanted.sha1);
  out.key("dateCreated").string(base::iso8601(file.added_at));
  out.key("data").begin_object().key("features").begin_array();
  if (file.has_symbols) out.string("symtab");
  if (file.has_debug) out.string("debug");
  if (file.format == ident::kSourceBundle) out.string("sources");
  out.end_array().end_object().end_object();
}

void write_state(JsonWriter& out, const AssembleFile& wanted, const State& state) {
  out.key(wanted.sha1).begin_object().key("state").string(state.state);
  out.key("detail");
  if (state.detail.empty()) {
    out.null();
  } else {
    out.string(state.detail);
  }
  out.key("missingChunks").begin_array();
  for (const std::string& chunk : state.missing) out.string(chunk);
  out.end_array();
  if (state.file) write_dif(out, wanted, *state.file);
  out.end_object();
}

// The client asks until all is done: what it was told in the last hour is not recorded again.
void record_skips(const Context& context, const ingest::Bringer& bringer,
                  std::vector<store::NewFile> skipped) {
  const store::Upload upload = ingest::upload_of(bringer);
  const base::Time since{base::now().us - kSkipsAgain.count()};
  std::uint64_t size = 0;
  std::erase_if(skipped, [&](const store::NewFile& file) {
    const auto told = context->rooms.uploads.has_recorded(upload, file.file.id, since);
    if (told.ok() && !*told) size += file.file.size;
    return !told.ok() || *told;
  });
  if (skipped.empty()) return;
  const auto id = record_upload(context, bringer, {}, size, skipped);
  if (!id.ok()) base::log::warning("skipped files are not recorded: {}", id.error().what);
}

Answer post_assemble(const Context& context, Request& request) {
  const Admission admission =
      context->rooms.gate.admit_upload(request, project_of(context, request));
  if (const auto* refusal = std::get_if<Denial>(&admission)) {
    return sentry_dialect().refusal(*refusal);
  }
  const auto files = parse_assemble(request.body);
  if (!files.ok()) return sentry_dialect().error(400, files.error().what);
  const ingest::Bringer bringer =
      bringer_of(context, request, std::get<Who>(admission), "sentry", false);
  const auto until = std::chrono::steady_clock::now() + kAssembleTime;
  JsonWriter out;
  out.begin_object();
  std::vector<store::NewFile> skipped;
  for (const AssembleFile& wanted : *files) {
    const bool may_work = std::chrono::steady_clock::now() < until;
    const State state = state_of(context, bringer, wanted, may_work);
    write_state(out, wanted, state);
    if (!state.was_known) continue;
    skipped.emplace_back().file = *state.file;
    skipped.back().path = base::basename_of(wanted.name);
  }
  out.end_object();
  record_skips(context, bringer, std::move(skipped));
  return Answer::json(200, out.take());
}

}  // namespace

void add_sentry_routes(net::Router& router, const Context& context) {
  constexpr const char* kChunks = "/api/0/organizations/{organization}/chunk-upload/";
  constexpr const char* kAssemble =
      "/api/0/projects/{organization}/{sentry_project}/files/difs/assemble/";
  add_for_projects(router, upload_text_route(context, sentry_dialect(), "GET", kChunks, 0),
                   [context](Request& request) { return get_options(context, request); });
  // What we announce, and some for the form around it.
  const std::uint64_t request_max = context->options.sentry_request_size_max + (1 << 20);
  add_for_projects(router, upload_route(context, sentry_dialect(), "POST", kChunks, request_max),
                   [context](Request& request) { return post_chunks(context, request); });
  net::Route assemble_route =
      upload_text_route(context, sentry_dialect(), "POST", kAssemble, kAssembleSizeMax);
  assemble_route.admit = [context](const Request& request) -> std::optional<Answer> {
    const Admission admission =
        context->rooms.gate.admit_upload(request, project_of(context, request));
    if (const auto* refusal = std::get_if<Denial>(&admission)) {
      return sentry_dialect().refusal(*refusal);
    }
    return refuse_for_lack_of_disk(context, sentry_dialect(), request);
  };
  add_for_projects(router, std::move(assemble_route),
                   [context](Request& request) { return post_assemble(context, request); });
}

}  // namespace api
