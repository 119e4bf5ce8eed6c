#include "db/dialect.h"

#include "base/text.h"

namespace db {
namespace {

// The length of the quoted text or comment that starts at `at`; 0 when none does.
std::size_t opaque_length(std::string_view sql, std::size_t at) {
  const char first = sql[at];
  if (first == '\'' || first == '"') {
    const auto end = sql.find(first, at + 1);  // a doubled quote reads as two texts: the same
    return (end == std::string_view::npos ? sql.size() : end + 1) - at;
  }
  if (sql.substr(at, 2) == "--") {
    const auto end = sql.find('\n', at);
    return (end == std::string_view::npos ? sql.size() : end) - at;
  }
  return 0;
}

}  // namespace

base::Result<std::string> with_engine_words(std::string_view sql, Engine engine) {
  std::string out;
  for (;;) {
    const auto open = sql.find("{{");
    out += sql.substr(0, open);
    if (open == std::string_view::npos) return out;
    const auto close = sql.find("}}", open);
    const auto word = sql.substr(open, close == std::string_view::npos ? close : close + 2 - open);
    if (word == "{{bigserial}}") {
      out += engine == Engine::sqlite ? "INTEGER" : "BIGSERIAL";
    } else if (word == "{{blob}}") {
      out += engine == Engine::sqlite ? "BLOB" : "BYTEA";
    } else if (word == "{{bytewise}}") {
      out += engine == Engine::sqlite ? "BINARY" : "\"C\"";
    } else if (word == "{{now}}") {
      out += engine == Engine::sqlite
                 ? "(CAST(strftime('%s', 'now') AS INTEGER) * 1000000)"
                 : "CAST(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000000 AS BIGINT)";
    } else {
      return base::Error{base::Fault::internal, "unknown word in SQL: " + std::string(word)};
    }
    sql.remove_prefix(close + 2);
  }
}

std::string with_numbered_parameters(std::string_view sql) {
  std::string out;
  int number = 0;
  for (std::size_t at = 0; at < sql.size();) {
    if (const auto skip = opaque_length(sql, at); skip != 0) {
      out += sql.substr(at, skip);
      at += skip;
      continue;
    }
    if (sql[at] == '?') {
      out += '$' + std::to_string(++number);
    } else {
      out += sql[at];
    }
    ++at;
  }
  return out;
}

std::vector<std::string> split_statements(std::string_view sql) {
  std::vector<std::string> statements;
  while (!sql.empty()) {
    const auto end = sql.find(";\n");
    auto statement = base::trim(sql.substr(0, end));
    if (!statement.empty() && statement.back() == ';') statement.remove_suffix(1);
    if (!statement.empty()) statements.emplace_back(statement);
    if (end == std::string_view::npos) break;
    sql.remove_prefix(end + 2);
  }
  return statements;
}

}  // namespace db
