#include "api/upload_form.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/upload_common.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/packed_files.h"
#include "ingest/uploaded_package.h"
#include "net/multipart.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;
using net::Answer;
using net::Part;
using net::Request;

namespace {

using Ways = std::shared_ptr<const FormWays>;

std::string text_of_part(const std::vector<Part>& parts, std::string_view name) {
  const auto part =
      std::find_if(parts.begin(), parts.end(), [&](const Part& one) { return one.name == name; });
  if (part == parts.end()) return "";
  return std::string(base::trim(base::text_of(part->body)));
}

Answer told(const FormWays& ways, const std::string& name, const Result<ingest::Receipt>& kept) {
  if (!kept.ok()) return ways.tell(kept.error());
  base::log::info("upload {}: {} with {} files", kept->upload_id, name, kept->files.size());
  return ways.tell(kept->upload_id);
}

// The part stands in the middle of the body, which is mapped.
Result<base::PendingFile> copy_of(const Context& context, base::Bytes bytes) {
  base::PendingFile file = TRY(context->rooms.blobs.create());
  TRY(file.append(bytes));
  return file;
}

Result<ingest::Receipt> keep_package(const Context& context, const ingest::Bringer& bringer,
                                     const std::string& name, base::Bytes bytes) {
  const base::PendingFile file = TRY(copy_of(context, bytes));
  return context->rooms.ingest.keep_package(bringer, name, file.path(), bytes.size());
}

Result<ingest::Receipt> keep_one(const Context& context, const ingest::Bringer& bringer,
                                 const std::string& name, base::Bytes bytes) {
  base::PendingFile file = TRY(copy_of(context, bytes));
  return context->rooms.ingest.keep_file(bringer, {std::move(file), std::nullopt, name});
}

net::Reply keep(const Context& context, const Ways& ways, const ingest::Bringer& bringer,
                const std::string& name, base::Bytes bytes) {
  const bool is_package = ingest::is_package_name(name);
  const bool takes_long =
      is_package || ingest::is_compressed_name(name) || ingest::is_bundle_name(name);
  if (takes_long) {
    if (!context->rooms.disk.may_extract()) {
      return ways->tell(
          Error{Fault::unavailable, "the disk of the server is too full to unpack it"});
    }
    // The body stays mapped as long as the request, and that as long as the job.
    return run_long(context, tecken_dialect(), [context, ways, bringer, name, bytes, is_package] {
      return told(*ways, name,
                  is_package ? keep_package(context, bringer, name, bytes)
                             : keep_one(context, bringer, name, bytes));
    });
  }
  if (base::lower_ascii(name).ends_with(".zip")) {
    return told(*ways, name, context->rooms.ingest.keep_zip(bringer, name, bytes));
  }
  if (const auto named = check_names_itself(bytes, name); !named.ok()) {
    return ways->tell(named.error());
  }
  return told(*ways, name, keep_one(context, bringer, name, bytes));
}

net::Reply post(const Context& context, const Ways& ways, Request& request) {
  if (auto refused = ways->refuse(request)) return *std::move(refused);
  const Admission admission = ways->admit(request);
  const Who* admitted = std::get_if<Who>(&admission);
  if (admitted == nullptr) return ways->tell(Error{Fault::denied, "this is not for you"});
  const auto parts = net::parse_multipart(request);
  if (!parts.ok()) return ways->tell(parts.error());
  const auto file = std::find_if(parts->begin(), parts->end(), [](const Part& part) {
    return part.filename.has_value() && !part.filename->empty();
  });
  if (file == parts->end()) return ways->tell(Error{Fault::malformed, "no file was chosen"});
  const std::string project = text_of_part(*parts, "project");
  const auto where = context->rooms.access.find_project(project);
  if (!where) {
    return ways->tell(
        Error{Fault::not_found, "there is no project " + base::to_valid_utf8(project)});
  }
  Who who = *admitted;
  who.project = *where;
  const bool is_try = !text_of_part(*parts, "try").empty();
  const std::string name = base::to_valid_utf8(base::basename_of(*file->filename));
  return keep(context, ways, bringer_of(context, request, who, "page", is_try), name, file->body);
}

}  // namespace

void add_form_route(net::Router& router, const UploadRooms& rooms, const UploadOptions& options,
                    std::string_view pattern, FormWays ways) {
  const auto context = std::make_shared<const UploadContext>(UploadContext{rooms, options});
  const auto shared = std::make_shared<const FormWays>(std::move(ways));
  net::Route route;
  route.method = "POST";
  route.pattern = pattern;
  route.runs = net::Runs::pool;
  route.body = net::BodyPolicy::file(options.body_size_max);
  route.admit = [context, shared](const Request& request) -> std::optional<Answer> {
    if (auto refused = shared->refuse(request)) return refused;
    if (!refuse_for_lack_of_disk(context, tecken_dialect(), request)) return std::nullopt;
    return shared->tell(
        Error{Fault::unavailable, "the disk of the server is too full for this upload"});
  };
  route.refuse_body = [shared](const Request&, const Error& error) { return shared->tell(error); };
  route.handler = [context, shared](Request& request) -> net::Reply {
    return post(context, shared, request);
  };
  router.add(std::move(route));
}

}  // namespace api
