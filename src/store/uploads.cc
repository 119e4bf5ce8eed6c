#include "store/uploads.h"

#include <array>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "db/dialect.h"
#include "store/blobs.h"
#include "store/file_rows.h"
#include "store/ownership.h"
#include "store/values.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using db::Row;
using db::Rows;
using db::Session;
using db::Value;

namespace {

constexpr std::string_view kUploadColumns =
    "id, created_at, peer, way, file_name, size, project, is_try, token, user_label, "
    "download_url, redirect_urls, ignored, completed_at";

std::vector<std::string> texts_of(const std::string& json) {
  std::vector<std::string> texts;
  const auto parsed = base::JsonValue::parse(json);
  if (!parsed.ok()) return texts;
  for (std::size_t i = 0; i < parsed->size(); ++i) {
    texts.emplace_back(parsed->at(i).text_or(""));
  }
  return texts;
}

UploadRecord record_of(const Row& row) {
  UploadRecord record;
  Upload& upload = record.upload;
  upload.id = row.integer(0);
  upload.created_at = {row.integer(1)};
  upload.peer = row.text(2);
  upload.way = row.text(3);
  upload.file_name = row.text(4);
  upload.size = static_cast<std::uint64_t>(row.integer(5));
  upload.project = row.text(6);
  upload.is_try = row.integer(7) != 0;
  upload.token = row.integer(8);
  upload.user = row.text(9);
  upload.download_url = row.text(10);
  upload.redirect_urls = texts_of(row.text(11));
  upload.ignored = texts_of(row.text(12));
  record.completed_at = {row.integer(13)};
  return record;
}

constexpr std::string_view kUploadFileColumns = "u.path, u.sha256, u.was_known, u.verified";
constexpr std::string_view kItsFile =
    "LEFT JOIN symbol_file f ON f.id = u.file AND f.sha256 = u.sha256";

// From the columns kUploadFileColumns at `at`, and kFileColumns at `file_at`.
UploadedFile uploaded_of(const Row& row, std::size_t at, std::size_t file_at) {
  UploadedFile file;
  file.path = row.text(at);
  file.sha256 = find_sha256(row.text(at + 1)).value_or(base::Sha256{});
  file.was_known = row.integer(at + 2) != 0;
  file.verified = row.integer(at + 3) != 0;
  if (!row.is_null(file_at)) file.file = file_of(row, file_at);
  return file;
}

Result<std::vector<UploadedFile>> files_of(Session& session, std::int64_t upload) {
  std::string sql("SELECT ");
  sql.append(kUploadFileColumns).append(", ").append(kFileColumns);
  sql.append(" FROM upload_file u ").append(kItsFile);
  sql.append(" WHERE u.upload = ? ORDER BY u.position");
  const Rows rows = TRY(session.query(sql, {upload}));
  std::vector<UploadedFile> files;
  files.reserve(rows.size());
  for (const Row& row : rows) files.push_back(uploaded_of(row, 0, 4));
  return files;
}

BroughtFile brought_of(const Row& row) {
  BroughtFile listed;
  Upload& upload = listed.upload;
  upload.id = row.integer(0);
  listed.position = row.integer(1);
  upload.created_at = {row.integer(6)};
  listed.completed_at = {row.integer(7)};
  upload.file_name = row.text(8);
  upload.size = static_cast<std::uint64_t>(row.integer(9));
  upload.project = row.text(10);
  upload.is_try = row.integer(11) != 0;
  upload.token = row.integer(12);
  upload.user = row.text(13);
  upload.download_url = row.text(14);
  listed.row = uploaded_of(row, 2, 15);
  return listed;
}

// "%part%", of lower-case text, with what LIKE takes for itself behind a "!". What is compared with
// it is made lower by its bytes as well, whatever letters the database's locale knows.
std::string like_pattern(std::string_view part) {
  std::string pattern("%");
  for (const char c : base::lower_ascii(part)) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c;
  }
  return pattern + "%";
}

struct Where {
  std::string sql = {};
  std::vector<Value> values = {};

  void add(std::string_view condition, Value value) {
    sql.append(sql.empty() ? " WHERE " : " AND ").append(condition);
    values.push_back(std::move(value));
  }
};

Where where_of(const UploadFilter& filter) {
  Where where;
  if (filter.before > 0) where.add("id < ?", filter.before);
  if (filter.project) where.add("project = ?", *filter.project);
  if (filter.token) where.add("token = ?", *filter.token);
  if (!filter.user.empty()) {
    where.add(filter.is_not_user ? "LOWER(user_label COLLATE {{bytewise}}) NOT LIKE ? ESCAPE '!'"
                                 : "LOWER(user_label COLLATE {{bytewise}}) LIKE ? ESCAPE '!'",
              like_pattern(filter.user));
  }
  if (filter.from.us != 0) where.add("created_at >= ?", filter.from.us);
  if (filter.until.us != 0) where.add("created_at < ?", filter.until.us);
  return where;
}

constexpr std::array<std::string_view, 4> kOrders{"id DESC", "id", "size DESC, id DESC",
                                                  "size, id"};

}  // namespace

Result<UploadRecord> Uploads::load(std::int64_t id) {
  UploadRecord record;
  TRY(database_.read([&](Session& session) -> Result<void> {
    const Rows rows = TRY(
        session.query("SELECT " + std::string(kUploadColumns) + " FROM upload WHERE id = ?", {id}));
    if (rows.empty()) return Error{Fault::not_found, "there is no upload " + std::to_string(id)};
    record = record_of(rows.front());
    record.files = TRY(files_of(session, id));
    return {};
  }));
  return record;
}

Result<std::vector<UploadRecord>> Uploads::list(const UploadFilter& filter) {
  Where where = where_of(filter);
  std::string sql("SELECT ");
  sql.append(kUploadColumns).append(" FROM upload").append(where.sql);
  sql.append(" ORDER BY ").append(kOrders.at(static_cast<std::size_t>(filter.order)));
  sql.append(" LIMIT ? OFFSET ?");
  where.values.push_back(number(filter.limit));
  where.values.push_back(number(filter.offset));
  sql = TRY(db::with_engine_words(sql, database_.engine()));
  std::vector<UploadRecord> list;
  TRY(database_.read([&](Session& session) -> Result<void> {
    list.clear();
    const Rows rows = TRY(session.query(sql, where.values));
    for (const Row& row : rows) list.push_back(record_of(row));
    return {};
  }));
  return list;
}

Result<UploadTotals> Uploads::total(const UploadFilter& filter) {
  const Where where = where_of(filter);
  const std::string sql = TRY(db::with_engine_words(
      "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM upload" + where.sql,
      database_.engine()));
  UploadTotals totals;
  TRY(database_.read([&](Session& session) -> Result<void> {
    const Rows rows = TRY(session.query(sql, where.values));
    if (rows.empty()) return {};
    totals = {static_cast<std::uint64_t>(rows.front().integer(0)),
              static_cast<std::uint64_t>(rows.front().integer(1))};
    return {};
  }));
  return totals;
}

Result<std::vector<BroughtFile>> Uploads::list_brought(const BroughtFilter& filter) {
  Where where;
  where.add("u.was_known = ?", flag(false));
  if (filter.project) where.add("p.project = ?", *filter.project);
  for (const std::string& part : filter.parts) {
    where.add("LOWER(u.path COLLATE {{bytewise}}) LIKE ? ESCAPE '!'", like_pattern(part));
  }
  if (filter.upload) where.add("u.upload = ?", *filter.upload);
  if (filter.position) where.add("u.position = ?", *filter.position);
  std::string sql("SELECT u.upload, u.position, ");
  sql.append(kUploadFileColumns).append(", p.created_at, p.completed_at, p.file_name, p.size, ");
  sql.append("p.project, p.is_try, p.token, p.user_label, p.download_url, ").append(kFileColumns);
  sql.append(" FROM upload_file u JOIN upload p ON p.id = u.upload ").append(kItsFile);
  sql.append(where.sql).append(" ORDER BY u.upload DESC, u.position LIMIT ? OFFSET ?");
  where.values.push_back(number(filter.limit));
  where.values.push_back(number(filter.offset));
  sql = TRY(db::with_engine_words(sql, database_.engine()));
  std::vector<BroughtFile> list;
  TRY(database_.read([&](Session& session) -> Result<void> {
    list.clear();
    const Rows rows = TRY(session.query(sql, where.values));
    for (const Row& row : rows) list.push_back(brought_of(row));
    return {};
  }));
  return list;
}

Result<std::map<std::int64_t, UploadSums>> Uploads::count_files(std::int64_t first,
                                                                std::int64_t last) {
  std::map<std::int64_t, UploadSums> sums;
  TRY(database_.read([&](Session& session) -> Result<void> {
    sums.clear();
    const Rows rows = TRY(
        session.query("SELECT upload, COUNT(*), CAST(SUM(was_known) AS BIGINT) FROM upload_file "
                      "WHERE upload >= ? AND upload <= ? GROUP BY upload",
                      {first, last}));
    for (const Row& row : rows) {
      sums[row.integer(0)] = {static_cast<std::uint64_t>(row.integer(1)),
                              static_cast<std::uint64_t>(row.integer(2))};
    }
    return {};
  }));
  return sums;
}

Result<void> Uploads::keep_digest(std::string_view kind, std::string_view digest,
                                  const base::Sha256& file) {
  return database_.write([&](Session& session) -> Result<void> {
    TRY(session.execute(
        "INSERT INTO file_digest (kind, digest, file) SELECT ?, ?, id FROM symbol_file "
        "WHERE sha256 = ? ON CONFLICT (kind, digest, file) DO NOTHING",
        {std::string(kind), std::string(digest), file.hex()}));
    return {};
  });
}

Result<std::optional<FileRecord>> Uploads::find_by_digest(std::string_view kind,
                                                          std::string_view digest,
                                                          const ident::Scope& scope) {
  std::optional<FileRecord> found;
  TRY(database_.read([&](Session& session) -> Result<void> {
    found.reset();
    std::string sql("SELECT ");
    sql += kFileColumns;
    sql +=
        " FROM file_digest d JOIN symbol_file f ON f.id = d.file WHERE d.kind = ? AND "
        "d.digest = ? AND EXISTS (SELECT 1 FROM symbol_key k WHERE k.file = f.id AND "
        "k.project = ? AND k.is_try <= ?) AND ";
    const std::int64_t include_try = scope.include_try ? 1 : 0;
    std::vector<Value> values{std::string(kind), std::string(digest), scope.project, include_try};
    const Condition kept = is_kept(scope);
    values.insert(values.end(), kept.values.begin(), kept.values.end());
    const Rows rows = TRY(session.query(sql + kept.sql + " ORDER BY f.id LIMIT 1", values));
    if (!rows.empty()) found = file_of(rows.front());
    return {};
  }));
  return found;
}

Result<bool> Uploads::has_digest(std::string_view kind, std::string_view digest,
                                 const base::Sha256& file) {
  bool has = false;
  TRY(database_.read([&](Session& session) -> Result<void> {
    const Rows rows =
        TRY(session.query("SELECT 1 FROM file_digest d JOIN symbol_file f ON f.id = d.file "
                          "WHERE d.kind = ? AND d.digest = ? AND f.sha256 = ?",
                          {std::string(kind), std::string(digest), file.hex()}));
    has = !rows.empty();
    return {};
  }));
  return has;
}

Result<bool> Uploads::has_recorded(const Upload& upload, std::int64_t file, base::Time since) {
  bool has = false;
  TRY(database_.read([&](Session& session) -> Result<void> {
    const std::int64_t is_try = upload.is_try ? 1 : 0;
    const Rows rows = TRY(session.query(
        "SELECT 1 FROM upload_file f JOIN upload u ON u.id = f.upload WHERE f.file = ? AND "
        "u.way = ? AND u.token = ? AND u.project = ? AND u.is_try = ? AND u.created_at >= ? "
        "LIMIT 1",
        {file, upload.way, upload.token, upload.project, is_try, since.us}));
    has = !rows.empty();
    return {};
  }));
  return has;
}

}  // namespace store
