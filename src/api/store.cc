#include "api/store.h"

#include <algorithm>
#include <chrono>
#include <set>

#include "api/upload_common.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "ingest/stored_text.h"
#include "ingest/transaction.h"

namespace api {

using base::Error;
using base::Fault;
using base::JsonValue;
using base::JsonWriter;
using base::Result;
using net::Answer;
using net::Request;

namespace {

constexpr std::uint64_t kBodyMax = 64ull << 20;
constexpr std::size_t kHashesMax = 10'000;
constexpr std::uint64_t kFilesDefault = 100;
constexpr std::uint64_t kFilesMax = 1000;
// What was brought since then is not recorded again: half of the shortest time that an upload may
// be said to stay.
constexpr std::chrono::microseconds kKnownAgain = std::chrono::hours(12);

Answer answer_error(const Error& error) {
  return json_error(base::policy_of(error.fault).http_status, error.what);
}

Answer answer_of(Result<Answer> result) {
  return result.ok() ? std::move(result).value() : answer_error(result.error());
}

std::string hashes_as_json(std::string_view name, const std::vector<std::string>& hashes) {
  JsonWriter out;
  out.begin_object().key(name).begin_array();
  for (const std::string& hash : hashes) out.string(hash);
  out.end_array().end_object();
  return out.take();
}

Result<std::int64_t> id_of(const Request& request) {
  const auto id = base::parse_decimal(request.path_parameter("id"));
  if (id && *id <= INT64_MAX) return static_cast<std::int64_t>(*id);
  return Error{Fault::not_found, "a transaction's id is a number"};
}

// With the path's project, else the token's own.
Result<Who> who_asks(const Request& request, const StoreParts& parts) {
  const Admission admission = parts.gate.admit_upload(request, path_project(request));
  if (const auto* denial = std::get_if<Denial>(&admission)) {
    return Error{Fault::denied, denial->what};
  }
  return std::get<Who>(admission);
}

Result<Answer> list(const StoreParts& parts) {
  const auto all = TRY(parts.transactions.list());
  std::string text = "{\"transactions\":[";
  for (const store::TransactionRecord& record : all) {
    if (text.back() != '[') text += ',';
    text += store::transaction_as_json(record);
  }
  return Answer::json(200, text + "]}");
}

Result<Answer> show(const Request& request, const StoreParts& parts) {
  const std::int64_t id = TRY(id_of(request));
  const store::TransactionRecord record = TRY(parts.transactions.load(id));
  return Answer::json(200, store::transaction_as_json(record));
}

Result<Answer> add(const Request& request, const StoreParts& parts) {
  store::TransactionRecord record = TRY(store::transaction_from_json(request.body));
  // Of one that was deleted elsewhere the list of its files may be lost.
  if (record.files.empty() && record.deleted_by == 0) {
    return Error{Fault::malformed, "transaction: it has no files"};
  }
  const ingest::TransactionKept kept = TRY(ingest::keep_transaction(
      parts.blobs, parts.catalog, parts.transactions, request.peer, record));
  if (!kept.missing.empty()) return Answer::json(409, hashes_as_json("missing", kept.missing));
  base::log::info("store transaction {}: {} {} with {} files", kept.id, record.product,
                  record.version, record.files.size());
  const store::TransactionRecord stored = TRY(parts.transactions.load(kept.id));
  return Answer::json(201, store::transaction_as_json(stored));
}

Result<Answer> remove(const Request& request, const StoreParts& parts) {
  const std::int64_t id = TRY(id_of(request));
  const auto wanted = base::parse_decimal(request.query_value("number").value_or(""));
  const std::int64_t number = TRY(parts.transactions.remove(
      id, static_cast<std::int64_t>(std::min<std::uint64_t>(wanted.value_or(0), INT64_MAX))));
  base::log::info("store transaction {} deleted by {}", id, number);
  const Admission admission = parts.gate.admit_upload(request);
  const auto* who = std::get_if<Who>(&admission);
  TRY(parts.access.note({who == nullptr ? "" : who->name, request.peer}, "delete transaction",
                        std::to_string(id)));
  JsonWriter out;
  out.begin_object().key("deleted").integer(id).key("number").integer(number).end_object();
  return Answer::json(200, out.take());
}

Answer answer_last_number(std::int64_t number) {
  JsonWriter out;
  out.begin_object().key("lastid").integer(number).end_object();
  return Answer::json(200, out.take());
}

Result<Answer> last_number(const Request&, const StoreParts& parts) {
  const std::int64_t number = TRY(parts.transactions.last_number());
  return answer_last_number(number);
}

Result<Answer> raise_last_number(const Request& request, const StoreParts& parts) {
  const JsonValue body = TRY(JsonValue::parse(request.body));
  TRY(parts.transactions.raise_last_number(body["lastid"].integer_or(-1)));
  return last_number(request, parts);
}

// {"sha256": [HASH…], "paths": [PATH…]}: the second, where it is given, says of each content where
// it is to be found.
Result<std::vector<store::AskedFile>> asked_in(const Request& request) {
  const JsonValue body = TRY(JsonValue::parse(request.body));
  const JsonValue& hashes = body["sha256"];
  const JsonValue& paths = body["paths"];
  if (hashes.array() == nullptr || hashes.size() > kHashesMax) {
    return Error{Fault::malformed, "expected {\"sha256\": [at most " + std::to_string(kHashesMax) +
                                       " of 64 hexadecimal digits]}"};
  }
  if (!paths.is_null() && (paths.array() == nullptr || paths.size() != hashes.size())) {
    return Error{Fault::malformed, "paths: expected one for each sha256"};
  }
  std::vector<store::AskedFile> asked;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    store::AskedFile file;
    file.sha256 = base::lower_ascii(hashes.at(i).text_or(""));
    if (!store::find_sha256(file.sha256)) {
      return Error{Fault::malformed, "sha256 " + std::to_string(i) + " is none"};
    }
    if (!paths.is_null()) file.path = paths.at(i).text_or("");
    asked.push_back(std::move(file));
  }
  return asked;
}

// Who is told that a file need not be sent has brought it, as if he had sent it: it stays as long.
Result<void> record_known(const Request& request, const StoreParts& parts, const Who& who,
                          std::vector<store::NewFile> here) {
  store::Upload upload;
  upload.created_at = base::now();
  upload.peer = request.peer;
  upload.way = "known";
  upload.project = who.project.name;
  upload.is_try = who.only_try;
  upload.expires_at = upload.created_at;  // what is known here is no try build: none lives longer
  upload.token = who.token;
  upload.user = who.name;
  std::vector<std::int64_t> ids;
  ids.reserve(here.size());
  for (const store::NewFile& file : here) ids.push_back(file.file.id);
  const ident::Scope scope{upload.project, upload.is_try};
  const base::Time since{upload.created_at.us - kKnownAgain.count()};
  const auto brought = TRY(parts.uploads.brought_since(ids, scope, since));
  std::erase_if(here, [&](const auto& file) { return brought.contains(file.file.id); });
  if (here.empty()) return {};
  for (const store::NewFile& file : here) upload.size += file.file.size;
  TRY(parts.catalog.begin_upload(upload, here));
  return {};
}

// A content is known when it is wherever it was asked for. Try builds are told of what stays, and
// send the rest again: that is how it lives longer.
Result<Answer> known(const Request& request, const StoreParts& parts) {
  const std::vector<store::AskedFile> asked = TRY(asked_in(request));
  const Who who = TRY(who_asks(request, parts));
  const auto found = TRY(parts.uploads.find_known(asked, {who.project.name, false}));
  std::set<std::string> known;
  for (const store::AskedFile& file : asked) known.insert(file.sha256);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!found[i]) known.erase(asked[i].sha256);
  }
  std::vector<store::NewFile> here;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!found[i] || !known.contains(asked[i].sha256)) continue;
    here.emplace_back().file = *found[i];
    here.back().path = ingest::stored_text(asked[i].path.empty() ? found[i]->name : asked[i].path);
  }
  TRY(record_known(request, parts, who, std::move(here)));
  return Answer::json(200, hashes_as_json("known", {known.begin(), known.end()}));
}

Result<Answer> list_files(const Request& request, const StoreParts& parts) {
  const auto number = [&](std::string_view name, std::uint64_t other, std::uint64_t max) {
    const auto given = base::parse_decimal(request.query_value(name).value_or(""));
    return std::min(given.value_or(other), max);
  };
  const Who who = TRY(who_asks(request, parts));
  const auto files =
      TRY(parts.catalog.list_files(number("limit", kFilesDefault, kFilesMax),
                                   number("offset", 0, INT64_MAX), {who.project.name, false}));
  JsonWriter out;
  out.begin_object().key("files").begin_array();
  for (const store::FileRecord& file : files) {
    out.begin_object().key("name").string(file.name);
    out.key("sha256").string(file.sha256.hex());
    out.key("size").unsigned_integer(file.size);
    out.key("format").string(file.format);
    out.key("debug_id").string(file.debug_id);
    out.key("code_id").string(file.code_id);
    out.key("added_at").string(base::iso8601(file.added_at)).end_object();
  }
  out.end_array().end_object();
  return Answer::json(200, out.take());
}

// Who may not use a route that each project has.
enum class TryBuilds : std::uint8_t { refused, taken };
std::optional<Answer> refuse_for(const Request& request, const Gate& gate, TryBuilds try_builds) {
  const Admission admission = gate.admit_upload(request, path_project(request));
  if (const auto* denial = std::get_if<Denial>(&admission)) {
    return tecken_dialect().refusal(*denial);
  }
  if (try_builds == TryBuilds::taken || !std::get<Who>(admission).only_try) return std::nullopt;
  return json_error(403, "this token may upload try symbols only");
}

using Handle = Result<Answer> (*)(const Request&, const StoreParts&);

}  // namespace

void add_store_api_routes(net::Router& router, const StoreParts& parts) {
  const auto route_of = [&](const char* method, std::string pattern, net::BodyPolicy body,
                            Handle handle) {
    net::Route route;
    route.method = method;
    route.pattern = std::move(pattern);
    route.body = std::move(body);
    route.runs = net::Runs::pool;
    route.handler = [parts, handle](Request& request) -> net::Reply {
      return answer_of(handle(request, parts));
    };
    return route;
  };
  const auto none = net::BodyPolicy::none();
  const auto json = net::BodyPolicy::memory(kBodyMax);
  const auto add_for_default = [&](net::Route route) {
    route.admit = [parts](const Request& request) { return refuse_uploader(request, parts.gate); };
    router.add(std::move(route));
  };
  add_for_default(route_of("GET", "/api/v1/store/transactions", none,
                           [](const Request&, const StoreParts& from) { return list(from); }));
  add_for_default(route_of("GET", "/api/v1/store/transactions/{id}", none, show));
  add_for_default(route_of("POST", "/api/v1/store/transactions", json, add));
  add_for_default(route_of("DELETE", "/api/v1/store/transactions/{id}", none, remove));
  add_for_default(route_of("GET", "/api/v1/store/lastid", none, last_number));
  add_for_default(route_of("PUT", "/api/v1/store/lastid", json, raise_last_number));
  for (const char* prefix : {"", "/p/{project}"}) {
    net::Route files =
        route_of("GET", std::string(prefix) + "/api/v1/store/files", none, list_files);
    files.admit = [parts](const Request& request) {
      return refuse_for(request, parts.gate, TryBuilds::refused);
    };
    router.add(std::move(files));
    net::Route ask = route_of("POST", std::string(prefix) + "/api/v1/store/known", json, known);
    ask.admit = [parts](const Request& request) {
      return refuse_for(request, parts.gate, TryBuilds::taken);
    };
    router.add(std::move(ask));
  }
}

}  // namespace api
