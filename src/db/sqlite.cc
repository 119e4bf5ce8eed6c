#include <sqlite3.h>

#include <algorithm>
#include <unordered_map>

#include "base/file.h"
#include "db/connection.h"

namespace db {
namespace {

using base::Error;
using base::Fault;
using base::Result;

constexpr int kBusyTimeoutMs = 10'000;
constexpr std::size_t kStatementsMax = 200;  // prepared and kept, for each connection

Fault fault_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_PROTOCOL:
      return Fault::unavailable;
    default:
      return Fault::internal;
  }
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

// Makes a kept statement ready for its next use, whichever way the present one ends.
class Use {
 public:
  explicit Use(sqlite3_stmt* statement) : statement_(statement) {}
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

 private:
  sqlite3_stmt* statement_;
};

Value value_at(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, column));
      return Blob(bytes, bytes + sqlite3_column_bytes(statement, column));
    }
    default:
      return nullptr;
  }
}

class SqliteConnection final : public Connection {
 public:
  SqliteConnection(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection() override {
    statements_.clear();  // before the handle that they belong to
    sqlite3_close_v2(handle_);
  }

  Result<void> begin(Access access) override {
    return run(access == Access::write ? "BEGIN IMMEDIATE" : "BEGIN");
  }
  Result<void> commit() override { return run("COMMIT"); }
  // SQLite has often rolled back by itself by now: after a full disk, say.
  void rollback() override {
    if (sqlite3_get_autocommit(handle_) == 0) {
      [[maybe_unused]] const auto ignored = run("ROLLBACK");
    }
  }
  Result<void> lock_migrations() override { return {}; }  // BEGIN IMMEDIATE has done it

  Result<Rows> query(std::string_view sql, const std::vector<Value>& values) override {
    sqlite3_stmt* statement = TRY(bound(sql, values));
    const Use use(statement);
    Rows rows;
    const int columns = sqlite3_column_count(statement);
    for (;;) {
      const int code = sqlite3_step(statement);
      if (code == SQLITE_DONE) return rows;
      if (code != SQLITE_ROW) return error(sql);
      std::vector<Value> row;
      row.reserve(static_cast<std::size_t>(columns));
      for (int i = 0; i < columns; ++i) row.push_back(value_at(statement, i));
      rows.emplace_back(std::move(row));
    }
  }

  Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values) override {
    TRY(query(sql, values));
    return std::int64_t{sqlite3_changes64(handle_)};
  }

  Result<void> run(const char* sql) {
    if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error(sql);
    return {};
  }

 private:
  Error error(std::string_view sql) const {
    const int code = sqlite3_extended_errcode(handle_);
    std::string what = path_ + ": " + sqlite3_errmsg(handle_);
    if (fault_of(code) == Fault::internal) what += "; in: " + std::string(sql.substr(0, 200));
    return {fault_of(code), std::move(what)};
  }

  Result<sqlite3_stmt*> prepared(std::string_view sql) {
    const auto known = statements_.find(std::string(sql));
    if (known != statements_.end()) return known->second.get();
    if (statements_.size() >= kStatementsMax) statements_.clear();
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    Statement owned(statement);
    if (code != SQLITE_OK) return error(sql);
    if (statement == nullptr) return Error{Fault::internal, "empty SQL statement"};
    statements_.emplace(std::string(sql), std::move(owned));
    return statement;
  }

  Result<sqlite3_stmt*> bound(std::string_view sql, const std::vector<Value>& values) {
    TRY(check_values(values));
    sqlite3_stmt* statement = TRY(prepared(sql));
    const int wanted = sqlite3_bind_parameter_count(statement);
    if (static_cast<std::size_t>(wanted) != values.size()) {
      return Error{Fault::internal, "SQL wants " + std::to_string(wanted) + " parameters, not " +
                                        std::to_string(values.size()) + ": " + std::string(sql)};
    }
    for (int i = 0; i < wanted; ++i) {
      if (!bind(statement, i + 1, values[static_cast<std::size_t>(i)])) {
        Error failed = error(sql);
        const Use use(statement);
        return failed;
      }
    }
    return statement;
  }

  // The values outlive the step: SQLITE_STATIC is safe.
  static bool bind(sqlite3_stmt* statement, int at, const Value& value) {
    int code = SQLITE_OK;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      code = sqlite3_bind_int64(statement, at, *integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
      code = sqlite3_bind_double(statement, at, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      code = sqlite3_bind_text64(statement, at, text->data(), text->size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      code = blob->empty()
                 ? sqlite3_bind_zeroblob(statement, at, 0)
                 : sqlite3_bind_blob64(statement, at, blob->data(), blob->size(), SQLITE_STATIC);
    } else {
      code = sqlite3_bind_null(statement, at);
    }
    return code == SQLITE_OK;
  }

  sqlite3* handle_;
  std::string path_;
  std::unordered_map<std::string, Statement> statements_;
};

}  // namespace

Result<std::unique_ptr<Connection>> open_sqlite(const std::string& path, Access access) {
  const bool existed = base::file_exists(path);
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
                    (access == Access::write ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  auto connection = std::make_unique<SqliteConnection>(handle, path);
  if (code != SQLITE_OK) {
    return Error{
        fault_of(code),
        path + ": cannot open: " + (handle != nullptr ? sqlite3_errmsg(handle) : "out of memory")};
  }
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  TRY(connection->run("PRAGMA journal_mode=WAL"));
  TRY(connection->run("PRAGMA synchronous=FULL"));
  TRY(connection->run("PRAGMA foreign_keys=ON"));
  if (access == Access::read) TRY(connection->run("PRAGMA query_only=ON"));
  // SQLite makes its journals durable by name, but not the database file itself.
  if (access == Access::write && !existed) {
    const auto directory = base::parent_of(path);
    TRY(base::sync_directory(directory.empty() ? "." : std::string(directory)));
  }
  return std::unique_ptr<Connection>(std::move(connection));
}

}  // namespace db
