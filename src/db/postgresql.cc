#include <libpq-fe.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

#include "base/text.h"
#include "db/connection.h"
#include "db/dialect.h"

namespace db {
namespace {

using base::Error;
using base::Fault;
using base::Result;

// Type numbers of the system catalogue, fixed for ever (pg_type.dat).
constexpr Oid kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kOid = 26,
              kFloat4 = 700, kFloat8 = 701, kNumeric = 1700;
constexpr std::int64_t kMigrationLock = 0x4661756c746c696e;  // any number of our own
constexpr std::size_t kTranslationsMax = 500;

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, Clear>;

// By class of SQLSTATE: 08 connection, 53 resources (disk full), 57 operator, 58 system, 40 and
// 55 locks: the engine cannot now. Anything else is SQL of ours.
Fault fault_of(std::string_view sqlstate) {
  for (const std::string_view start : {"08", "53", "57", "58", "40", "55"}) {
    if (sqlstate.substr(0, 2) == start) return Fault::unavailable;
  }
  return sqlstate.empty() ? Fault::unavailable : Fault::internal;
}

Value value_of(std::string_view text, Oid type) {
  switch (type) {
    case kBool:
      return std::int64_t{text == "t" ? 1 : 0};
    case kNumeric:  // what SUM() of integers gives
      if (text.find_first_not_of("-0123456789") != std::string_view::npos) {
        return std::strtod(std::string(text).c_str(), nullptr);
      }
      [[fallthrough]];
    case kInt2:
    case kInt4:
    case kInt8:
    case kOid: {
      std::int64_t number = 0;
      std::from_chars(text.data(), text.data() + text.size(), number);
      return number;
    }
    case kFloat4:
    case kFloat8:
      return std::strtod(std::string(text).c_str(), nullptr);
    case kBytea:
      return base::bytes_from_hex(text.substr(2)).value_or(Blob{});  // after "\x"
    default:
      return std::string(text);
  }
}

// Parameters as libpq wants them: parallel arrays, numbers as text, blobs binary.
class Parameters {
 public:
  explicit Parameters(const std::vector<Value>& values) {
    numbers_.reserve(values.size());
    for (const Value& value : values) add(value);
  }
  int count() const { return static_cast<int>(types.size()); }

  std::vector<Oid> types;
  std::vector<const char*> texts;
  std::vector<int> lengths;
  std::vector<int> formats;

 private:
  void add(const Value& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      add_text(kInt8, numbers_.emplace_back(std::to_string(*integer)));
    } else if (const auto* real = std::get_if<double>(&value)) {
      char digits[64];
      const auto end = std::to_chars(digits, digits + sizeof digits, *real).ptr;
      add_text(kFloat8, numbers_.emplace_back(digits, end));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      add_text(kText, *text);
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      static constexpr char kNothing[] = "";
      const auto* bytes = reinterpret_cast<const char*>(blob->data());
      push(kBytea, blob->empty() ? kNothing : bytes, static_cast<int>(blob->size()), 1);
    } else {
      push(0, nullptr, 0, 0);
    }
  }
  void add_text(Oid type, const std::string& text) { push(type, text.c_str(), 0, 0); }
  void push(Oid type, const char* text, int length, int format) {
    types.push_back(type);
    texts.push_back(text);
    lengths.push_back(length);
    formats.push_back(format);
  }

  std::vector<std::string> numbers_;  // reserved: its elements never move
};

class PostgresqlConnection final : public Connection {
 public:
  explicit PostgresqlConnection(PGconn* handle) : handle_(handle) {}
  PostgresqlConnection(const PostgresqlConnection&) = delete;
  PostgresqlConnection& operator=(const PostgresqlConnection&) = delete;
  ~PostgresqlConnection() override { PQfinish(handle_); }

  // A connection that has died since its last use, by a restart of the server say, is made again.
  Result<void> begin(Access access) override {
    const char* sql = access == Access::write ? "BEGIN ISOLATION LEVEL READ COMMITTED"
                                              : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    auto begun = execute(sql, {});
    if (!begun.ok() && PQstatus(handle_) == CONNECTION_BAD) {
      PQreset(handle_);
      begun = execute(sql, {});
    }
    if (!begun.ok()) return std::move(begun).error();
    return {};
  }
  // COMMIT of a transaction that has failed is answered "ROLLBACK", without an error.
  Result<void> commit() override {
    const Answer answer = TRY(run("COMMIT", {}));
    if (std::string_view(PQcmdStatus(answer.get())) != "COMMIT") {
      return Error{Fault::internal, "PostgreSQL: the transaction had failed and was rolled back"};
    }
    return {};
  }
  void rollback() override {
    if (PQtransactionStatus(handle_) == PQTRANS_IDLE) return;
    [[maybe_unused]] const auto ignored = execute("ROLLBACK", {});
  }
  Result<void> lock_migrations() override {
    TRY(query("SELECT pg_advisory_xact_lock(?)", {kMigrationLock}));
    return {};
  }

  Result<Rows> query(std::string_view sql, const std::vector<Value>& values) override {
    const Answer answer = TRY(run(sql, values));
    const int count = PQntuples(answer.get());
    const int columns = PQnfields(answer.get());
    Rows rows;
    rows.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
      std::vector<Value> row;
      row.reserve(static_cast<std::size_t>(columns));
      for (int j = 0; j < columns; ++j) row.push_back(value_at(answer.get(), i, j));
      rows.emplace_back(std::move(row));
    }
    return rows;
  }

  Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& values) override {
    const Answer answer = TRY(run(sql, values));
    return std::get<std::int64_t>(value_of(PQcmdTuples(answer.get()), kInt8));  // "" reads as 0
  }

 private:
  static Value value_at(PGresult* answer, int row, int column) {
    if (PQgetisnull(answer, row, column) == 1) return nullptr;
    return value_of({PQgetvalue(answer, row, column),
                     static_cast<std::size_t>(PQgetlength(answer, row, column))},
                    PQftype(answer, column));
  }

  Result<Answer> run(std::string_view sql, const std::vector<Value>& values) {
    TRY(check_values(values));
    const Parameters parameters(values);
    Answer answer(PQexecParams(handle_, translated(sql).c_str(), parameters.count(),
                               parameters.types.data(), parameters.texts.data(),
                               parameters.lengths.data(), parameters.formats.data(), 0));
    const auto status = PQresultStatus(answer.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
    return error(answer.get(), sql);
  }

  Error error(const PGresult* answer, std::string_view sql) const {
    const char* state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const char* message = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
    const Fault fault = fault_of(state != nullptr ? state : "");
    std::string what = "PostgreSQL: ";
    what += message != nullptr ? message : base::trim(PQerrorMessage(handle_));
    if (fault == Fault::internal) what += "; in: " + std::string(sql.substr(0, 200));
    return {fault, std::move(what)};
  }

  const std::string& translated(std::string_view sql) {
    if (translations_.size() >= kTranslationsMax) translations_.clear();
    auto [at, added] = translations_.try_emplace(std::string(sql));
    if (added) at->second = with_numbered_parameters(sql);
    return at->second;
  }

  PGconn* handle_;
  std::unordered_map<std::string, std::string> translations_;
};

}  // namespace

Result<std::unique_ptr<Connection>> open_postgresql(const std::string& url, Access) {
  PGconn* handle = PQconnectdb(url.c_str());
  auto connection = std::make_unique<PostgresqlConnection>(handle);
  if (PQstatus(handle) != CONNECTION_OK) {
    // The URL may hold a password: libpq's own words name host and database, never that.
    return Error{Fault::unavailable,
                 "PostgreSQL: " + std::string(base::trim(PQerrorMessage(handle)))};
  }
  PQsetClientEncoding(handle, "UTF8");
  PQsetNoticeProcessor(handle, [](void*, const char*) {}, nullptr);
  return std::unique_ptr<Connection>(std::move(connection));
}

}  // namespace db
