#include "statistics/use_rows.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "base/text.h"

namespace statistics {

using base::Result;
using db::Row;
using db::Rows;
using db::Session;

namespace {

constexpr std::size_t kPortion = 1000;  // written at a time
constexpr std::int64_t kReadPortion = 10'000;

struct Total {
  const char* name;
  std::int64_t Counts::* number;
};
constexpr std::array<Total, 7> kTotals{{{"requests", &Counts::requests},
                                        {"invalid", &Counts::invalid},
                                        {"successes", &Counts::successes},
                                        {"failures", &Counts::failures},
                                        {"refused", &Counts::excluded},
                                        {"hits", &Counts::hits},
                                        {"serving_us", &Counts::us}}};

SymbolRow row_of(const Row& row) {
  SymbolRow symbol;
  symbol.name = row.text(1);
  Counts& counts = symbol.counts;
  counts.requests = row.integer(2);
  counts.invalid = row.integer(3);
  counts.successes = row.integer(4);
  counts.failures = row.integer(5);
  counts.excluded = row.integer(6);
  counts.hits = row.integer(7);
  counts.us = row.integer(8);
  counts.last_at = {row.integer(9)};
  counts.misses = row.integer(10);
  return symbol;
}

Result<void> delete_older(Session& session, std::size_t names_max) {
  const Rows last =
      TRY(session.query("SELECT last_at FROM symbol_use ORDER BY last_at DESC LIMIT 1 OFFSET ?",
                        {static_cast<std::int64_t>(names_max)}));
  if (last.empty()) return {};
  TRY(session.execute("DELETE FROM symbol_use WHERE last_at <= ?", {last.front().integer(0)}));
  TRY(session.execute(
      "DELETE FROM symbol_use_upstream WHERE folded NOT IN (SELECT folded FROM symbol_use)"));
  return {};
}

Result<void> load_rows(Session& session, const std::vector<std::string>& servers,
                       SymbolTable& table) {
  std::map<std::string, std::vector<ServerCounts>> by_name;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const Rows rows = TRY(session.query(
        "SELECT folded, hits, misses FROM symbol_use_upstream WHERE upstream = ?", {servers[i]}));
    for (const Row& row : rows) {
      std::vector<ServerCounts>& counts = by_name[row.text(0)];
      if (counts.size() <= i) counts.resize(i + 1);
      counts[i] = {row.integer(1), row.integer(2)};
    }
  }
  for (std::string last;;) {
    const Rows rows = TRY(session.query(
        "SELECT folded, name, requests, invalid, successes, failures, refused, hits, serving_us, "
        "last_at, misses FROM symbol_use WHERE folded > ? ORDER BY folded LIMIT ?",
        {last, kReadPortion}));
    if (rows.empty()) return {};
    for (const Row& row : rows) {
      SymbolRow symbol = row_of(row);
      const auto at = by_name.find(row.text(0));
      if (at != by_name.end()) symbol.counts.servers = std::move(at->second);
      table.load(std::move(symbol));
    }
    last = rows.back().text(0);
  }
}

Result<void> load_totals(Session& session, SymbolTable& table) {
  Counts totals;
  const Rows rows = TRY(session.query("SELECT name, number FROM symbol_use_total"));
  for (const Row& row : rows) {
    for (const Total& total : kTotals) {
      if (row.text(0) == total.name) totals.*total.number = row.integer(1);
    }
  }
  table.load_totals(totals);
  return {};
}

Result<void> delete_name(Session& session, const std::string& name) {
  const std::string folded = base::lower_ascii(name);
  TRY(session.execute("DELETE FROM symbol_use WHERE folded = ?", {folded}));
  TRY(session.execute("DELETE FROM symbol_use_upstream WHERE folded = ?", {folded}));
  return {};
}

Result<void> add_row(Session& session, const std::vector<std::string>& servers,
                     const SymbolRow& row) {
  const std::string folded = base::lower_ascii(row.name);
  const Counts& counts = row.counts;
  TRY(session.execute(
      "INSERT INTO symbol_use (folded, name, requests, invalid, successes, failures, refused, "
      "hits, serving_us, last_at, misses) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (folded) DO UPDATE SET requests = symbol_use.requests + excluded.requests, "
      "invalid = symbol_use.invalid + excluded.invalid, "
      "successes = symbol_use.successes + excluded.successes, "
      "failures = symbol_use.failures + excluded.failures, "
      "refused = symbol_use.refused + excluded.refused, "
      "hits = symbol_use.hits + excluded.hits, "
      "misses = symbol_use.misses + excluded.misses, "
      "serving_us = symbol_use.serving_us + excluded.serving_us, "
      "last_at = CASE WHEN excluded.last_at > symbol_use.last_at THEN excluded.last_at "
      "ELSE symbol_use.last_at END",
      {folded, row.name, counts.requests, counts.invalid, counts.successes, counts.failures,
       counts.excluded, counts.hits, counts.us, counts.last_at.us, counts.misses}));
  for (std::size_t i = 0; i < std::min(counts.servers.size(), servers.size()); ++i) {
    const ServerCounts& of_server = counts.servers[i];
    if (of_server.hits == 0 && of_server.misses == 0) continue;
    TRY(session.execute(
        "INSERT INTO symbol_use_upstream (folded, upstream, hits, misses) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (folded, upstream) DO UPDATE SET "
        "hits = symbol_use_upstream.hits + excluded.hits, "
        "misses = symbol_use_upstream.misses + excluded.misses",
        {folded, servers[i], of_server.hits, of_server.misses}));
  }
  return {};
}

Result<void> add_totals(Session& session, const Counts& totals) {
  for (const Total& total : kTotals) {
    if (totals.*total.number == 0) continue;
    TRY(
        session.execute("INSERT INTO symbol_use_total (name, number) VALUES (?, ?) "
                        "ON CONFLICT (name) DO UPDATE SET "
                        "number = symbol_use_total.number + excluded.number",
                        {std::string(total.name), totals.*total.number}));
  }
  return {};
}

// Takes the last `kPortion` items off `items` once all of them are written.
template <class T>
Result<void> save_portions(db::Database& database, std::vector<T>& items,
                           const std::function<Result<void>(Session&, const T&)>& save) {
  while (!items.empty()) {
    const std::size_t begin = items.size() - std::min(items.size(), kPortion);
    TRY(database.write([&](Session& session) -> Result<void> {
      for (std::size_t i = begin; i < items.size(); ++i) TRY(save(session, items[i]));
      return {};
    }));
    items.resize(begin);
  }
  return {};
}

}  // namespace

Result<void> load_use(db::Database& database, const std::vector<std::string>& servers,
                      std::size_t names_max, SymbolTable& table) {
  TRY(database.write([&](Session& session) { return delete_older(session, names_max); }));
  return database.read([&](Session& session) -> Result<void> {
    TRY(load_totals(session, table));
    return load_rows(session, servers, table);
  });
}

Result<void> save_use(db::Database& database, const std::vector<std::string>& servers,
                      SymbolTable::Unsaved& unsaved) {
  TRY(save_portions<std::string>(database, unsaved.gone, delete_name));
  TRY(save_portions<SymbolRow>(database, unsaved.rows, [&](Session& session, const SymbolRow& row) {
    return add_row(session, servers, row);
  }));
  if (unsaved.totals.last_at.us == 0) return {};
  TRY(database.write([&](Session& session) { return add_totals(session, unsaved.totals); }));
  unsaved.totals = Counts();
  return {};
}

}  // namespace statistics
