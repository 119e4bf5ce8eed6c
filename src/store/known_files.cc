// Uploads::find_known(): what need not be sent. Asked by content and by where it shall be found,
// since the same content under a second name may be out of reach there. And when it was last
// brought, since who was told that it need not be sent counts on it as who has sent it.
#include <algorithm>
#include <map>

#include "base/text.h"
#include "ident/paths.h"
#include "store/file_rows.h"
#include "store/ownership.h"
#include "store/transactions.h"
#include "store/uploads.h"

namespace store {

using base::Result;
using db::Row;
using db::Rows;
using db::Session;
using db::Value;
using ident::KeyKind;
using ident::SymbolKey;

namespace {

constexpr std::size_t kAtOnce = 200;

struct Known {
  FileRecord file;
  std::vector<SymbolKey> keys;  // of the scope
};
using KnownByHash = std::map<std::string, Known, std::less<>>;

bool answers(const SymbolKey& wanted, const SymbolKey& key) {
  return wanted.kind == key.kind && wanted.id == key.id &&
         (wanted.id_is_unique() || wanted.name == key.name);
}

// Where a file names itself, its name matters only if one of its ids means nothing without it.
bool is_found_by_name(const Known& known, std::string_view name) {
  if (known.file.format == "breakpad_sym") return true;  // goes by its module's name
  const std::string wanted = base::lower_ascii(name);
  bool needs_name = false;
  for (const SymbolKey& key : known.keys) {
    if (key.kind == KeyKind::path || key.id_is_unique()) continue;
    if (key.name == wanted) return true;
    needs_name = true;
  }
  return !needs_name;
}

bool is_found_at(const Known& known, const std::string& path) {
  if (path.empty()) return true;
  const auto where = ident::find_store_path(path);
  if (!where) return is_found_by_name(known, path);
  const ident::SymbolRequest request = ident::request_of(*where);
  return std::any_of(request.keys.begin(), request.keys.end(), [&](const SymbolKey& wanted) {
    return std::any_of(known.keys.begin(), known.keys.end(),
                       [&](const SymbolKey& key) { return answers(wanted, key); });
  });
}

// The contents among asked[at, end) that are kept and that some key of the scope names.
Result<KnownByHash> load_known(Session& session, const std::vector<AskedFile>& asked,
                               std::size_t at, std::size_t end, const ident::Scope& scope) {
  std::string list;
  std::vector<Value> values;
  for (std::size_t i = at; i < end; ++i) {
    list += list.empty() ? "?" : ", ?";
    values.emplace_back(asked[i].sha256);
  }
  const std::string keys = " k.project = ? AND k.is_try <= ?";
  values.emplace_back(scope.project);
  values.emplace_back(std::int64_t{scope.include_try ? 1 : 0});
  const Condition kept = is_kept(scope);
  std::vector<Value> all = values;
  all.insert(all.end(), kept.values.begin(), kept.values.end());
  const Rows files = TRY(session.query(
      "SELECT " + std::string(kFileColumns) + " FROM symbol_file f WHERE f.sha256 IN (" + list +
          ") AND EXISTS (SELECT 1 FROM symbol_key k WHERE k.file = f.id AND" + keys + ") AND " +
          kept.sql,
      all));
  KnownByHash known;
  for (const Row& row : files) {
    FileRecord file = file_of(row);
    std::string hash = file.sha256.hex();
    known[std::move(hash)].file = std::move(file);
  }
  // Units of split DWARF have keys by the thousand, and none that a name or a path needs.
  const Rows rows = TRY(session.query(
      "SELECT f.sha256, k.kind, k.name, k.id FROM symbol_key k JOIN symbol_file f ON f.id = k.file "
      "WHERE f.sha256 IN (" +
          list + ") AND" + keys + " AND k.kind NOT IN ('dwo_id', 'skeleton')",
      values));
  for (const Row& row : rows) {
    const auto found = known.find(row.text(0));
    const auto kind = ident::find_key_kind(row.text(1));
    if (found == known.end() || !kind) continue;
    found->second.keys.push_back({*kind, row.text(2), row.text(3)});
  }
  return known;
}

}  // namespace

Result<std::vector<std::optional<FileRecord>>> Uploads::find_known(
    const std::vector<AskedFile>& asked, const ident::Scope& scope) {
  std::vector<std::optional<FileRecord>> found;
  TRY(database_.read([&](Session& session) -> Result<void> {
    found.assign(asked.size(), std::nullopt);
    for (std::size_t at = 0; at < asked.size(); at += kAtOnce) {
      const std::size_t end = std::min(asked.size(), at + kAtOnce);
      const KnownByHash known = TRY(load_known(session, asked, at, end, scope));
      for (std::size_t i = at; i < end; ++i) {
        const auto here = known.find(asked[i].sha256);
        if (here == known.end() || !is_found_at(here->second, asked[i].path)) continue;
        found[i] = here->second.file;
      }
    }
    return {};
  }));
  return found;
}

Result<std::set<std::int64_t>> Uploads::brought_since(const std::vector<std::int64_t>& files,
                                                      const ident::Scope& scope, base::Time since) {
  std::set<std::int64_t> brought;
  TRY(database_.read([&](Session& session) -> Result<void> {
    brought.clear();
    for (std::size_t at = 0; at < files.size(); at += kAtOnce) {
      std::string list;
      std::vector<Value> values;
      for (std::size_t i = at; i < std::min(files.size(), at + kAtOnce); ++i) {
        list += list.empty() ? "?" : ", ?";
        values.emplace_back(files[i]);
      }
      values.insert(values.end(), {scope.project, std::int64_t{scope.include_try ? 1 : 0}, since.us,
                                   std::string(kTransactionWay)});
      const Rows rows = TRY(session.query(
          "SELECT DISTINCT f.id FROM symbol_file f JOIN upload_file u ON u.file = f.id AND "
          "u.sha256 = f.sha256 JOIN upload o ON o.id = u.upload WHERE f.id IN (" +
              list + ") AND o.project = ? AND o.is_try <= ? AND o.created_at >= ? AND o.way <> ?",
          values));
      for (const Row& row : rows) brought.insert(row.integer(0));
    }
    return {};
  }));
  return brought;
}

}  // namespace store
