// Containers' rows of packages that were uploaded: their sources, and which package a file is from.
// Their members' rows are those of the upload (upload_rows.h).
#include "base/file.h"
#include "store/blobs.h"
#include "store/container_rows.h"
#include "store/containers.h"
#include "store/values.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using base::Sha256;
using db::Row;
using db::Rows;
using db::Session;

std::string uploaded_container_path(std::int64_t upload_id, std::string_view file_name) {
  return std::to_string(upload_id).append("/").append(base::basename_of(file_name));
}

Result<void> Containers::keep_uploaded(Session& session, std::int64_t upload_id,
                                       const Upload& upload, const Container& container,
                                       const std::vector<PackedSource>& sources) {
  const std::string pack = container.pack ? container.pack->hex() : "";
  const Rows rows = TRY(session.query(
      "INSERT INTO container (path, kind, size, modified_ns, changed_ns, inode, problem, pack, "
      "scanned_at, project, is_try, expires_at) VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?) "
      "RETURNING id",
      {uploaded_container_path(upload_id, upload.file_name), name_of_kind(Container::Kind::upload),
       number(upload.size), upload.created_at.us * 1000, std::int64_t{0}, std::int64_t{0}, pack,
       upload.created_at.us, upload.project, flag(upload.is_try), upload.expires_at.us}));
  if (rows.empty()) return Error{Fault::internal, "INSERT INTO container returned no id"};
  return keep_source_rows(session, rows.front().integer(0), sources);
}

Result<std::optional<UploadedOrigin>> Containers::uploaded_origin_of(const Sha256& content,
                                                                     const ident::Scope& scope) {
  std::optional<UploadedOrigin> origin;
  TRY(database_.read([&](Session& session) -> Result<void> {
    origin.reset();
    const Rows rows = TRY(session.query(
        "SELECT o.file_name, u.member FROM symbol_file f JOIN upload_file u ON u.file = f.id "
        "JOIN upload o ON o.id = u.upload WHERE f.sha256 = ? AND u.sha256 = f.sha256 "
        "AND u.member <> '' AND o.project = ? AND o.is_try <= ? ORDER BY o.id DESC LIMIT 1",
        {content.hex(), scope.project, flag(scope.include_try)}));
    if (!rows.empty()) origin = {rows.front().text(0), rows.front().text(1)};
    return {};
  }));
  return origin;
}

Result<void> Containers::list_uploaded_packs(const std::function<void(const Sha256&)>& sink) {
  return database_.read([&](Session& session) -> Result<void> {
    const Rows rows =
        TRY(session.query("SELECT DISTINCT pack FROM container WHERE kind = ? AND pack <> ''",
                          {name_of_kind(Container::Kind::upload)}));
    for (const Row& row : rows) {
      if (const auto pack = find_sha256(row.text(0))) sink(*pack);
    }
    return {};
  });
}

namespace {

Result<void> drop_row(Session& session, std::int64_t id) {
  TRY(session.execute("DELETE FROM container_source WHERE container = ?", {id}));
  TRY(session.execute("DELETE FROM container WHERE id = ?", {id}));
  return {};
}

}  // namespace

Result<void> Containers::drop_uploaded_pack(const Sha256& pack) {
  return database_.write([&](Session& session) -> Result<void> {
    const Rows rows = TRY(session.query("SELECT id FROM container WHERE kind = ? AND pack = ?",
                                        {name_of_kind(Container::Kind::upload), pack.hex()}));
    for (const Row& row : rows) TRY(drop_row(session, row.integer(0)));
    return {};
  });
}

Result<std::vector<Sha256>> Containers::expire_try(base::Time now) {
  std::vector<Sha256> packs;
  TRY(database_.write([&](Session& session) -> Result<void> {
    packs.clear();
    const std::string_view expired = " WHERE is_try = 1 AND expires_at <= ?";
    const Rows rows =
        TRY(session.query("SELECT id, pack FROM container" + std::string(expired), {now.us}));
    for (const Row& row : rows) {
      TRY(drop_row(session, row.integer(0)));
      if (const auto pack = find_sha256(row.text(1))) packs.push_back(*pack);
    }
    return {};
  }));
  return packs;
}

}  // namespace store
