// One face for SQLite and PostgreSQL: statements, rows, transactions, migrations.
// Knows no table of ours: rooms bring their own migrations, in one numbered list.
// SQL is the standard part that both engines take; `?` marks parameters; {{bigserial}} and the like
// in migrations become the engine's own words (dialect.h). Times are integer microseconds UTC, ids
// are text. Any thread may call: a Database serialises writers (one writer) and lends connections
// to readers. Calls block; they belong on the worker pool, never on a network loop. Fails with
// unavailable (engine, disk full, busy), internal (SQL of ours), malformed (URL).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace db {

using Blob = std::vector<std::uint8_t>;
using Value = std::variant<std::nullptr_t, std::int64_t, double, std::string, Blob>;

class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}
  std::size_t size() const { return values_.size(); }
  bool is_null(std::size_t column) const { return values_.at(column).index() == 0; }
  std::int64_t integer(std::size_t column) const;  // 0 for null
  double real(std::size_t column) const;
  std::string text(std::size_t column) const;  // "" for null
  Blob blob(std::size_t column) const;

 private:
  std::vector<Value> values_;
};
using Rows = std::vector<Row>;

// Statements on one connection. Lives for one read() or write() call.
class Session {
 public:
  virtual ~Session() = default;
  virtual base::Result<Rows> query(std::string_view sql, const std::vector<Value>& values = {}) = 0;
  // Rows changed.
  virtual base::Result<std::int64_t> execute(std::string_view sql,
                                             const std::vector<Value>& values = {}) = 0;
};

enum class Engine : std::uint8_t { sqlite, postgresql };

struct Migration {
  int number = 0;  // unique over the whole program, applied in order
  std::string name;
  std::string sql;                              // statements separated by ";\n"
  std::optional<Engine> engine = std::nullopt;  // of this one alone; another only notes it
};

class Database {
 public:
  // "sqlite:PATH" or "postgresql://…". SQLite: WAL, synchronous=FULL, foreign keys on.
  static base::Result<std::unique_ptr<Database>> open(const std::string& url);
  virtual ~Database() = default;

  virtual Engine engine() const = 0;
  // Applies those not yet applied, each in its own transaction. A database that has migrations
  // unknown to us (a newer program's) is refused as unsupported.
  virtual base::Result<void> migrate(const std::vector<Migration>& migrations) = 0;
  // Runs `work` in a read transaction / in the one write transaction; commits if it returns ok,
  // rolls back otherwise. A commit has reached the disk when write() returns ok.
  // Do not nest calls inside `work`: the writer would wait for itself.
  using Work = std::function<base::Result<void>(Session&)>;
  virtual base::Result<void> read(const Work& work) = 0;
  virtual base::Result<void> write(const Work& work) = 0;
  // A copy of all that is committed, as of one moment, at a path where nothing is; on disk when it
  // returns. Others go on reading and writing. SQLite alone: unsupported for PostgreSQL, whose own
  // tools do that.
  virtual base::Result<void> copy_to(const std::string& path) = 0;
};

}  // namespace db
