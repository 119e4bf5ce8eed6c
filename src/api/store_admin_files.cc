#include "api/store_admin_files.h"

#include "api/clients.h"
#include "api/read_access.h"
#include "base/sha256.h"
#include "base/text.h"
#include "symstore/history.h"

namespace api {

using base::Error;
using base::Fault;
using base::Result;
using net::Answer;
using net::Request;

namespace {

constexpr std::size_t kTagDigits = 40;

Error no_such_file(std::string_view name) {
  return {Fault::not_found, "this store has no 000Admin/" + base::to_valid_utf8(name)};
}

// "0000000001", or "0000000001.deleted" of one that is there no longer.
Result<std::string> members_file(store::Transactions& transactions, std::string_view name) {
  constexpr std::string_view kDeleted = ".deleted";
  const bool wants_deleted = name.ends_with(kDeleted);
  const auto id =
      symstore::find_id(wants_deleted ? name.substr(0, name.size() - kDeleted.size()) : name);
  if (!id || *id == 0) return no_such_file(name);
  const auto record = transactions.load(static_cast<std::int64_t>(*id));
  if (!record.ok() && record.error().fault != Fault::not_found) return record.error();
  if (!record.ok() || (record->deleted_at.us != 0) != wants_deleted) return no_such_file(name);
  return symstore::members_text(symstore::members_of(*record));
}

Result<std::string> admin_file(store::Transactions& transactions, std::string_view name) {
  const std::int64_t last = TRY(transactions.last_number());
  // A tree that nobody has written to has none of them; whoever asks then looks for the files.
  if (last == 0) return no_such_file(name);
  if (name == "lastid.txt") return symstore::digits_of(static_cast<std::uint64_t>(last));
  if (name != "server.txt" && name != "history.txt") return members_file(transactions, name);
  const auto records = TRY(transactions.list());
  std::vector<symstore::Life> lives;
  lives.reserve(records.size());
  for (const store::TransactionRecord& record : records) {
    lives.push_back(symstore::life_of(record));
  }
  return name == "server.txt" ? symstore::server_text(lives) : symstore::history_text(lives);
}

Answer answer_text(std::string text, bool is_txt) {
  Answer answer;
  answer.etag = "\"" + base::sha256_of(base::bytes_of(text)).hex().substr(0, kTagDigits) + "\"";
  answer.body = std::move(text);
  answer.compressible = true;
  answer.headers.add("Content-Type",
                     is_txt ? "text/plain; charset=utf-8" : "application/octet-stream");
  answer.headers.add("Access-Control-Allow-Origin", "*");
  // The next transaction changes them: who keeps one asks again by its tag.
  answer.headers.add("Cache-Control", "no-cache");
  return answer;
}

}  // namespace

void add_store_admin_routes(
    net::Router& router, store::Transactions& transactions,
    const std::function<std::optional<net::Answer>(const net::Request&)>& allows) {
  const auto get = [&transactions, allows](Request& request) -> net::Reply {
    ident::Scope scope;
    if (auto refused = refuse_scope(request, allows, scope)) return *std::move(refused);
    const std::string name = base::lower_ascii(request.path_parameter("file"));
    if (!scope.project.empty()) {
      return answer_miss(request,
                         {Fault::not_found,
                          "transactions are of the default project: this one "
                          "keeps no 000Admin"},
                         "");
    }
    Result<std::string> text = admin_file(transactions, name);
    if (!text.ok()) return answer_miss(request, text.error(), "");
    return answer_text(std::move(text).value(), name.ends_with(".txt"));
  };
  for (const char* prefix : kScopePrefixes) {
    for (const char* folder :
         {"/000Admin/", "/000admin/", "/symbols/000Admin/", "/symbols/000admin/"}) {
      net::Route route;
      route.method = "GET";
      route.pattern = std::string(prefix).append(folder).append("{file}");
      route.runs = net::Runs::pool;
      route.handler = get;
      router.add(std::move(route));
    }
  }
}

}  // namespace api
