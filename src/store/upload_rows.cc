#include "store/upload_rows.h"

#include "base/json.h"
#include "store/audit_rows.h"
#include "store/values.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using db::Rows;
using db::Session;
using db::Value;

namespace {

std::string json_of(const std::vector<std::string>& texts) {
  base::JsonWriter out;
  out.begin_array();
  for (const std::string& text : texts) out.string(text);
  out.end_array();
  return out.take();
}

}  // namespace

Result<std::int64_t> keep_upload(Session& session, const Upload& upload, base::Time completed_at) {
  const Rows rows = TRY(session.query(
      "INSERT INTO upload (created_at, peer, way, file_name, size, project, is_try, token, "
      "user_label, download_url, redirect_urls, ignored, completed_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
      {upload.created_at.us, upload.peer, upload.way, upload.file_name, number(upload.size),
       upload.project, flag(upload.is_try), upload.token, upload.user, upload.download_url,
       json_of(upload.redirect_urls), json_of(upload.ignored), completed_at.us}));
  if (rows.empty()) return Error{Fault::internal, "INSERT INTO upload returned no id"};
  return rows.front().integer(0);
}

Result<std::int64_t> upload_for(Session& session, const Upload& upload) {
  if (upload.id != 0) {
    const std::int64_t begun = TRY(session.execute(
        "UPDATE upload SET completed_at = ? WHERE id = ? AND project = ? AND is_try = ?",
        {base::now().us, upload.id, upload.project, flag(upload.is_try)}));
    if (begun != 0) return upload.id;
  }
  return keep_upload(session, upload, base::now());
}

Result<std::int64_t> next_position(Session& session, std::int64_t upload) {
  const Rows rows = TRY(session.query(
      "SELECT COALESCE(MAX(position) + 1, 0) FROM upload_file WHERE upload = ?", {upload}));
  return rows.empty() ? 0 : rows.front().integer(0);
}

Result<void> record_file(Session& session, std::int64_t upload, std::int64_t position,
                         std::int64_t file, const NewFile& added, bool was_known) {
  TRY(session.execute(
      "INSERT INTO upload_file (upload, position, file, path, sha256, was_known, verified, member) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      {upload, position, file, added.path, added.file.sha256.hex(), flag(was_known),
       flag(added.path_is_verified()), added.member}));
  return {};
}

// "17 zip symbols.zip: 3 files for game, try"
Result<void> record_upload(Session& session, std::int64_t id, const Upload& upload,
                           std::size_t files) {
  std::string text = std::to_string(id) + " " + upload.way + " " + upload.file_name + ": " +
                     std::to_string(files) + (files == 1 ? " file" : " files");
  if (!upload.project.empty()) text += " for " + upload.project;
  if (upload.is_try) text += ", try";
  return record_audit(session, {upload.user, upload.peer}, "upload", text);
}

}  // namespace store
