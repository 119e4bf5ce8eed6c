#include "ingest/companions.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "ident/debug_id.h"

namespace ingest {

using base::Result;
using ident::KeyKind;
using ident::SymbolKey;
using store::KeyRecord;
using store::NewFile;

namespace {

// The smallest ids of a kind, without names.
std::vector<std::string> smallest_ids(const NewFile& file, KeyKind kind, std::size_t count_max) {
  std::set<std::string> ids;
  for (const KeyRecord& record : file.keys) {
    if (record.key.kind == kind) ids.insert(record.key.id);
  }
  std::vector<std::string> found(ids.begin(), ids.end());
  found.resize(std::min(found.size(), count_max));
  return found;
}

std::vector<SymbolKey> keys_of(KeyKind kind, const std::vector<std::string>& ids) {
  std::vector<SymbolKey> keys;
  keys.reserve(ids.size());
  for (const std::string& id : ids) keys.push_back(SymbolKey::from_text(kind, "", id));
  return keys;
}

void add_key(NewFile& file, SymbolKey key) {
  const bool known = std::any_of(file.keys.begin(), file.keys.end(),
                                 [&](const KeyRecord& record) { return record.key == key; });
  if (!known) file.keys.push_back({std::move(key), true});
}

// `code_id` of a row of an ELF file is its build id, "" when it has none.
void add_companions_ids(NewFile& package, const std::string& package_name,
                        const store::FileRecord& companion) {
  if (companion.format != "elf") return;
  if (!companion.code_id.empty()) {
    add_key(package, SymbolKey::from_text(KeyKind::build_id, package_name, companion.code_id));
  }
  if (const auto id = ident::DebugId::parse(companion.debug_id); id && !id->is_nil()) {
    add_key(package, SymbolKey::from_debug_id(package_name, *id));
  }
}

// Those of companions that are in the catalogue.
Result<void> add_ids_from_catalog(store::Catalog& catalog, const ident::Scope& scope,
                                  NewFile& package) {
  const std::string name = base::lower_ascii(package.file.name);
  const auto asked = smallest_ids(package, KeyKind::dwo_id, kMaxPackageKeys);
  const auto found = TRY(catalog.find(keys_of(KeyKind::skeleton, asked), scope));
  for (const auto& rows : found) {
    for (const store::Found& row : rows) add_companions_ids(package, name, row.file);
  }
  return {};
}

// A companion that was committed while the package was on its way found no package to join: its
// ids are added to the row that the package has now.
Result<void> join_committed_package(store::Catalog& catalog, const ident::Scope& scope,
                                    const NewFile& package) {
  NewFile late = package;
  TRY(add_ids_from_catalog(catalog, scope, late));
  if (late.keys.size() == package.keys.size()) return {};
  late.keys.erase(late.keys.begin(),
                  late.keys.begin() + static_cast<std::ptrdiff_t>(package.keys.size()));
  const auto asked = smallest_ids(package, KeyKind::dwo_id, 1);
  const auto found = TRY(catalog.find(keys_of(KeyKind::dwo_id, asked), scope));
  for (const store::Found& row : found.front()) {
    if (row.file.sha256 != package.file.sha256) continue;
    late.file = row.file;
    return catalog.add_keys(late, scope);
  }
  return {};
}

bool intersect(const std::vector<std::string>& sorted, const std::vector<std::string>& few) {
  return std::any_of(few.begin(), few.end(), [&](const std::string& id) {
    return std::binary_search(sorted.begin(), sorted.end(), id);
  });
}

}  // namespace

Result<void> join_packages(store::Catalog& catalog, const ident::Scope& scope,
                           std::vector<NewFile>& arriving) {
  for (NewFile& package : arriving) {
    if (package.file.format != "dwp") continue;
    const std::string name = base::lower_ascii(package.file.name);
    const auto units = smallest_ids(package, KeyKind::dwo_id, ~std::size_t{0});
    for (const NewFile& other : arriving) {
      if (intersect(units, smallest_ids(other, KeyKind::skeleton, kMaxSkeletonKeys))) {
        add_companions_ids(package, name, other.file);
      }
    }
    TRY(add_ids_from_catalog(catalog, scope, package));
  }
  return {};
}

Result<void> join_waiting_packages(store::Catalog& catalog, const ident::Scope& scope,
                                   const std::vector<NewFile>& arrived) {
  for (const NewFile& companion : arrived) {
    if (companion.file.format == "dwp") TRY(join_committed_package(catalog, scope, companion));
    if (companion.file.format != "elf") continue;
    const auto asked = smallest_ids(companion, KeyKind::skeleton, kMaxSkeletonKeys);
    if (asked.empty()) continue;
    std::set<std::int64_t> done;
    const auto found = TRY(catalog.find(keys_of(KeyKind::dwo_id, asked), scope));
    for (const auto& rows : found) {
      for (const store::Found& row : rows) {
        if (row.file.format != "dwp" || !done.insert(row.file.id).second) continue;
        NewFile package;
        package.file = row.file;
        add_companions_ids(package, base::lower_ascii(row.file.name), companion.file);
        // A try build gives nothing to what is no try build, nor takes from it.
        const bool same_kind = row.key.is_try == scope.include_try;
        if (same_kind && !package.keys.empty()) TRY(catalog.add_keys(package, scope));
      }
    }
  }
  return {};
}

}  // namespace ingest
