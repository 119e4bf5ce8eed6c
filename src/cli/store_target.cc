#include "cli/store_target.h"

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/migrations.h"
#include "cli/refusal.h"
#include "cli/server_of_directory.h"
#include "ingest/ingest.h"
#include "ingest/transaction.h"
#include "net/client.h"
#include "reports/tables.h"
#include "store/data_directory.h"

namespace cli {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::uint64_t kFilesAtOnce = 1000;

class StoreServer final : public StoreTarget {
 public:
  StoreServer(std::string url, std::string token)
      : url_(std::move(url)), token_(std::move(token)) {}

  Result<std::vector<store::TransactionRecord>> list() override {
    const std::string text = TRY(send(request_for("GET", "api/v1/store/transactions")));
    return store::transactions_from_json(text);
  }
  Result<store::TransactionRecord> load(std::int64_t id) override {
    const std::string text =
        TRY(send(request_for("GET", "api/v1/store/transactions/" + std::to_string(id))));
    return store::transaction_from_json(text);
  }
  Result<std::int64_t> remove(std::int64_t id, std::int64_t wanted) override {
    net::ClientRequest request =
        request_for("DELETE", "api/v1/store/transactions/" + std::to_string(id));
    if (wanted != 0) request.url += "?number=" + std::to_string(wanted);
    const std::string text = TRY(send(request));
    return number_in("number", text);
  }
  Result<std::int64_t> last_number() override {
    const std::string text = TRY(send(request_for("GET", "api/v1/store/lastid")));
    return number_in("lastid", text);
  }
  Result<void> raise_last_number(std::int64_t number) override {
    net::ClientRequest request = request_for("PUT", "api/v1/store/lastid");
    request.headers.add("Content-Type", "application/json");
    request.body = "{\"lastid\":" + std::to_string(number) + "}";
    TRY(send(request));
    return {};
  }
  Result<void> put(const std::string& path, const std::string& file) override {
    net::ClientRequest request = request_for("PUT", "symbols/" + path);
    request.url += "?for=store";
    request.body_path = file;
    request.headers.add("Content-Type", "application/octet-stream");
    const net::ClientAnswer answer = TRY(client_.send(request));
    if (answer.status >= 300) return refusal_of(url_, answer);
    return {};
  }
  Result<Added> add(const store::TransactionRecord& record) override {
    net::ClientRequest request = request_for("POST", "api/v1/store/transactions");
    request.headers.add("Content-Type", "application/json");
    request.body = store::transaction_as_json(record);
    const net::ClientAnswer answer = TRY(client_.send(request));
    if (answer.status != 201 && answer.status != 409) return refusal_of(url_, answer);
    const base::JsonValue json = TRY(base::JsonValue::parse(answer.body));
    Added added;
    added.id = json["id"].integer_or(0);
    for (std::size_t i = 0; i < json["missing"].size(); ++i) {
      added.missing.emplace_back(json["missing"].at(i).text_or(""));
    }
    return added;
  }
  Result<std::vector<store::FileRecord>> list_files(std::uint64_t offset) override {
    net::ClientRequest request = request_for("GET", "api/v1/store/files");
    request.url += "?limit=" + std::to_string(kFilesAtOnce) + "&offset=" + std::to_string(offset);
    const net::ClientAnswer answer = TRY(client_.send(request));
    if (answer.status != 200) return refusal_of(url_, answer);
    const base::JsonValue json = TRY(base::JsonValue::parse(answer.body));
    std::vector<store::FileRecord> files;
    for (std::size_t i = 0; i < json["files"].size(); ++i) {
      const base::JsonValue& value = json["files"].at(i);
      store::FileRecord file;
      file.sha256 = store::find_sha256(value["sha256"].text_or("")).value_or(base::Sha256{});
      file.name = value["name"].text_or("");
      file.format = value["format"].text_or("");
      file.debug_id = value["debug_id"].text_or("");
      file.code_id = value["code_id"].text_or("");
      files.push_back(std::move(file));
    }
    return files;
  }
  Result<void> fetch(const store::TransactionFile& file, base::PendingFile& out) override {
    const std::string path = file.name + "/" + file.id + "/" + file.file;
    const net::ClientAnswer answer =
        TRY(client_.download(request_for("GET", "symbols/" + path), out));
    if (answer.status != 200) return refusal_of(url_, answer);
    return {};
  }

 private:
  net::ClientRequest request_for(const char* method, const std::string& path) const {
    net::ClientRequest request;
    request.method = method;
    request.url = net::join_url(url_, path);
    if (!token_.empty()) request.headers.add("Auth-Token", token_);
    return request;
  }
  static Result<std::int64_t> number_in(std::string_view name, const std::string& text) {
    const base::JsonValue json = TRY(base::JsonValue::parse(text));
    return json[name].integer_or(0);
  }
  Result<std::string> send(const net::ClientRequest& request) {
    net::ClientAnswer answer = TRY(client_.send(request));
    if (answer.status >= 300) return refusal_of(url_, answer);
    return std::move(answer.body);
  }

  std::string url_;
  std::string token_;
  net::Client client_;
};

// The same rooms that the server would use, without the server.
class StoreDirectory final : public StoreTarget {
 public:
  static Result<std::unique_ptr<StoreTarget>> open(store::DataDirectory data) {
    auto database = TRY(db::Database::open(data.database_url()));
    TRY(database->migrate(all_migrations()));
    store::Blobs blobs = TRY(store::Blobs::open(data.blobs(), data.tmp()));
    return std::unique_ptr<StoreTarget>(
        new StoreDirectory(std::move(data), std::move(database), std::move(blobs)));
  }

  Result<std::vector<store::TransactionRecord>> list() override { return transactions_.list(); }
  Result<store::TransactionRecord> load(std::int64_t id) override { return transactions_.load(id); }
  Result<std::int64_t> remove(std::int64_t id, std::int64_t wanted) override {
    return transactions_.remove(id, wanted);
  }
  Result<std::int64_t> last_number() override { return transactions_.last_number(); }
  Result<void> raise_last_number(std::int64_t number) override {
    return transactions_.raise_last_number(number);
  }
  Result<void> put(const std::string& path, const std::string& file) override {
    const auto bytes = TRY(base::MappedFile::open(file));
    base::PendingFile copy = TRY(blobs_.create());
    TRY(copy.append(bytes->bytes()));
    const auto where = ident::find_store_path(path);
    if (!where) return Error{Fault::malformed, path + ": no path of a file"};
    TRY(ingest_.keep_file({}, {std::move(copy), where, where->file, true}));
    return {};
  }
  Result<Added> add(const store::TransactionRecord& record) override {
    auto kept = TRY(ingest::keep_transaction(blobs_, catalog_, transactions_, "local", record));
    return Added{kept.id, std::move(kept.missing)};
  }
  Result<std::vector<store::FileRecord>> list_files(std::uint64_t offset) override {
    return catalog_.list_files(kFilesAtOnce, offset);
  }
  Result<void> fetch(const store::TransactionFile& file, base::PendingFile& out) override {
    const auto hash = store::find_sha256(file.sha256);
    if (!hash) return Error{Fault::not_found, file.name + ": nobody has its bytes"};
    const auto bytes = TRY(base::MappedFile::open(blobs_.path_of(*hash)));
    return out.append(bytes->bytes());
  }

 private:
  StoreDirectory(store::DataDirectory data, std::unique_ptr<db::Database> database,
                 store::Blobs blobs)
      : data_(std::move(data)), database_(std::move(database)), blobs_(std::move(blobs)) {}

  store::DataDirectory data_;
  std::unique_ptr<db::Database> database_;
  store::Blobs blobs_;
  store::Catalog catalog_{*database_};
  store::Transactions transactions_{*database_, catalog_};
  ingest::Ingest ingest_{blobs_, catalog_, {}};
};

}  // namespace

bool is_data_directory(const std::string& path) {
  return base::file_exists(base::join_path(path, "faultline.db")) ||
         base::file_exists(base::join_path(path, "faultline.lock"));
}

Result<std::unique_ptr<StoreTarget>> open_store_server(std::string url, std::string token) {
  return std::unique_ptr<StoreTarget>(
      std::make_unique<StoreServer>(std::move(url), std::move(token)));
}

Result<std::unique_ptr<StoreTarget>> open_store_directory(const std::string& path,
                                                          const std::string& token) {
  auto data = store::DataDirectory::open(path, "faultline store");
  if (data.ok()) return StoreDirectory::open(std::move(data).value());
  std::string url = TRY(url_of_server(path, std::move(data).error()));
  return open_store_server(std::move(url), token);
}

}  // namespace cli
