#include "store/uploads.h"

#include "base/json.h"
#include "store/blobs.h"
#include "store/file_rows.h"
#include "store/ownership.h"

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

Result<std::vector<UploadedFile>> files_of(Session& session, std::int64_t upload) {
  std::string sql("SELECT u.path, u.sha256, u.was_known, u.verified, ");
  sql += kFileColumns;
  sql +=
      " FROM upload_file u LEFT JOIN symbol_file f ON f.id = u.file AND f.sha256 = u.sha256 "
      "WHERE u.upload = ? ORDER BY u.position";
  const Rows rows = TRY(session.query(sql, {upload}));
  std::vector<UploadedFile> files;
  for (const Row& row : rows) {
    UploadedFile file;
    file.path = row.text(0);
    file.sha256 = find_sha256(row.text(1)).value_or(base::Sha256{});
    file.was_known = row.integer(2) != 0;
    file.verified = row.integer(3) != 0;
    if (!row.is_null(4)) file.file = file_of(row, 4);
    files.push_back(std::move(file));
  }
  return files;
}

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
  std::string sql("SELECT ");
  sql.append(kUploadColumns).append(" FROM upload WHERE 1 = 1");
  std::vector<Value> values;
  if (filter.before > 0) {
    sql += " AND id < ?";
    values.emplace_back(filter.before);
  }
  if (filter.project) {
    sql += " AND project = ?";
    values.emplace_back(*filter.project);
  }
  if (filter.token) {
    sql += " AND token = ?";
    values.emplace_back(*filter.token);
  }
  sql += " ORDER BY id DESC LIMIT ?";
  values.emplace_back(static_cast<std::int64_t>(filter.limit));
  std::vector<UploadRecord> list;
  TRY(database_.read([&](Session& session) -> Result<void> {
    list.clear();
    const Rows rows = TRY(session.query(sql, values));
    for (const Row& row : rows) list.push_back(record_of(row));
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
