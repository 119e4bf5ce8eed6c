#include "db/database.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <type_traits>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "db/connection.h"
#include "db/dialect.h"

namespace db {

using base::Error;
using base::Fault;
using base::Result;

std::int64_t Row::integer(std::size_t column) const {
  if (const auto* value = std::get_if<std::int64_t>(&values_.at(column))) return *value;
  if (const auto* value = std::get_if<double>(&values_.at(column))) {
    return static_cast<std::int64_t>(*value);
  }
  return 0;
}

double Row::real(std::size_t column) const {
  if (const auto* value = std::get_if<double>(&values_.at(column))) return *value;
  return static_cast<double>(integer(column));
}

std::string Row::text(std::size_t column) const {
  if (const auto* value = std::get_if<std::string>(&values_.at(column))) return *value;
  if (const auto* value = std::get_if<Blob>(&values_.at(column))) {
    return std::string(base::text_of(*value));
  }
  if (const auto* value = std::get_if<std::int64_t>(&values_.at(column))) {
    return std::to_string(*value);
  }
  return {};
}

Blob Row::blob(std::size_t column) const {
  if (const auto* value = std::get_if<Blob>(&values_.at(column))) return *value;
  const std::string value = text(column);
  return Blob(value.begin(), value.end());
}

Result<void> check_values(const std::vector<Value>& values) {
  for (const Value& value : values) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) continue;
    if (text->find('\0') != std::string::npos || !base::is_utf8(*text)) {
      return Error{Fault::internal,
                   "SQL text parameter is not UTF-8 or holds a zero byte; "
                   "such bytes belong in a {{blob}} column"};
    }
  }
  return {};
}

namespace {

constexpr std::size_t kReadersMax = 4;

constexpr std::string_view kCreateMigrations =
    "CREATE TABLE IF NOT EXISTS schema_migration ("
    "number BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)";

// Lends connections: the one writer under its mutex, readers from a small stock.
class LendingDatabase final : public Database {
 public:
  LendingDatabase(Engine engine, Connector connect, std::unique_ptr<Connection> writer)
      : engine_(engine), connect_(std::move(connect)), writer_(std::move(writer)) {}

  Engine engine() const override { return engine_; }

  Result<void> write(const Work& work) override {
    const std::lock_guard lock(writer_mutex_);
    return run(*writer_, Access::write, work);
  }

  Result<void> read(const Work& work) override {
    std::unique_ptr<Connection> reader = TRY(borrow());
    auto result = run(*reader, Access::read, work);
    give_back(std::move(reader));
    return result;
  }

  Result<void> migrate(const std::vector<Migration>& migrations) override;
  Result<void> copy_to(const std::string& path) override;

 private:
  static Result<void> run(Connection& connection, Access access, const Work& work) {
    TRY(connection.begin(access));
    auto result = work(connection);
    if (result.ok()) result = connection.commit();
    if (!result.ok()) connection.rollback();
    return result;
  }

  Result<std::unique_ptr<Connection>> borrow() {
    std::unique_lock lock(readers_mutex_);
    reader_returned_.wait(lock, [&] { return !idle_.empty() || lent_ < kReadersMax; });
    ++lent_;
    if (!idle_.empty()) {
      std::unique_ptr<Connection> reader = std::move(idle_.back());
      idle_.pop_back();
      return reader;
    }
    lock.unlock();
    auto opened = connect_(Access::read);
    if (!opened.ok()) give_back(nullptr);
    return opened;
  }

  void give_back(std::unique_ptr<Connection> reader) {
    {
      const std::lock_guard lock(readers_mutex_);
      --lent_;
      if (reader != nullptr) idle_.push_back(std::move(reader));
    }
    reader_returned_.notify_one();
  }

  Result<void> refuse_unknown(const std::vector<Migration>& known);
  Result<void> apply(Connection& connection, const Migration& migration);

  const Engine engine_;
  const Connector connect_;
  std::mutex writer_mutex_;
  std::unique_ptr<Connection> writer_;  // guarded by writer_mutex_

  std::mutex readers_mutex_;
  std::condition_variable reader_returned_;
  std::vector<std::unique_ptr<Connection>> idle_;  // guarded by readers_mutex_
  std::size_t lent_ = 0;                           // guarded by readers_mutex_
};

Result<void> LendingDatabase::refuse_unknown(const std::vector<Migration>& known) {
  Rows rows;
  TRY(write([&](Session& session) -> Result<void> {
    TRY(session.execute(kCreateMigrations));
    rows = TRY(session.query("SELECT number, name FROM schema_migration ORDER BY number"));
    return {};
  }));
  for (const Row& row : rows) {
    const auto same = [&](const Migration& m) { return m.number == row.integer(0); };
    if (std::any_of(known.begin(), known.end(), same)) continue;
    return Error{Fault::unsupported, "the database has migration " +
                                         std::to_string(row.integer(0)) + " (" + row.text(1) +
                                         "), which this program does not know: it was written by a "
                                         "newer faultline; use that one, or restore a backup"};
  }
  return {};
}

Result<void> LendingDatabase::copy_to(const std::string& path) {
  if (engine_ == Engine::postgresql) {
    return Error{Fault::unsupported, "the database is PostgreSQL: pg_dump copies it"};
  }
  // A connection of its own, outside of any transaction; in WAL mode nobody waits for it.
  const std::unique_ptr<Connection> connection = TRY(connect_(Access::write));
  TRY(connection->execute("VACUUM INTO ?", {path}));
  const base::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));  // VACUUM does not sync it
  if (!file.valid() || ::fsync(file.get()) != 0) {
    return base::error_from_errno(errno, "cannot sync", path);
  }
  const auto directory = base::parent_of(path);
  return base::sync_directory(directory.empty() ? "." : std::string(directory));
}

Result<void> LendingDatabase::apply(Connection& connection, const Migration& migration) {
  TRY(connection.lock_migrations());
  const Rows done = TRY(connection.query("SELECT 1 FROM schema_migration WHERE number = ?",
                                         {std::int64_t{migration.number}}));
  if (!done.empty()) return {};
  const bool is_ours = migration.engine.value_or(engine_) == engine_;
  const std::string sql = TRY(with_engine_words(is_ours ? migration.sql : "", engine_));
  for (const std::string& statement : split_statements(sql)) TRY(connection.execute(statement));
  TRY(connection.execute("INSERT INTO schema_migration (number, name, applied_at) VALUES (?, ?, ?)",
                         {std::int64_t{migration.number}, migration.name, base::now().us}));
  return {};
}

Result<void> LendingDatabase::migrate(const std::vector<Migration>& migrations) {
  std::map<int, const Migration*> in_order;
  for (const Migration& migration : migrations) {
    if (!in_order.emplace(migration.number, &migration).second) {
      return Error{Fault::internal,
                   "two migrations have number " + std::to_string(migration.number)};
    }
  }
  TRY(refuse_unknown(migrations));
  for (const auto& [number, migration] : in_order) {
    const std::lock_guard lock(writer_mutex_);
    auto applied = run(*writer_, Access::write, [&, m = migration](Session&) -> Result<void> {
      return apply(*writer_, *m);
    });
    if (!applied.ok()) {
      return base::with_context(
          "migration " + std::to_string(number) + " (" + migration->name + ")",
          std::move(applied).error());
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& url) {
  constexpr std::string_view kSqlite = "sqlite:";
  Engine engine = Engine::postgresql;
  Connector connect;
  if (url.rfind(kSqlite, 0) == 0 && url.size() > kSqlite.size()) {
    engine = Engine::sqlite;
    connect = [path = url.substr(kSqlite.size())](Access access) {
      return open_sqlite(path, access);
    };
  } else if (url.rfind("postgresql://", 0) == 0 || url.rfind("postgres://", 0) == 0) {
    connect = [url](Access access) { return open_postgresql(url, access); };
  } else {
    return Error{Fault::malformed,
                 "database URL \"" + url + "\": expected sqlite:PATH or postgresql://…"};
  }
  std::unique_ptr<Connection> writer = TRY(connect(Access::write));
  return std::unique_ptr<Database>(
      std::make_unique<LendingDatabase>(engine, std::move(connect), std::move(writer)));
}

}  // namespace db
