#include "upstream/miss_rows.h"

#include <algorithm>
#include <array>
#include <map>

namespace upstream {

using base::Error;
using base::Fault;
using base::Result;

namespace {

// The causes that are misses. Their names stand in the database.
constexpr std::array<std::pair<Fault, std::string_view>, 4> kCauses{{
    {Fault::not_found, "not_found"},
    {Fault::denied, "denied"},
    {Fault::too_large, "too_large"},
    {Fault::malformed, "malformed"},
}};

std::string_view name_of_cause(Fault fault) {
  for (const auto& [cause, name] : kCauses) {
    if (cause == fault) return name;
  }
  return "not_found";
}

Fault cause_of(std::string_view text) {
  for (const auto& [cause, name] : kCauses) {
    if (name == text) return cause;
  }
  return Fault::not_found;
}

Result<void> save_changes(db::Session& session, const std::string& server,
                          const Misses::Changes& changes) {
  if (changes.is_cleared) {
    TRY(session.execute("DELETE FROM upstream_miss WHERE server = ?", {server}));
  }
  for (const std::string& path : changes.forgotten) {
    TRY(session.execute("DELETE FROM upstream_miss WHERE server = ? AND path = ?", {server, path}));
  }
  for (const Misses::Miss& miss : changes.said) {
    TRY(session.execute(
        "INSERT INTO upstream_miss (server, path, cause, words, until_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (server, path) DO UPDATE SET cause = excluded.cause, words = excluded.words, "
        "until_at = excluded.until_at",
        {server, miss.path, std::string(name_of_cause(miss.error.fault)), miss.error.what,
         miss.until.us}));
  }
  return {};
}

}  // namespace

const std::vector<db::Migration>& MissRows::migrations() {
  static const std::vector<db::Migration> list{
      {160, "what upstream servers do not have",
       "CREATE TABLE upstream_miss (\n"
       "  server TEXT NOT NULL,\n"
       "  path TEXT NOT NULL,\n"
       "  cause TEXT NOT NULL,\n"
       "  words TEXT NOT NULL,\n"
       "  until_at BIGINT NOT NULL,\n"
       "  PRIMARY KEY (server, path));\n"
       "CREATE INDEX upstream_miss_until ON upstream_miss (until_at);\n"},
  };
  return list;
}

Result<void> MissRows::load(const std::vector<std::unique_ptr<Server>>& servers) {
  std::multimap<std::string, Server*> by_identity;
  for (const auto& server : servers) by_identity.emplace(server->identity(), server.get());
  const auto clean = [&](db::Session& session) -> Result<void> {
    TRY(session.execute("DELETE FROM upstream_miss WHERE until_at <= ?", {base::now().us}));
    const db::Rows known = TRY(session.query("SELECT DISTINCT server FROM upstream_miss"));
    for (const db::Row& row : known) {
      if (by_identity.contains(row.text(0))) continue;
      TRY(session.execute("DELETE FROM upstream_miss WHERE server = ?", {row.text(0)}));
    }
    return {};
  };
  TRY(database_.write(clean));
  return database_.read([&](db::Session& session) -> Result<void> {
    const db::Rows rows = TRY(session.query(
        "SELECT server, path, cause, words, until_at FROM upstream_miss ORDER BY until_at"));
    for (const db::Row& row : rows) {
      const Misses::Miss miss{
          row.text(1), Error{cause_of(row.text(2)), row.text(3)}, {row.integer(4)}};
      const auto [first, last] = by_identity.equal_range(row.text(0));
      for (auto at = first; at != last; ++at) at->second->misses().restore(miss);
    }
    return {};
  });
}

Result<void> MissRows::save(const std::vector<std::unique_ptr<Server>>& servers) {
  std::vector<std::pair<std::string, Misses::Changes>> all;
  for (const auto& server : servers) {
    Misses::Changes changes = server->misses().take_changes();
    if (!changes.empty()) all.emplace_back(server->identity(), std::move(changes));
  }
  if (all.empty()) return {};
  return database_.write([&](db::Session& session) -> Result<void> {
    for (const auto& [server, changes] : all) TRY(save_changes(session, server, changes));
    TRY(session.execute("DELETE FROM upstream_miss WHERE until_at <= ?", {base::now().us}));
    return {};
  });
}

}  // namespace upstream
