#include "store/file_questions.h"

#include <algorithm>

#include "base/text.h"
#include "db/dialect.h"
#include "store/blobs.h"
#include "store/file_rows.h"
#include "store/key_text.h"
#include "store/values.h"

namespace store {

using base::Result;

namespace {

// As the index of migration 175 has it: ASCII's lower case, ordered by bytes, on both engines.
constexpr std::string_view kName = "LOWER(f.name COLLATE {{bytewise}})";
constexpr std::string_view kLastCharacter = "\xf4\x8f\xbf\xbf";  // U+10FFFF: after all others

Condition newest(const FileQuery& query) {
  Condition question{"symbol_file f WHERE f.id > 0", {}};
  if (query.after > 0) {
    question.sql += " AND f.id < ?";
    question.values.emplace_back(query.after);
  }
  question.sql += " ORDER BY f.id DESC";
  return question;
}

Condition by_name(const FileQuery& query) {
  const std::string name(kName);
  const std::string prefix = base::lower_ascii(query.text);
  const std::string after = base::lower_ascii(query.after_name);
  const bool goes_on = query.after > 0;
  Condition question{
      "symbol_file f WHERE " + name + " >= ? AND " + name + " <= ?",
      {goes_on ? std::max(prefix, after) : prefix, prefix + std::string(kLastCharacter)}};
  if (goes_on) {
    question.sql += " AND (" + name + " > ? OR f.id < ?)";
    question.values.emplace_back(after);
    question.values.emplace_back(query.after);
  }
  question.sql += " ORDER BY " + name + ", f.id DESC";
  return question;
}

// Where it goes on is said of the key's row: of the file's it would be a reason to read all files.
Result<Condition> by_key(const FileQuery& query) {
  const std::string text = base::lower_ascii(base::trim(query.text));
  if (find_sha256(text)) return Condition{"symbol_file f WHERE f.sha256 = ?", {text}};
  Condition question = TRY(is_key_called(text));
  if (query.after > 0) {
    question.sql += " AND k.file < ?";
    question.values.emplace_back(query.after);
  }
  question.sql = "symbol_file f WHERE f.id IN (SELECT k.file FROM symbol_key k WHERE " +
                 question.sql + ") ORDER BY f.id DESC";
  return question;
}

Result<Condition> rows_of(const FileQuery& query) {
  if (query.by == FileQuery::By::key) return by_key(query);
  return query.by == FileQuery::By::name ? by_name(query) : newest(query);
}

}  // namespace

Result<Condition> question_of(const FileQuery& query, db::Engine engine) {
  Condition question = TRY(rows_of(query));
  std::string sql("SELECT ");
  sql.append(kFileColumns).append(" FROM ").append(question.sql).append(" LIMIT ?");
  question.sql = TRY(db::with_engine_words(sql, engine));
  question.values.emplace_back(number(query.limit + 1));
  return question;
}

}  // namespace store
