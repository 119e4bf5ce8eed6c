#include "api/metadata.h"

#include "api/clients.h"
#include "api/read_access.h"
#include "base/json.h"
#include "store/file_search.h"

namespace api {

using base::Fault;
using base::JsonWriter;
using net::Answer;
using net::Request;

namespace {

constexpr std::size_t kValueMax = 4096;

void add_entry(JsonWriter& out, std::string_view type, const store::FoundFile& file) {
  out.begin_object();
  out.key("type").string(type);
  out.key("buildid").string(file.build_id);
  out.key("file").string(file.name);
  if (!file.archive.empty()) out.key("archive").string(file.archive);
  out.end_object();
}

std::string json_of(const store::SearchResult& result) {
  JsonWriter out;
  out.begin_object().key("results").begin_array();
  for (const store::FoundFile& file : result.files) {
    if (file.has_code) add_entry(out, "executable", file);
    if (file.has_debug) add_entry(out, "debuginfo", file);
  }
  out.end_array();
  out.key("complete").boolean(result.complete);
  out.end_object();
  return out.take();
}

// A question that nobody can answer is not a miss, but no client of ours remembers a 400 longer.
Answer refuse(std::string what) {
  Answer answer = Answer::text(400, what + "\n");
  return with_reason(std::move(answer), {Fault::malformed, std::move(what)});
}

Answer get_metadata(const Request& request, db::Database& database,
                    const MetadataOptions& options) {
  ident::Scope scope;
  if (auto refused = refuse_scope(request, options.allows, scope)) return *std::move(refused);
  const auto key = request.query_value("key");
  const auto value = request.query_value("value");
  if (!key || !value) return refuse("/metadata?key=KEY&value=VALUE: one of them is missing");
  const auto by = store::find_search_key(*key);
  if (!by) return refuse("key is one of glob, file and buildid");
  if (value->empty() || value->size() > kValueMax) return refuse("value is empty or too long");
  const auto deadline =
      std::min(request.deadline, std::chrono::steady_clock::now() + options.time_max);
  const auto found = store::search_files(database, {*by, *value, scope}, deadline);
  if (!found.ok()) return answer_miss(request, found.error(), "");
  Answer answer = Answer::json(200, json_of(*found));
  answer.compressible = true;
  answer.headers.add("Access-Control-Allow-Origin", "*");
  answer.headers.add("Cache-Control", "no-cache");
  return answer;
}

}  // namespace

void add_metadata_route(net::Router& router, db::Database& database,
                        const MetadataOptions& options) {
  for (const char* prefix : kScopePrefixes) {
    net::Route route;
    route.method = "GET";
    route.pattern = std::string(prefix) + "/metadata";
    route.runs = net::Runs::pool;
    route.handler = [&database, options](Request& request) -> net::Reply {
      return get_metadata(request, database, options);
    };
    router.add(std::move(route));
  }
}

}  // namespace api
