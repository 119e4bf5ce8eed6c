#include "store/file_search.h"

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace store {

using base::Result;
using db::Row;
using db::Rows;
using db::Session;
using db::Value;

namespace {

constexpr std::int64_t kPortion = 5'000;

// Files in containers, those that an uploaded package brought, and those that came by themselves.
// Each asks for what comes after an id, so that a long search can be stopped between portions.
constexpr std::string_view kWatched =
    "SELECT f.id, k.id, m.member, c.path, c.kind, f.has_code, f.has_debug, f.has_symbols "
    "FROM symbol_file f JOIN container_file m ON m.file = f.id "
    "JOIN container c ON c.id = m.container "
    "JOIN symbol_key k ON k.file = f.id AND k.kind = 'build_id' AND k.project = ? "
    "AND k.is_try <= ? ";
constexpr std::string_view kPackaged =
    "SELECT f.id, k.id, u.member, o.file_name, 'package', f.has_code, f.has_debug, f.has_symbols "
    "FROM symbol_file f "
    "JOIN symbol_key k ON k.file = f.id AND k.kind = 'build_id' AND k.project = ? "
    "AND k.is_try <= ? "
    "JOIN upload_file u ON u.file = f.id AND u.sha256 = f.sha256 AND u.member <> '' "
    "JOIN upload o ON o.id = u.upload AND o.project = k.project AND o.is_try = k.is_try ";
constexpr std::string_view kUploaded =
    "SELECT f.id, k.id, f.name, '', 'upload', f.has_code, f.has_debug, f.has_symbols "
    "FROM symbol_file f "
    "JOIN symbol_key k ON k.file = f.id AND k.kind = 'build_id' AND k.project = ? "
    "AND k.is_try <= ? ";
constexpr std::string_view kNotWatched =
    "AND NOT EXISTS (SELECT 1 FROM container_file m WHERE m.file = f.id) ";
constexpr std::string_view kNotPackaged =
    "AND NOT EXISTS (SELECT 1 FROM upload_file u JOIN upload o ON o.id = u.upload WHERE "
    "u.file = f.id AND u.sha256 = f.sha256 AND u.member <> '' AND o.project = k.project "
    "AND o.is_try = k.is_try) ";

FoundFile found_of(const Row& row) {
  FoundFile found;
  found.build_id = row.text(1);
  const bool is_package = row.text(4) == "package";
  found.name = row.text(4) == "file" ? row.text(3) : row.text(2);
  if (is_package) found.archive = row.text(3);
  found.has_code = row.integer(5) != 0;
  found.has_debug = row.integer(6) != 0 || row.integer(7) != 0;
  return found;
}

bool fits(const FileSearch& search, const FoundFile& file) {
  switch (search.by) {
    case FileSearch::By::name:
      return file.name == search.value;
    case FileSearch::By::pattern:
      return fits_pattern(file.name, search.value);
    case FileSearch::By::build_id:
      return file.build_id == search.value;
  }
  return false;
}

// What stands for kWatched's and kUploaded's question marks, and then `more`.
std::vector<Value> values_of(const FileSearch& search, std::initializer_list<Value> more) {
  std::vector<Value> values{search.scope.project,
                            static_cast<std::int64_t>(search.scope.include_try ? 1 : 0)};
  values.insert(values.end(), more);
  return values;
}

bool is_same(const FoundFile& a, const FoundFile& b) {
  return a.build_id == b.build_id && a.name == b.name && a.archive == b.archive;
}

// One build id: the index answers, whatever there is besides.
Result<void> add_by_build_id(Session& session, std::string_view sql, std::string_view rest,
                             const FileSearch& search, SearchResult& result) {
  const Rows rows =
      TRY(session.query(std::string(sql) + "WHERE k.id = ? " + std::string(rest) + "ORDER BY f.id",
                        values_of(search, {search.value})));
  for (const Row& row : rows) result.files.push_back(found_of(row));
  return {};
}

// All of them, a portion of files at a time.
Result<void> add_by_walking(Session& session, std::string_view sql, std::string_view rest,
                            const FileSearch& search,
                            std::chrono::steady_clock::time_point deadline, SearchResult& result) {
  const Rows ends = TRY(session.query("SELECT MAX(id) FROM symbol_file"));
  const std::int64_t last = ends.empty() ? 0 : ends.front().integer(0);
  for (std::int64_t from = 0; from < last; from += kPortion) {
    if (std::chrono::steady_clock::now() >= deadline || result.files.size() >= kFoundFilesMax) {
      result.complete = false;
      return {};
    }
    const Rows rows = TRY(session.query(
        std::string(sql) + "WHERE f.id > ? AND f.id <= ? " + std::string(rest) + "ORDER BY f.id",
        values_of(search, {from, from + kPortion})));
    for (const Row& row : rows) {
      FoundFile found = found_of(row);
      if (fits(search, found)) result.files.push_back(std::move(found));
    }
  }
  return {};
}

// The characters of "[a-z]"; the end of the set in the pattern, or npos when it is not closed.
std::size_t match_set(std::string_view pattern, std::size_t at, char c, bool& fits) {
  std::size_t i = at + 1;
  const bool inverted = i < pattern.size() && pattern[i] == '^';
  if (inverted) ++i;
  bool in_set = false;
  for (bool first = true; i < pattern.size(); first = false) {
    if (pattern[i] == ']' && !first) {
      fits = in_set != inverted;
      return i + 1;
    }
    if (i + 2 < pattern.size() && pattern[i + 1] == '-' && pattern[i + 2] != ']') {
      in_set = in_set || (pattern[i] <= c && c <= pattern[i + 2]);
      i += 3;
    } else {
      in_set = in_set || pattern[i] == c;
      ++i;
    }
  }
  return std::string_view::npos;
}

}  // namespace

// With one step back to the last '*': never more than name × pattern steps.
bool fits_pattern(std::string_view name, std::string_view pattern) {
  std::size_t n = 0;
  std::size_t p = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_name = 0;
  while (n < name.size()) {
    bool fits = false;
    std::size_t next = p + 1;
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
      continue;
    }
    if (p < pattern.size()) {
      if (pattern[p] == '[') {
        next = match_set(pattern, p, name[n], fits);
        if (next == std::string_view::npos) return false;
      } else {
        fits = pattern[p] == '?' || pattern[p] == name[n];
      }
    }
    if (fits) {
      p = next;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', std::min(p, pattern.size())) == std::string_view::npos;
}

std::optional<FileSearch::By> find_search_key(std::string_view word) {
  if (word == "file") return FileSearch::By::name;
  if (word == "glob") return FileSearch::By::pattern;
  if (word == "buildid") return FileSearch::By::build_id;
  return std::nullopt;
}

Result<SearchResult> search_files(db::Database& database, const FileSearch& search,
                                  std::chrono::steady_clock::time_point deadline) {
  SearchResult result;
  TRY(database.read([&](Session& session) -> Result<void> {
    result = {};
    // Where a watched file lies is nothing to another project that has the same bytes.
    const bool sees_watched = search.scope.project.empty();
    const std::string rest =
        std::string(sees_watched ? kNotWatched : "") + std::string(kNotPackaged);
    if (search.by == FileSearch::By::build_id) {
      FileSearch lower = search;
      lower.value = base::lower_ascii(search.value);
      if (sees_watched) TRY(add_by_build_id(session, kWatched, "", lower, result));
      TRY(add_by_build_id(session, kPackaged, "", lower, result));
      return add_by_build_id(session, kUploaded, rest, lower, result);
    }
    if (sees_watched) TRY(add_by_walking(session, kWatched, "", search, deadline, result));
    TRY(add_by_walking(session, kPackaged, "", search, deadline, result));
    return add_by_walking(session, kUploaded, rest, search, deadline, result);
  }));
  // A file has its build id under each of its names.
  std::sort(result.files.begin(), result.files.end(), [](const FoundFile& a, const FoundFile& b) {
    return std::tie(a.name, a.archive, a.build_id) < std::tie(b.name, b.archive, b.build_id);
  });
  result.files.erase(std::unique(result.files.begin(), result.files.end(), is_same),
                     result.files.end());
  return result;
}

}  // namespace store
