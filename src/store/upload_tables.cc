#include "store/upload_tables.h"

namespace store {

const std::vector<db::Migration>& upload_migrations() {
  static const std::vector<db::Migration> list{
      {120, "projects, tokens and what was done with them",
       "CREATE TABLE project (\n"
       "  name TEXT NOT NULL PRIMARY KEY,\n"
       "  strict BIGINT NOT NULL,\n"
       "  two_tier BIGINT NOT NULL,\n"
       "  created_at BIGINT NOT NULL);\n"
       "CREATE TABLE token (\n"
       "  id {{bigserial}} PRIMARY KEY,\n"
       "  hash TEXT NOT NULL UNIQUE,\n"
       "  label TEXT NOT NULL,\n"
       "  rights TEXT NOT NULL,\n"
       "  project TEXT NOT NULL,\n"
       "  created_at BIGINT NOT NULL,\n"
       "  expires_at BIGINT NOT NULL,\n"
       "  revoked_at BIGINT NOT NULL);\n"
       "CREATE TABLE audit (\n"
       "  id {{bigserial}} PRIMARY KEY,\n"
       "  created_at BIGINT NOT NULL,\n"
       "  actor TEXT NOT NULL,\n"
       "  peer TEXT NOT NULL,\n"
       "  action TEXT NOT NULL,\n"
       "  detail TEXT NOT NULL);\n"},
      // Neither engine can change a primary key in a way that both know.
      {121, "a key belongs to a project, or to its try builds",
       "CREATE TABLE scoped_symbol_key (\n"
       "  kind TEXT NOT NULL,\n"
       "  id TEXT NOT NULL,\n"
       "  name TEXT NOT NULL,\n"
       "  file BIGINT NOT NULL REFERENCES symbol_file (id),\n"
       "  project TEXT NOT NULL,\n"
       "  is_try BIGINT NOT NULL,\n"
       "  expires_at BIGINT NOT NULL,\n"
       "  verified BIGINT NOT NULL,\n"
       "  added_at BIGINT NOT NULL,\n"
       "  PRIMARY KEY (kind, id, name, file, project, is_try));\n"
       "INSERT INTO scoped_symbol_key (kind, id, name, file, project, is_try, expires_at, "
       "verified, "
       "added_at) SELECT kind, id, name, file, '', 0, 0, verified, added_at FROM symbol_key;\n"
       "DROP TABLE symbol_key;\n"
       "ALTER TABLE scoped_symbol_key RENAME TO symbol_key;\n"
       "CREATE INDEX symbol_key_file ON symbol_key (file);\n"
       "CREATE INDEX symbol_key_expires ON symbol_key (is_try, expires_at);\n"},
      // What was uploaded stays on record when the file itself is gone: no reference.
      {122, "an upload says by whom, for whom, and what each file was",
       "ALTER TABLE upload ADD COLUMN project TEXT NOT NULL DEFAULT '';\n"
       "ALTER TABLE upload ADD COLUMN is_try BIGINT NOT NULL DEFAULT 0;\n"
       "ALTER TABLE upload ADD COLUMN token BIGINT NOT NULL DEFAULT 0;\n"
       "ALTER TABLE upload ADD COLUMN user_label TEXT NOT NULL DEFAULT '';\n"
       "ALTER TABLE upload ADD COLUMN download_url TEXT NOT NULL DEFAULT '';\n"
       "ALTER TABLE upload ADD COLUMN redirect_urls TEXT NOT NULL DEFAULT '[]';\n"
       "ALTER TABLE upload ADD COLUMN ignored TEXT NOT NULL DEFAULT '[]';\n"
       "ALTER TABLE upload ADD COLUMN completed_at BIGINT NOT NULL DEFAULT 0;\n"
       "CREATE TABLE recorded_file (\n"
       "  upload BIGINT NOT NULL REFERENCES upload (id),\n"
       "  position BIGINT NOT NULL,\n"
       "  file BIGINT NOT NULL,\n"
       "  path TEXT NOT NULL,\n"
       "  sha256 TEXT NOT NULL,\n"
       "  was_known BIGINT NOT NULL,\n"
       "  verified BIGINT NOT NULL,\n"
       "  PRIMARY KEY (upload, position));\n"
       "INSERT INTO recorded_file (upload, position, file, path, sha256, was_known, verified) "
       "SELECT u.upload, ROW_NUMBER() OVER (PARTITION BY u.upload ORDER BY u.file, u.path) - 1, "
       "u.file, u.path, f.sha256, u.was_known, 0 FROM upload_file u "
       "JOIN symbol_file f ON f.id = u.file;\n"
       "DROP TABLE upload_file;\n"
       "ALTER TABLE recorded_file RENAME TO upload_file;\n"
       "CREATE INDEX upload_file_file ON upload_file (file);\n"},
      // For protocols that name files by other hashes than ours.
      {123, "other hashes of files",
       "CREATE TABLE file_digest (\n"
       "  kind TEXT NOT NULL,\n"
       "  digest TEXT NOT NULL,\n"
       "  file BIGINT NOT NULL,\n"
       "  PRIMARY KEY (kind, digest, file));\n"
       "CREATE INDEX file_digest_file ON file_digest (file);\n"},
      {126, "whether a project makes cabinets",
       "ALTER TABLE project ADD COLUMN cabinets BIGINT NOT NULL DEFAULT 1;\n"},
      {127, "what an uploaded package calls its files",
       "ALTER TABLE upload_file ADD COLUMN member TEXT NOT NULL DEFAULT '';\n"},
      {128, "when a token was last used",
       "ALTER TABLE token ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;\n"},
  };
  return list;
}

}  // namespace store
