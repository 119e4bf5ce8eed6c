#include "store/file_rows.h"

#include "store/blobs.h"
#include "store/tombstones.h"
#include "store/values.h"

namespace store {

using base::Error;
using base::Fault;
using base::Result;
using db::Row;
using db::Rows;
using db::Session;
using db::Value;

FileRecord file_of(const Row& row, std::size_t first) {
  FileRecord file;
  file.id = row.integer(first);
  file.sha256 = find_sha256(row.text(first + 1)).value_or(base::Sha256{});
  file.size = static_cast<std::uint64_t>(row.integer(first + 2));
  file.format = row.text(first + 3);
  file.name = row.text(first + 4);
  file.os = row.text(first + 5);
  file.arch = row.text(first + 6);
  file.debug_id = row.text(first + 7);
  file.code_id = row.text(first + 8);
  file.has_debug = row.integer(first + 9) != 0;
  file.has_symbols = row.integer(first + 10) != 0;
  file.has_code = row.integer(first + 11) != 0;
  file.added_at = {row.integer(first + 12)};
  return file;
}

// The same bytes may be read by a version that knows more about them than the one that kept them
// first: what it knows is taken, what it does not know stays. Name and time are the first ones.
Result<std::int64_t> keep_file(Session& session, const FileRecord& file) {
  const std::string hex = file.sha256.hex();
  TRY(session.execute(
      "INSERT INTO symbol_file (sha256, size, format, name, os, arch, debug_id, code_id, "
      "has_debug, has_symbols, has_code, added_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (sha256) DO UPDATE SET format = excluded.format, "
      "os = COALESCE(NULLIF(excluded.os, ''), symbol_file.os), "
      "arch = COALESCE(NULLIF(excluded.arch, ''), symbol_file.arch), "
      "debug_id = COALESCE(NULLIF(excluded.debug_id, ''), symbol_file.debug_id), "
      "code_id = COALESCE(NULLIF(excluded.code_id, ''), symbol_file.code_id), "
      "has_debug = excluded.has_debug, has_symbols = excluded.has_symbols, "
      "has_code = excluded.has_code "
      "WHERE excluded.format <> '' AND (symbol_file.format <> excluded.format "
      "OR symbol_file.os <> excluded.os OR symbol_file.arch <> excluded.arch "
      "OR symbol_file.debug_id <> excluded.debug_id OR symbol_file.code_id <> excluded.code_id "
      "OR symbol_file.has_debug <> excluded.has_debug "
      "OR symbol_file.has_symbols <> excluded.has_symbols "
      "OR symbol_file.has_code <> excluded.has_code)",
      {hex, number(file.size), file.format, file.name, file.os, file.arch, file.debug_id,
       file.code_id, flag(file.has_debug), flag(file.has_symbols), flag(file.has_code),
       file.added_at.us}));
  const Rows rows =
      TRY(session.query("SELECT f.id, CASE WHEN EXISTS (SELECT 1 FROM purged_content p WHERE "
                        "p.sha256 = f.sha256) THEN 1 ELSE 0 END FROM symbol_file f "
                        "WHERE f.sha256 = ?",
                        {hex}));
  if (rows.empty()) return Error{Fault::internal, "symbol_file lost the row of " + hex};
  if (rows.front().integer(1) != 0) return purged_error(file.sha256);
  return rows.front().integer(0);
}

}  // namespace store
