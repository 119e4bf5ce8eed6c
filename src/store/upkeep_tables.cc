#include "store/upkeep_tables.h"

namespace store {

const std::vector<db::Migration>& upkeep_migrations() {
  static const std::vector<db::Migration> list{
      {170, "contents that were purged",
       "CREATE TABLE purged_content (\n"
       "  sha256 TEXT NOT NULL PRIMARY KEY,\n"
       "  purged_at BIGINT NOT NULL,\n"
       "  actor TEXT NOT NULL,\n"
       "  name TEXT NOT NULL,\n"
       "  size BIGINT NOT NULL);\n"},
      // The default project, which is most of the table at many places, is counted otherwise.
      {171, "how much a project may keep",
       "ALTER TABLE project ADD COLUMN quota BIGINT NOT NULL DEFAULT 0;\n"
       "CREATE INDEX symbol_key_project ON symbol_key (project, file) WHERE project <> '';\n"},
      // As much of a file's row and keys as says what would be answered with it.
      {172, "what purged contents answered",
       "CREATE TABLE purged_key (\n"
       "  sha256 TEXT NOT NULL,\n"
       "  kind TEXT NOT NULL,\n"
       "  id TEXT NOT NULL,\n"
       "  name TEXT NOT NULL,\n"
       "  verified BIGINT NOT NULL,\n"
       "  PRIMARY KEY (sha256, kind, id, name));\n"
       "ALTER TABLE purged_content ADD COLUMN format TEXT NOT NULL DEFAULT '';\n"
       "ALTER TABLE purged_content ADD COLUMN debug_id TEXT NOT NULL DEFAULT '';\n"
       "ALTER TABLE purged_content ADD COLUMN has_debug BIGINT NOT NULL DEFAULT 0;\n"
       "ALTER TABLE purged_content ADD COLUMN has_symbols BIGINT NOT NULL DEFAULT 0;\n"
       "ALTER TABLE purged_content ADD COLUMN has_code BIGINT NOT NULL DEFAULT 0;\n"},
      // ASCII's lower case on both engines, since the collation says so.
      {175, "files by how their names begin",
       "CREATE INDEX symbol_file_name ON symbol_file\n"
       "  (LOWER(name COLLATE {{bytewise}}), id DESC);\n"},
      {176, "how much may be kept of what a token brings",
       "ALTER TABLE token ADD COLUMN quota BIGINT NOT NULL DEFAULT 0;\n"
       "CREATE INDEX upload_token ON upload (token) WHERE token <> 0;\n"},
      // What was here before counts from now on: nobody noted it.
      {177, "when a file was last asked for",
       "ALTER TABLE symbol_file ADD COLUMN asked_at BIGINT NOT NULL DEFAULT 0;\n"
       "UPDATE symbol_file SET asked_at = {{now}};\n"},
      // With the rest of the table in it, SQLite took it for the way to one file's keys.
      {178, "only what expires is listed by when it does",
       "DROP INDEX symbol_key_expires;\n"
       "CREATE INDEX symbol_key_expires ON symbol_key (expires_at) WHERE is_try = 1;\n"},
      // Rows of a table, then of those that are equal in an index's first column, first two, … .
      // Without them SQLite takes any column for one that tells ten rows from the rest, a kind too.
      // They stay as they are, so that a statement's plan is the same at every place.
      {179, "how well the columns of keys and digests tell rows apart",
       "ANALYZE sqlite_schema;\n"
       "DELETE FROM sqlite_stat1 WHERE tbl IN ('symbol_key', 'file_digest');\n"
       "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES\n"
       "  ('symbol_key', 'sqlite_autoindex_symbol_key_1', '1000000 250000 2 2 1 1 1'),\n"
       "  ('symbol_key', 'symbol_key_file', '1000000 3'),\n"
       "  ('symbol_key', 'symbol_key_project', '500000 50000 3'),\n"
       "  ('symbol_key', 'symbol_key_expires', '50000 10'),\n"
       "  ('file_digest', 'sqlite_autoindex_file_digest_1', '1000000 500000 1 1'),\n"
       "  ('file_digest', 'file_digest_file', '1000000 2');\n"
       "ANALYZE sqlite_schema;\n",
       db::Engine::sqlite},
  };
  return list;
}

}  // namespace store
