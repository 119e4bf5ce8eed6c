// A transaction as JSON, both ways: docs/protocols/store-api.md.
#include <algorithm>

#include "base/json.h"
#include "base/text.h"
#include "ident/paths.h"
#include "store/blobs.h"
#include "store/transactions.h"

namespace store {

using base::Error;
using base::Fault;
using base::JsonValue;
using base::JsonWriter;
using base::Result;

namespace {

constexpr std::size_t kTextMax = 64 * 1024;

Error malformed(std::string what) { return {Fault::malformed, "transaction: " + std::move(what)}; }

std::string text_of(const JsonValue& value) {
  return std::string(value.text_or("").substr(0, kTextMax));
}

Result<TransactionFile> file_of(const JsonValue& value) {
  TransactionFile file{text_of(value["name"]),   text_of(value["id"]),   text_of(value["file"]),
                       text_of(value["source"]), text_of(value["form"]), text_of(value["sha256"])};
  if (file.file.empty()) file.file = file.name;
  if (!ident::is_allowed_name(file.name) || !ident::is_allowed_id(file.id) ||
      !ident::is_allowed_name(file.file)) {
    return malformed("\"" + base::to_valid_utf8(file.name + "/" + file.id + "/" + file.file) +
                     "\" cannot be the path of a file");
  }
  file.sha256 = base::lower_ascii(file.sha256);
  if (!file.sha256.empty() && !find_sha256(file.sha256)) {
    return malformed("sha256 of " + file.name + " is not 64 hexadecimal digits");
  }
  if (file.form != "pub" && file.form != "pri") file.form = "bin";
  return file;
}

Result<TransactionRecord> record_of(const JsonValue& value) {
  TransactionRecord record;
  record.id = value["id"].integer_or(0);
  record.number = value["number"].integer_or(0);
  record.kind = value["kind"].text_or("") == "ptr" ? "ptr" : "file";
  record.date = text_of(value["date"]);
  record.time = text_of(value["time"]);
  record.product = text_of(value["product"]);
  record.version = text_of(value["version"]);
  record.comment = text_of(value["comment"]);
  const bool* deleted = value["deleted"].boolean();
  record.deleted_at = {deleted != nullptr && *deleted ? 1 : 0};
  if (record.deleted_at.us != 0) {
    record.deleted_by = std::max<std::int64_t>(1, value["deleted_by"].integer_or(0));
  }
  record.file_count =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, value["file_count"].integer_or(0)));
  for (std::size_t i = 0; i < value["files"].size(); ++i) {
    TransactionFile file = TRY(file_of(value["files"].at(i)));
    record.files.push_back(std::move(file));
  }
  return record;
}

}  // namespace

std::string transaction_as_json(const TransactionRecord& record) {
  JsonWriter out;
  out.begin_object();
  out.key("id").integer(record.id);
  out.key("number").integer(record.number);
  out.key("kind").string(record.kind);
  out.key("date").string(record.date);
  out.key("time").string(record.time);
  out.key("product").string(record.product);
  out.key("version").string(record.version);
  out.key("comment").string(record.comment);
  out.key("created_at").string(base::iso8601(record.created_at));
  out.key("deleted").boolean(record.deleted_at.us != 0);
  if (record.deleted_at.us != 0) out.key("deleted_by").integer(record.deleted_by);
  out.key("file_count")
      .unsigned_integer(std::max<std::uint64_t>(record.file_count, record.files.size()));
  out.key("files").begin_array();
  for (const TransactionFile& file : record.files) {
    out.begin_object();
    out.key("name").string(file.name);
    out.key("id").string(file.id);
    out.key("file").string(file.file);
    out.key("source").string(file.source);
    out.key("form").string(file.form);
    out.key("sha256").string(file.sha256);
    out.end_object();
  }
  out.end_array().end_object();
  return out.take();
}

Result<TransactionRecord> transaction_from_json(std::string_view text) {
  const JsonValue value = TRY(JsonValue::parse(text));
  if (value.object() == nullptr) return malformed("expected a JSON object");
  return record_of(value);
}

Result<std::vector<TransactionRecord>> transactions_from_json(std::string_view text) {
  const JsonValue value = TRY(JsonValue::parse(text));
  std::vector<TransactionRecord> all;
  for (std::size_t i = 0; i < value["transactions"].size(); ++i) {
    TransactionRecord record = TRY(record_of(value["transactions"].at(i)));
    all.push_back(std::move(record));
  }
  return all;
}

}  // namespace store
