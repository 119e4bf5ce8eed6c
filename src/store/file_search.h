// Which files with a build id we have: by name, by a pattern for the name, or by build id. For
// people and tools that look for files, not for those that serve one (store/catalog.h).
// The name of a watched file is its path, that of a member its path in the package, that of an
// upload the name it was brought under. Files of one project; watched ones are the default one's.
// A search reads everything that could match: it stops when its time is over or the answer is
// full, and says so.
// Any thread may call; calls block. Fails with unavailable (database) or internal.
// Format: docs/protocols/debuginfod.md
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "ident/scope.h"

namespace store {

struct FileSearch {
  enum class By : std::uint8_t { name, pattern, build_id };
  By by = By::name;
  std::string value;
  ident::Scope scope;
};
std::optional<FileSearch::By> find_search_key(std::string_view word);  // file, glob, buildid

struct FoundFile {
  std::string build_id;
  std::string name;
  std::string archive;  // "": it lies by itself
  bool has_code = false;
  bool has_debug = false;  // or at least a symbol table
};

struct SearchResult {
  std::vector<FoundFile> files;
  bool complete = true;
};

constexpr std::size_t kFoundFilesMax = 100'000;

base::Result<SearchResult> search_files(db::Database& database, const FileSearch& search,
                                        std::chrono::steady_clock::time_point deadline);

// As a shell does, but that '*' and '?' match a slash, too: * ? [a-z] [^a-z].
bool fits_pattern(std::string_view name, std::string_view pattern);

}  // namespace store
