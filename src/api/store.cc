#include "api/store.h"

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
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

Answer answer_error(const Error& error) {
  JsonWriter out;
  out.begin_object().key("error").string(error.what).end_object();
  return Answer::json(base::policy_of(error.fault).http_status, out.take());
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
  if (record.files.empty()) return Error{Fault::malformed, "transaction: it has no files"};
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
  TRY(parts.transactions.remove(id));
  base::log::info("store transaction {} deleted", id);
  return Answer::json(200, "{\"deleted\":" + std::to_string(id) + "}");
}

Result<Answer> known(const Request& request, const StoreParts& parts) {
  const JsonValue body = TRY(JsonValue::parse(request.body));
  const JsonValue& wanted = body["sha256"];
  if (wanted.array() == nullptr || wanted.size() > kHashesMax) {
    return Error{Fault::malformed, "expected {\"sha256\": [at most " + std::to_string(kHashesMax) +
                                       " of 64 hexadecimal digits]}"};
  }
  std::vector<std::string> hashes;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    hashes.push_back(base::lower_ascii(wanted.at(i).text_or("")));
    if (!store::find_sha256(hashes.back())) {
      return Error{Fault::malformed, "sha256 " + std::to_string(i) + " is none"};
    }
  }
  const auto found = TRY(parts.transactions.known(hashes));
  return Answer::json(200, hashes_as_json("known", {found.begin(), found.end()}));
}

Result<Answer> list_files(const Request& request, const StoreParts& parts) {
  const auto number = [&](std::string_view name, std::uint64_t other, std::uint64_t max) {
    const auto given = base::parse_decimal(request.query_value(name).value_or(""));
    return std::min(given.value_or(other), max);
  };
  const auto files = TRY(parts.catalog.list_files(number("limit", kFilesDefault, kFilesMax),
                                                  number("offset", 0, INT64_MAX)));
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

using Handle = Result<Answer> (*)(const Request&, const StoreParts&);

}  // namespace

void add_store_api_routes(net::Router& router, const StoreParts& parts, const Admit& admit) {
  const auto add_route = [&](const char* method, const char* pattern, net::BodyPolicy body,
                             Handle handle) {
    net::Route route;
    route.method = method;
    route.pattern = pattern;
    route.body = body;
    route.runs = net::Runs::pool;
    route.admit = admit;
    route.handler = [parts, handle](Request& request) -> net::Reply {
      return answer_of(handle(request, parts));
    };
    router.add(std::move(route));
  };
  const auto none = net::BodyPolicy::none();
  const auto json = net::BodyPolicy::memory(kBodyMax);
  add_route("GET", "/api/v1/store/transactions", none,
            [](const Request&, const StoreParts& from) { return list(from); });
  add_route("GET", "/api/v1/store/transactions/{id}", none, show);
  add_route("POST", "/api/v1/store/transactions", json, add);
  add_route("DELETE", "/api/v1/store/transactions/{id}", none, remove);
  add_route("GET", "/api/v1/store/files", none, list_files);
  add_route("POST", "/api/v1/store/known", json, known);
}

}  // namespace api
