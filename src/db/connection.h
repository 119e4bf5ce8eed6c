// One connection to one engine: what sqlite.cc and postgresql.cc each provide.
// Not for other rooms: db/database.h lends connections out and keeps the promises.
// A Connection belongs to one thread at a time. After an error inside a transaction only
// rollback() is allowed, and it leaves the connection ready for the next begin().
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "db/database.h"

namespace db {

enum class Access : std::uint8_t { read, write };

class Connection : public Session {
 public:
  virtual base::Result<void> begin(Access access) = 0;
  virtual base::Result<void> commit() = 0;
  virtual void rollback() = 0;
  // Keeps other processes from migrating at the same time, until the transaction ends.
  virtual base::Result<void> lock_migrations() = 0;
};

using Connector = std::function<base::Result<std::unique_ptr<Connection>>(Access)>;

base::Result<std::unique_ptr<Connection>> open_sqlite(const std::string& path, Access access);
base::Result<std::unique_ptr<Connection>> open_postgresql(const std::string& url, Access access);

// What PostgreSQL's text cannot hold is refused on both engines: zero bytes, ill-formed UTF-8.
base::Result<void> check_values(const std::vector<Value>& values);

}  // namespace db
