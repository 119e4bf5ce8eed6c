#include "statistics/missing_symbols.h"

#include <algorithm>
#include <set>

#include "base/text.h"

namespace statistics {

using base::Result;
using db::Row;
using db::Rows;
using db::Session;
using db::Value;

namespace {

constexpr std::size_t kPortion = 500;
constexpr std::int64_t kReadPortion = 5000;
constexpr std::int64_t kDayUs = 86'400'000'000;

constexpr std::string_view kColumns =
    "m.id, m.name, m.debug_id, m.file, m.code_file, m.code_id, m.times, m.created_at, "
    "m.modified_at";

MissingSymbol symbol_of(const Row& row) {
  MissingSymbol symbol;
  symbol.id = row.integer(0);
  symbol.name = row.text(1);
  symbol.debug_id = row.text(2);
  symbol.file = row.text(3);
  symbol.code_file = row.text(4);
  symbol.code_id = row.text(5);
  symbol.times = row.integer(6);
  symbol.created_at = {row.integer(7)};
  symbol.modified_at = {row.integer(8)};
  return symbol;
}

std::string_view column_of(MissingQuery::Order order) {
  switch (order) {
    case MissingQuery::Order::created:
      return "created_at";
    case MissingQuery::Order::times:
      return "times";
    case MissingQuery::Order::name:
      return "name";
    case MissingQuery::Order::debug_id:
      return "debug_id";
    case MissingQuery::Order::file:
      return "file";
    case MissingQuery::Order::modified:
      break;
  }
  return "modified_at";
}

std::string_view sign_of(MissingQuery::Relation relation) {
  switch (relation) {
    case MissingQuery::Relation::less:
      return "<";
    case MissingQuery::Relation::at_most:
      return "<=";
    case MissingQuery::Relation::equal:
      return "=";
    case MissingQuery::Relation::greater:
      return ">";
    case MissingQuery::Relation::at_least:
      break;
  }
  return ">=";
}

// The text anywhere, with nothing in it meant as a pattern.
std::string like_pattern(std::string_view text) {
  std::string pattern = "%";
  for (const char c : base::lower_ascii(text)) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c;
  }
  return pattern + "%";
}

struct Where {
  std::string sql;
  std::vector<Value> values;

  void add(std::string_view condition, Value value) {
    sql.append(sql.empty() ? " WHERE " : " AND ").append(condition);
    values.push_back(std::move(value));
  }
};

Where where_of(const MissingQuery& query) {
  Where where;
  if (!query.name.empty()) where.add("LOWER(m.name) LIKE ? ESCAPE '!'", like_pattern(query.name));
  if (!query.debug_id.empty()) {
    where.add("LOWER(m.debug_id) LIKE ? ESCAPE '!'", like_pattern(query.debug_id));
  }
  if (!query.file.empty()) where.add("LOWER(m.file) LIKE ? ESCAPE '!'", like_pattern(query.file));
  for (const MissingQuery::Bound& bound : query.bounds) {
    const std::string condition =
        "m." + std::string(column_of(bound.of)) + " " + std::string(sign_of(bound.relation)) + " ?";
    where.add(condition, bound.time.us);
  }
  return where;
}

Result<void> add_keys(Session& session, const MissingSymbol& symbol) {
  const auto request = request_of(symbol);
  if (!request) return {};
  std::set<std::string> ids;
  for (const ident::SymbolKey& key : request->keys) ids.insert(key.id);
  for (const std::string& id : ids) {
    TRY(
        session.execute("INSERT INTO missing_symbol_key (key_id, missing) VALUES (?, ?) "
                        "ON CONFLICT (key_id, missing) DO NOTHING",
                        {id, symbol.id}));
  }
  return {};
}

std::string fold(const std::string& name, const std::string& id, const std::string& file) {
  return base::lower_ascii(name + "/" + id + "/" + file);
}

Result<void> add_one(Session& session, const Miss& miss) {
  const Rows rows = TRY(session.query(
      "INSERT INTO missing_symbol (folded, name, debug_id, file, code_file, code_id, times, "
      "created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (folded) DO UPDATE SET times = missing_symbol.times + excluded.times, "
      "modified_at = CASE WHEN excluded.modified_at > missing_symbol.modified_at "
      "THEN excluded.modified_at ELSE missing_symbol.modified_at END, "
      "code_file = CASE WHEN excluded.code_file <> '' THEN excluded.code_file "
      "ELSE missing_symbol.code_file END, "
      "code_id = CASE WHEN excluded.code_id <> '' THEN excluded.code_id "
      "ELSE missing_symbol.code_id END RETURNING id",
      {fold(miss.name, miss.id, miss.file), miss.name, miss.id, miss.file, miss.code_file,
       miss.code_id, miss.count, miss.first_at.us, miss.last_at.us}));
  MissingSymbol symbol;
  symbol.id = rows.at(0).integer(0);
  symbol.name = miss.name;
  symbol.debug_id = miss.id;
  symbol.file = miss.file;
  TRY(
      session.execute("INSERT INTO missing_symbol_day (on_day, missing, times) VALUES (?, ?, ?) "
                      "ON CONFLICT (on_day, missing) DO UPDATE SET "
                      "times = missing_symbol_day.times + excluded.times",
                      {day_of(miss.last_at), symbol.id, miss.count}));
  return add_keys(session, symbol);
}

Result<void> remove_one(Session& session, std::int64_t symbol) {
  TRY(session.execute("DELETE FROM missing_symbol_day WHERE missing = ?", {symbol}));
  TRY(session.execute("DELETE FROM missing_symbol_key WHERE missing = ?", {symbol}));
  TRY(session.execute("DELETE FROM missing_symbol WHERE id = ?", {symbol}));
  return {};
}

// All that were last asked for at that time or before.
Result<void> remove_until(Session& session, std::int64_t us) {
  for (const char* table : {"missing_symbol_day", "missing_symbol_key"}) {
    TRY(session.execute("DELETE FROM " + std::string(table) +
                            " WHERE missing IN (SELECT id FROM missing_symbol "
                            "WHERE modified_at <= ?)",
                        {us}));
  }
  TRY(session.execute("DELETE FROM missing_symbol WHERE modified_at <= ?", {us}));
  return {};
}

}  // namespace

std::int64_t day_of(base::Time time) { return time.us / kDayUs; }

std::optional<ident::SymbolRequest> request_of(const MissingSymbol& symbol) {
  if (symbol.name.empty()) return ident::find_buildid_request(symbol.debug_id, symbol.file);
  if (!ident::is_allowed_name(symbol.name) || !ident::is_allowed_id(symbol.debug_id) ||
      !ident::is_allowed_name(symbol.file)) {
    return std::nullopt;
  }
  return ident::request_of(ident::StorePath{symbol.name, symbol.debug_id, symbol.file});
}

Result<void> MissingSymbols::add(std::vector<Miss>& misses) {
  while (!misses.empty()) {
    const std::size_t begin = misses.size() - std::min(misses.size(), kPortion);
    TRY(database_.write([&](Session& session) -> Result<void> {
      for (std::size_t i = begin; i < misses.size(); ++i) TRY(add_one(session, misses[i]));
      return {};
    }));
    misses.resize(begin);
  }
  return {};
}

Result<MissingPage> MissingSymbols::list(const MissingQuery& query) {
  MissingPage page;
  TRY(database_.read([&](Session& session) -> Result<void> {
    Where where = where_of(query);
    const Rows count =
        TRY(session.query("SELECT COUNT(*) FROM missing_symbol m" + where.sql, where.values));
    page.total = static_cast<std::uint64_t>(count.at(0).integer(0));
    const std::string direction = query.descending ? " DESC" : " ASC";
    where.values.emplace_back(static_cast<std::int64_t>(query.limit));
    where.values.emplace_back(static_cast<std::int64_t>(query.offset & INT64_MAX));
    const Rows rows =
        TRY(session.query("SELECT " + std::string(kColumns) + " FROM missing_symbol m" + where.sql +
                              " ORDER BY m." + std::string(column_of(query.order)) + direction +
                              ", m.id" + direction + " LIMIT ? OFFSET ?",
                          where.values));
    page.rows.clear();
    for (const Row& row : rows) page.rows.push_back(symbol_of(row));
    return {};
  }));
  return page;
}

Result<void> MissingSymbols::list_day(std::int64_t day,
                                      const std::function<void(const MissingSymbol&)>& sink) {
  for (std::string last;;) {
    Rows rows;
    TRY(database_.read([&](Session& session) -> Result<void> {
      rows = TRY(session.query("SELECT " + std::string(kColumns) +
                                   ", m.folded FROM missing_symbol m JOIN missing_symbol_day d "
                                   "ON d.missing = m.id WHERE d.on_day = ? AND m.folded > ? "
                                   "ORDER BY m.folded LIMIT ?",
                               {day, last, kReadPortion}));
      return {};
    }));
    if (rows.empty()) return {};
    for (const Row& row : rows) sink(symbol_of(row));
    last = rows.back().text(9);
  }
}

Result<std::vector<MissingSymbol>> MissingSymbols::with_ids(const std::vector<std::string>& ids) {
  std::vector<MissingSymbol> found;
  std::set<std::int64_t> known;
  TRY(database_.read([&](Session& session) -> Result<void> {
    for (const std::string& id : ids) {
      const Rows rows = TRY(
          session.query("SELECT " + std::string(kColumns) +
                            " FROM missing_symbol_key k JOIN missing_symbol m ON m.id = k.missing "
                            "WHERE k.key_id = ?",
                        {id}));
      for (const Row& row : rows) {
        if (known.insert(row.integer(0)).second) found.push_back(symbol_of(row));
      }
    }
    return {};
  }));
  return found;
}

Result<void> MissingSymbols::remove(const std::vector<std::int64_t>& symbols) {
  if (symbols.empty()) return {};
  return database_.write([&](Session& session) -> Result<void> {
    for (const std::int64_t symbol : symbols) TRY(remove_one(session, symbol));
    return {};
  });
}

Result<void> MissingSymbols::remove(const ident::StorePath& path) {
  return database_.write([&](Session& session) -> Result<void> {
    const Rows rows = TRY(session.query("SELECT id FROM missing_symbol WHERE folded = ?",
                                        {fold(path.name, path.id, path.file)}));
    if (rows.empty()) return {};
    return remove_one(session, rows.front().integer(0));
  });
}

Result<void> MissingSymbols::drop_old(base::Time now) {
  return database_.write([&](Session& session) -> Result<void> {
    TRY(session.execute("DELETE FROM missing_symbol_day WHERE on_day < ?",
                        {day_of(now) - kDaysKept}));
    TRY(remove_until(session, now.us - kForgottenAfter * kDayUs));
    const Rows surplus = TRY(session.query(
        "SELECT modified_at FROM missing_symbol ORDER BY modified_at DESC LIMIT 1 OFFSET ?",
        {kSymbolsMax}));
    if (surplus.empty()) return {};
    return remove_until(session, surplus.front().integer(0));
  });
}

}  // namespace statistics
