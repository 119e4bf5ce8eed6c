#include "upkeep/purge.h"

#include <algorithm>
#include <set>
#include <shared_mutex>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "store/audit_rows.h"
#include "store/content_rows.h"
#include "store/key_text.h"
#include "upkeep/derived.h"

namespace upkeep {

using base::Error;
using base::Fault;
using base::Result;
using base::Sha256;
using db::Row;
using db::Rows;
using db::Session;

namespace {

// The contents that a key names, in whatever project.
Result<std::vector<Sha256>> find_by_key(Session& session, std::string_view key) {
  const store::Condition called = TRY(store::is_key_called(key));
  const Rows rows =
      TRY(session.query("SELECT DISTINCT f.sha256 FROM symbol_key k JOIN symbol_file f "
                        "ON f.id = k.file WHERE " +
                            called.sql + " ORDER BY f.sha256",
                        called.values));
  std::vector<Sha256> contents;
  for (const Row& row : rows) {
    if (const auto hash = store::find_sha256(row.text(0))) contents.push_back(*hash);
  }
  return contents;
}

Result<std::vector<Sha256>> find_contents(House& house, std::string_view what) {
  const std::string lower = base::lower_ascii(base::trim(what));
  if (const auto hash = store::find_sha256(lower)) return std::vector<Sha256>{*hash};
  if (lower.empty()) return Error{Fault::malformed, "purge what? a SHA-256, an id or NAME/ID/FILE"};
  std::vector<Sha256> contents;
  TRY(house.database.read([&](Session& session) -> Result<void> {
    contents = TRY(find_by_key(session, lower));
    return {};
  }));
  if (contents.empty()) return Error{Fault::not_found, "nothing here has the key " + lower};
  return contents;
}

// What is here of it, and the ids that its derived files are of.
Result<Purged> describe(House& house, const Sha256& content, std::set<std::string>& ids) {
  Purged purged;
  purged.sha256 = content;
  TRY(house.database.read([&](Session& session) -> Result<void> {
    const auto row = TRY(store::find_content(session, content));
    if (!row) return {};
    purged.was_here = true;
    purged.name = row->name;
    purged.size = row->size;
    const Rows keys = TRY(session.query("SELECT id FROM symbol_key WHERE file = ?", {row->id}));
    purged.keys = keys.size();
    for (const Row& key : keys) ids.insert(key.text(0));
    return {};
  }));
  if (purged.was_here) return purged;
  // Purged before, perhaps where nobody knew of the trees.
  const auto stone = TRY(house.tombstones.find_stone(content));
  if (stone) {
    purged.name = stone->name;
    purged.size = stone->size;
  }
  return purged;
}

// The keepers that name it: one that keeps its rows must let it go first.
Result<std::vector<const Keeper*>> keepers_of(House& house, const Sha256& content) {
  std::vector<const Keeper*> found;
  for (const Keeper& keeper : house.keepers) {
    bool names_it = false;
    TRY(keeper.list([&](const Sha256& hash) { names_it = names_it || hash == content; }));
    if (!names_it) continue;
    if (!keeper.drop) {
      return Error{Fault::denied,
                   content.hex() + " is " + keeper.what + " as well, which holds it"};
    }
    found.push_back(&keeper);
  }
  return found;
}

// An upload in parts is called by its hash, and perhaps by its project.
Result<void> drop_unfinished(const std::string& data, const Sha256& content) {
  const auto paths = base::list_files(base::join_path(data, "partial"));
  if (!paths.ok()) return {};  // not there yet
  for (const std::string& path : *paths) {
    if (base::basename_of(path).starts_with(content.hex())) TRY(base::remove_file(path));
  }
  return {};
}

Result<void> take_away(House& house, const Purged& purged,
                       const std::vector<const Keeper*>& keepers, const store::Actor& actor) {
  const Sha256& content = purged.sha256;
  std::vector<std::string> ids;
  {
    // Nobody is between a blob and its row now, and nobody puts the content from here on.
    const std::unique_lock alone(house.blobs.in_use());
    TRY(house.database.write([&](Session& session) -> Result<void> {
      ids.clear();
      TRY(store::Tombstones::put(session,
                                 {content, base::now(), actor.name, purged.name, purged.size}));
      TRY(store::drop_content(session, content, ids));
      return store::record_audit(session, actor, "purge", content.hex() + " " + purged.name);
    }));
    house.tombstones.remember(content);
    TRY(house.tombstones.reload());
    for (const Keeper* keeper : keepers) TRY(keeper->drop(content));
    if (house.blobs.has(content)) TRY(house.blobs.remove(content));
    if (house.drop_copy) house.drop_copy(content);
  }
  house.catalog.announce_removed(ids);
  return drop_unfinished(house.data, content);
}

}  // namespace

Result<std::vector<Purged>> purge(House& house, std::string_view what, Doing doing,
                                  const store::Actor& actor) {
  const std::vector<Sha256> contents = TRY(find_contents(house, what));
  std::vector<Purged> all;
  for (const Sha256& content : contents) {
    std::set<std::string> ids;
    Purged purged = TRY(describe(house, content, ids));
    const auto keepers = TRY(keepers_of(house, content));
    purged.was_here = purged.was_here || !keepers.empty() || house.blobs.has(content);
    if (doing == Doing::in_earnest) TRY(take_away(house, purged, keepers, actor));
    const std::vector<std::string> derived = TRY(find_derived(house.data, content, ids));
    purged.derived = derived.size();
    for (const std::string& path : derived) {
      if (doing == Doing::for_show) continue;
      auto removed = base::remove_file(path);
      if (!removed.ok() && removed.error().fault != Fault::not_found) return removed.error();
    }
    if (house.drop_from_trees && purged.size != 0) {
      purged.copies = TRY(house.drop_from_trees(content, purged.size, doing == Doing::for_show));
    }
    all.push_back(std::move(purged));
  }
  return all;
}

std::string json_of(const std::vector<Purged>& purged, Doing doing) {
  base::JsonWriter out;
  out.begin_object().key("dry_run").boolean(doing == Doing::for_show);
  out.key("contents").begin_array();
  for (const Purged& one : purged) {
    out.begin_object().key("sha256").string(one.sha256.hex()).key("name").string(one.name);
    out.key("size").unsigned_integer(one.size).key("was_here").boolean(one.was_here);
    out.key("keys").unsigned_integer(one.keys);
    out.key("derived").unsigned_integer(one.derived);
    out.key("copies").unsigned_integer(one.copies).end_object();
  }
  out.end_array().end_object();
  return out.take();
}

std::string json_of(const std::vector<store::Tombstone>& stones) {
  base::JsonWriter out;
  out.begin_object().key("purged").begin_array();
  for (const store::Tombstone& stone : stones) {
    out.begin_object().key("sha256").string(stone.sha256.hex()).key("name").string(stone.name);
    out.key("size").unsigned_integer(stone.size).key("actor").string(stone.actor);
    out.key("purged_at").string(base::iso8601(stone.purged_at)).end_object();
  }
  out.end_array().end_object();
  return out.take();
}

}  // namespace upkeep
