#include "api/parts.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "api/upload_common.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "extract/identify.h"
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
constexpr std::int64_t kKeptSeconds = 7 * 24 * 3600;
constexpr std::size_t kUnfinishedMax = 1000;

struct Places {
  std::string partial;  // DATA/partial
  std::string tmp;      // DATA/tmp
  Context context;
};
using Shared = std::shared_ptr<const Places>;

Answer answer_error(const Error& error) {
  JsonWriter out;
  out.begin_object().key("error").string(error.what).end_object();
  return Answer::json(base::policy_of(error.fault).http_status, out.take());
}

Answer answer_of(Result<Answer> result) {
  return result.ok() ? std::move(result).value() : answer_error(result.error());
}

Answer received(int status, std::uint64_t size) {
  JsonWriter out;
  out.begin_object().key("received").unsigned_integer(size).end_object();
  return Answer::json(status, out.take());
}

Result<std::string> hash_of(const Request& request) {
  std::string hash = base::lower_ascii(request.path_parameter("sha256"));
  if (store::find_sha256(hash)) return hash;
  return Error{Fault::malformed, "an upload is named by its SHA-256: 64 hexadecimal digits"};
}

std::uint64_t size_of(const base::Fd& fd) {
  struct stat info{};
  return ::fstat(fd.get(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

// Locked against another request for the same upload.
Result<base::Fd> open_partial(const std::string& path, int flags) {
  base::Fd fd(::open(path.c_str(), flags | O_CLOEXEC, 0644));
  if (!fd.valid()) return base::error_from_errno(errno, "cannot open", path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error{Fault::unavailable, "this upload is under way in another request"};
  }
  return fd;
}

Result<Answer> ask(const Request& request, const Places& places) {
  const std::string hash = TRY(hash_of(request));
  const base::Fd fd(::open(base::join_path(places.partial, hash).c_str(), O_RDONLY | O_CLOEXEC));
  return received(200, fd.valid() ? size_of(fd) : 0);
}

Result<void> check_room(const Places& places, std::uint64_t end) {
  if (end > places.context->options.body_size_max) {
    return Error{Fault::too_large, "the file is larger than " +
                                       std::to_string(places.context->options.body_size_max) +
                                       " bytes"};
  }
  const auto waiting = base::list_files(places.partial);
  if (waiting.ok() && waiting->size() > kUnfinishedMax) {
    return Error{Fault::unavailable, "too many unfinished uploads wait here"};
  }
  return {};
}

Result<Answer> take_part(const Request& request, const Places& places) {
  const std::string hash = TRY(hash_of(request));
  const auto offset = base::parse_decimal(request.query_value("offset").value_or(""));
  if (!offset) return Error{Fault::malformed, "?offset=N says where the part belongs"};
  if (*offset > places.context->options.body_size_max) {
    return Error{Fault::too_large, "?offset is past the limit"};
  }
  TRY(check_room(places, *offset + request.body.size()));
  TRY(base::make_directories(places.partial));
  const std::string path = base::join_path(places.partial, hash);
  const base::Fd fd = TRY(open_partial(path, O_WRONLY | O_CREAT));
  const std::uint64_t have = size_of(fd);
  if (have != *offset) return received(409, have);
  std::string_view rest = request.body;
  for (std::uint64_t at = have; !rest.empty();) {
    const ::ssize_t n = ::pwrite(fd.get(), rest.data(), rest.size(), static_cast<::off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::error_from_errno(errno, "cannot write", path);
    at += static_cast<std::uint64_t>(n);
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return received(200, have + request.body.size());
}

Answer kept_answer(const ingest::Receipt& receipt) {
  const ingest::Kept& kept = receipt.files.front();
  const store::FileRecord& file = kept.file.file;
  JsonWriter out;
  out.begin_object();
  out.key("path").string(kept.file.path);
  out.key("size").unsigned_integer(file.size);
  out.key("sha256").string(file.sha256.hex());
  out.key("format").string(file.format);
  out.key("arch").string(file.arch);
  out.key("debug_id").string(file.debug_id);
  out.key("code_id").string(file.code_id);
  out.key("was_known").boolean(kept.was_known);
  out.end_object();
  return Answer::json(kept.was_known ? 200 : 201, out.take());
}

// A file that nobody could find again is not kept.
Result<void> check_names_itself(const std::string& path, const std::string& name) {
  if (!ident::is_allowed_name(name)) return Error{Fault::malformed, name + ": no name for a file"};
  const auto bytes = TRY(base::MappedFile::open(path));
  const extract::Identity identity = extract::identify(bytes->bytes());
  if (!identity.debug_id.is_nil() || !identity.code_id.empty() || !identity.dwo_ids.empty() ||
      !identity.old_id.empty() || !identity.uuid.empty() ||
      identity.kind == extract::FileKind::cab) {
    return {};
  }
  return Error{Fault::malformed,
               name + ": has no id by which it could be found" +
                   (identity.problem.empty() ? "" : " (" + identity.problem + ")")};
}

Result<ingest::Bringer> bringer_of_parts(const Context& context, const Request& request) {
  const Admission admission = context->rooms.gate.admit_upload(request, path_project(request));
  if (const auto* denial = std::get_if<Denial>(&admission)) {
    return Error{Fault::denied, denial->what};
  }
  return bringer_of(context, request, std::get<Who>(admission), "parts", false);
}

Result<Answer> finish(const Request& request, const Places& places) {
  const std::string hash = TRY(hash_of(request));
  const std::string path = base::join_path(places.partial, hash);
  const auto where = ident::find_store_path(request.query_value("path").value_or(""));
  const std::string name = request.query_value("name").value_or("");
  if (!where && name.empty()) {
    return Error{Fault::malformed, "?path=NAME/ID/FILE or ?name=FILE says what the file is called"};
  }
  if (!base::file_exists(path)) return Error{Fault::not_found, "nothing of it has been sent"};
  const base::Fd fd = TRY(open_partial(path, O_RDONLY));
  const base::Sha256 have = TRY(store::sha256_of_file(path));
  if (have.hex() != hash) {
    TRY(base::remove_file(path));
    return Error{Fault::malformed, "what was sent has another SHA-256: begin again"};
  }
  if (!where) TRY(check_names_itself(path, name));
  base::PendingFile file = TRY(base::PendingFile::create(places.tmp));
  {
    const auto bytes = TRY(base::MappedFile::open(path));
    TRY(file.append(bytes->bytes()));
  }
  const ingest::Bringer bringer = TRY(bringer_of_parts(places.context, request));
  const ingest::Receipt receipt =
      TRY(places.context->rooms.ingest.keep_file(bringer, {std::move(file), where, name}));
  TRY(base::remove_file(path));
  base::log::info("upload {}: {} in parts", receipt.upload_id, receipt.files.front().file.path);
  return kept_answer(receipt);
}

Result<Answer> keep_package(const Request& request, const Places& places, const std::string& name) {
  if (!ident::is_allowed_name(name)) return Error{Fault::malformed, name + ": no name for a file"};
  ingest::Bringer bringer = TRY(bringer_of_parts(places.context, request));
  bringer.way = "package";
  const base::PendingFile& file = request.body_file->file;
  return answer_of_many(
      places.context, bringer, name, file.size(),
      places.context->rooms.ingest.keep_package(bringer, name, file.path(), file.size()));
}

Result<Answer> put_by_name(Request& request, const Places& places) {
  const std::string name(request.path_parameter("name"));
  if (!request.body_file) return Error{Fault::malformed, "the body is empty"};
  if (ingest::is_package_name(name)) return keep_package(request, places, name);
  TRY(check_names_itself(request.body_file->file.path(), name));
  const ingest::Bringer bringer = TRY(bringer_of_parts(places.context, request));
  const ingest::Receipt receipt = TRY(places.context->rooms.ingest.keep_file(
      bringer, {std::move(request.body_file->file), {}, name}));
  base::log::info("upload {}: {}", receipt.upload_id, receipt.files.front().file.path);
  return kept_answer(receipt);
}

void sweep(const std::string& directory) {
  const auto files = base::list_files(directory);
  if (!files.ok()) return;  // not there yet
  for (const std::string& file : *files) {
    struct stat info{};
    if (::stat(file.c_str(), &info) != 0) continue;
    if (base::now().us / 1'000'000 - info.st_mtime < kKeptSeconds) continue;
    if (base::remove_file(file).ok()) base::log::info("removed an unfinished upload of old");
  }
}

}  // namespace

void add_parts_routes(net::Router& router, const UploadRooms& rooms, const UploadOptions& options) {
  const auto context = std::make_shared<const UploadContext>(UploadContext{rooms, options});
  const std::string& data = rooms.disk.path();
  const auto places = std::make_shared<const Places>(
      Places{base::join_path(data, "partial"), base::join_path(data, "tmp"), context});
  sweep(places->partial);
  const auto add = [&](const char* method, const char* pattern, net::BodyPolicy body,
                       const std::function<Result<Answer>(Request&)>& handle) {
    net::Route route;
    route.method = method;
    route.pattern = pattern;
    route.body = body;
    route.runs = net::Runs::pool;
    route.admit = [context](const Request& request) -> std::optional<Answer> {
      const Admission admission = context->rooms.gate.admit_upload(request, path_project(request));
      if (const auto* denial = std::get_if<Denial>(&admission)) {
        return tecken_dialect().refusal(*denial);
      }
      return refuse_for_lack_of_disk(context, tecken_dialect(), request);
    };
    route.handler = [handle](Request& request) -> net::Reply { return answer_of(handle(request)); };
    router.add(std::move(route));
  };
  constexpr const char* kUpload = "/api/v1/uploads/{sha256}";
  add("GET", kUpload, net::BodyPolicy::none(),
      [places](Request& request) { return ask(request, *places); });
  add("PUT", kUpload, net::BodyPolicy::memory(kPartMax),
      [places](Request& request) { return take_part(request, *places); });
  add("POST", kUpload, net::BodyPolicy::memory(1024),
      [places](Request& request) { return finish(request, *places); });
  add("PUT", "/api/v1/files/{name}", net::BodyPolicy::file(options.body_size_max),
      [places](Request& request) { return put_by_name(request, *places); });
}

}  // namespace api
