// The files that we have, for people who look after them: the newest, those whose name begins so,
// or those that an id finds; of every project, with their keys and with what holds them. Page by
// page, and each page from indexes, whatever there is besides.
// Not what serves a file (catalog.h), nor debuginfod's search by patterns (file_search.h). Where
// watched and fetched files lie, Containers::origins_of() says.
// Any thread may call; calls block. Fails with malformed (no id), unavailable (database) or
// internal.
// Format: docs/formats/data-directory.md
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "store/catalog.h"

namespace store {

struct FileQuery {
  enum class By : std::uint8_t { newest, name, key };
  By by = By::newest;
  // How the name begins, in any case; or a SHA-256, an id, NAME/ID/FILE (key_text.h).
  std::string text;
  // Where the page before ended: the id of its last file and, by name, its name. 0: the first page.
  std::int64_t after = 0;
  std::string after_name;
  std::uint64_t limit = 100;
};

struct ScopedKey {
  KeyRecord record;
  std::string project;
};

constexpr std::size_t kKeysOfAFileMax = 24;  // that are told of one file

struct FileKeys {
  std::vector<ScopedKey> keys;  // by project; the first of them, when there are too many
  std::uint64_t all = 0;
};

struct ListedFile {
  FileRecord file;
  FileKeys keys;
  std::uint64_t uploads = 0;  // that brought it
  std::int64_t last_upload = 0;
  std::uint64_t transactions = 0;  // that hold it
};

struct FilePage {
  std::vector<ListedFile> files;
  bool has_more = false;
};

base::Result<FilePage> list_files(db::Database& database, const FileQuery& query);

// For each of these rows the keys that it has in that scope itself; none of rows that are gone.
base::Result<std::vector<FileKeys>> keys_of(db::Database& database,
                                            const std::vector<std::int64_t>& files,
                                            const ident::Scope& scope);

}  // namespace store
