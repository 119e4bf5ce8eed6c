#include "api/parts.h"

#include <memory>

#include "api/upload_common.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/uploaded_package.h"
#include "store/blobs.h"

namespace api {

using base::Error;
using base::Fault;
using base::JsonWriter;
using base::Result;
using net::Answer;
using net::Request;

namespace {

constexpr std::uint64_t kPartMax = 32ull << 20;

struct Places {
  PartialUploads& partial;
  Context context;
};

template <class Given>  // an Answer, or a Reply
net::Reply answer_of(const Places& places, Result<Given> result) {
  if (result.ok()) return std::move(result).value();
  return upload_failed(places.context, tecken_dialect(), result.error());
}

Answer received(int status, std::uint64_t size) {
  JsonWriter out;
  out.begin_object().key("received").unsigned_integer(size).end_object();
  return Answer::json(status, out.take());
}

Result<ingest::Bringer> bringer_of_parts(const Context& context, const Request& request) {
  const Admission admission = context->rooms.gate.admit_upload(request, path_project(request));
  if (const auto* denial = std::get_if<Denial>(&admission)) {
    return Error{Fault::denied, denial->what};
  }
  return bringer_of(context, request, std::get<Who>(admission), "parts", false);
}

// Which upload is meant: what another project sends is none of this one's.
Result<PartialUploads::Name> upload_in(const Request& request, const Places& places) {
  const auto hash = store::find_sha256(base::lower_ascii(request.path_parameter("sha256")));
  if (!hash) {
    return Error{Fault::malformed, "an upload is named by its SHA-256: 64 hexadecimal digits"};
  }
  const ingest::Bringer bringer = TRY(bringer_of_parts(places.context, request));
  return PartialUploads::Name{*hash, bringer.project};
}

Result<Answer> ask(Request& request, const Places& places) {
  const PartialUploads::Name upload = TRY(upload_in(request, places));
  return received(200, places.partial.received(upload));
}

Result<Answer> take_part(Request& request, const Places& places) {
  const PartialUploads::Name upload = TRY(upload_in(request, places));
  const auto offset = base::parse_decimal(request.query_value("offset").value_or(""));
  if (!offset) return Error{Fault::malformed, "?offset=N says where the part belongs"};
  const std::uint64_t size_max = places.context->options.body_size_max;
  if (*offset > size_max || request.body.size() > size_max - *offset) {
    return Error{Fault::too_large,
                 "the file is larger than " + std::to_string(size_max) + " bytes"};
  }
  const PartialUploads::Appended appended =
      TRY(places.partial.append(upload, *offset, base::bytes_of(request.body)));
  return received(appended.fits ? 200 : 409, appended.received);
}

Answer kept_answer(const ingest::Kept& kept) {
  JsonWriter out;
  write_file(out, kept);
  return Answer::json(kept.was_known ? 200 : 201, out.take());
}

Result<void> check_file_names_itself(const std::string& path, const std::string& name) {
  const auto file = TRY(base::MappedFile::open(path));
  return check_names_itself(file->bytes(), name);
}

// Whether the path that it was sent to is one of the file's own.
bool is_own_path(const store::FileRecord& file, const ident::StorePath& path) {
  using ident::KeyKind;
  const auto is_own = [&](KeyKind kind, const std::string& id) {
    return !id.empty() && ident::spells(path.id, ident::SymbolKey::from_text(kind, "", id));
  };
  return is_own(KeyKind::debug_id, file.debug_id) || is_own(KeyKind::build_id, file.code_id) ||
         is_own(KeyKind::code_id, file.code_id);
}

// None of its parts are here: perhaps they were kept, and the answer that said so was lost.
Result<Answer> answer_again(const Places& places, const ingest::Bringer& bringer,
                            const PartialUploads::Name& upload, const std::string& path) {
  const auto found = TRY(places.context->rooms.uploads.find_known(
      {{upload.sha256.hex(), path}}, {bringer.project, bringer.is_try}));
  if (!found.front()) return Error{Fault::not_found, "nothing of it has been sent"};
  ingest::Kept kept;
  kept.file.file = *found.front();
  kept.file.path = path;
  kept.was_known = true;
  if (const auto where = ident::find_store_path(path)) {
    kept.file.keys.push_back({ident::path_key(*where), is_own_path(*found.front(), *where)});
  }
  return kept_answer(kept);
}

Result<Answer> finish(Request& request, const Places& places) {
  const PartialUploads::Name upload = TRY(upload_in(request, places));
  const auto where = ident::find_store_path(request.query_value("path").value_or(""));
  const std::string name = request.query_value("name").value_or("");
  if (!where && name.empty()) {
    return Error{Fault::malformed, "?path=NAME/ID/FILE or ?name=FILE says what the file is called"};
  }
  const ingest::Bringer bringer = TRY(bringer_of_parts(places.context, request));
  auto complete = places.partial.complete(upload);
  if (!complete.ok() && complete.error().fault == Fault::not_found) {
    return answer_again(places, bringer, upload, where ? where->text() : name);
  }
  if (!complete.ok()) return std::move(complete).error();
  base::PendingFile file = complete->take();
  if (!where) TRY(check_file_names_itself(file.path(), name));
  const auto receipt =
      places.context->rooms.ingest.keep_file(bringer, {std::move(file), where, name});
  // What may not be here waits here for nobody either.
  if (!receipt.ok() && receipt.error().fault == Fault::denied) complete->done();
  if (!receipt.ok()) return receipt.error();
  complete->done();
  base::log::info("upload {}: {} in parts", receipt->upload_id, receipt->files.front().file.path);
  return kept_answer(receipt->files.front());
}

Result<net::Reply> keep_package(const Request& request, const Places& places,
                                const std::string& name) {
  if (!ident::is_allowed_name(name)) return Error{Fault::malformed, name + ": no name for a file"};
  ingest::Bringer bringer = TRY(bringer_of_parts(places.context, request));
  bringer.way = "package";
  if (auto refused = refuse_to_unpack(places.context, tecken_dialect())) {
    return net::Reply(std::move(*refused));
  }
  return run_long(places.context, tecken_dialect(),
                  [context = places.context, bringer, name, body = request.body_file] {
                    const base::PendingFile& file = body->file;
                    return answer_of_many(context, bringer, name, file.size(),
                                          context->rooms.ingest.keep_package(
                                              bringer, name, file.path(), file.size()));
                  });
}

Result<net::Reply> put_by_name(Request& request, const Places& places) {
  const std::string name(request.path_parameter("name"));
  if (!request.body_file) return Error{Fault::malformed, "the body is empty"};
  if (ingest::is_package_name(name)) return keep_package(request, places, name);
  TRY(check_file_names_itself(request.body_file->file.path(), name));
  const ingest::Bringer bringer = TRY(bringer_of_parts(places.context, request));
  const ingest::Receipt receipt = TRY(places.context->rooms.ingest.keep_file(
      bringer, {std::move(request.body_file->file), {}, name}));
  base::log::info("upload {}: {}", receipt.upload_id, receipt.files.front().file.path);
  return net::Reply(kept_answer(receipt.files.front()));
}

}  // namespace

void add_parts_routes(net::Router& router, const UploadRooms& rooms, PartialUploads& partial,
                      const UploadOptions& options) {
  const auto context = std::make_shared<const UploadContext>(UploadContext{rooms, options});
  const auto places = std::make_shared<const Places>(Places{partial, context});
  const auto add = [&](const char* method, const char* pattern, net::BodyPolicy body, auto handle) {
    net::Route route;
    route.method = method;
    route.pattern = pattern;
    route.body = std::move(body);
    route.runs = net::Runs::pool;
    route.admit = [context](const Request& request) -> std::optional<Answer> {
      const Admission admission = context->rooms.gate.admit_upload(request, path_project(request));
      if (const auto* denial = std::get_if<Denial>(&admission)) {
        return tecken_dialect().refusal(*denial);
      }
      return refuse_for_lack_of_disk(context, tecken_dialect(), request);
    };
    add_for_projects(router, std::move(route), [places, handle](Request& request) {
      return answer_of(*places, handle(request, *places));
    });
  };
  constexpr const char* kUpload = "/api/v1/uploads/{sha256}";
  add("GET", kUpload, net::BodyPolicy::none(), ask);
  add("PUT", kUpload, net::BodyPolicy::memory(kPartMax), take_part);
  add("POST", kUpload, net::BodyPolicy::memory(1024), finish);
  add("PUT", "/api/v1/files/{name}", net::BodyPolicy::file(options.body_size_max), put_by_name);
}

}  // namespace api
