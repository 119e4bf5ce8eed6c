#include "server/symbol_cache_wiring.h"

#include <unistd.h>

#include <chrono>
#include <memory>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "supply/derived_files.h"
#include "supply/symbol_maps.h"

namespace server {

using ident::Artifact;
using store::Container;

namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr int kRoundsMax = 3;

class Cache {
 public:
  explicit Cache(SymbolCacheRooms rooms) : rooms_(std::move(rooms)) {}

  bool exists(const std::string& name, const std::string& id) {
    for (const Kept& kept : kept_of(name, id)) {
      if (rooms_.copies.has(kept.file.sha256) || base::file_exists(index_of(kept.file))) {
        return true;
      }
    }
    return false;
  }

  // What is not told by the catalogue any more is asked for anew.
  bool evict(const std::string& name, const std::string& id) {
    for (const Kept& kept : kept_of(name, id)) {
      const std::string index = index_of(kept.file);
      ::unlink(index.c_str());
      if (rooms_.removed) rooms_.removed(index);
      const auto gone = rooms_.containers.remove(kept.containers);
      if (!gone.ok()) {
        base::log::error("{}/{} stays in the cache: {}", name, id, gone.error().what);
        return false;
      }
      for (const base::Sha256& content : *gone) rooms_.copies.remove(content);
    }
    return !exists(name, id);
  }

  void get(const std::string& name, const std::string& id, const api::SymbolCache::Told& told) {
    const ident::SymbolRequest module = supply::SymbolMaps::request_for(name, id, {});
    if (module.keys.empty()) return told("");
    // A text with the same id may be another module's: whether it is this one's, the index says.
    rooms_.supply.want({module}, deadline(), [this, module, told] {
      const supply::Found index = rooms_.supply.local(module, supply::Needs::path);
      const bool is_missing = index.state() == supply::Found::State::missing;
      if (is_missing && index.miss().fault == base::Fault::not_found) return told("");
      ident::SymbolRequest text = module;
      text.artifact = Artifact::sym;
      get(text, told, kRoundsMax);
    });
  }

 private:
  static std::chrono::steady_clock::time_point deadline() {
    return std::chrono::steady_clock::now() + kPatience;
  }

  // One that is remembered may have gone from the disk to make room for others: it is brought
  // again.
  void get(const ident::SymbolRequest& text, const api::SymbolCache::Told& told, int rounds) {
    rooms_.supply.want({text}, deadline(), [this, text, told, rounds] {
      const supply::Found found = rooms_.supply.local(text);
      if (!found.here()) return told("");
      const std::string path = found.file()->path;
      if (base::file_exists(path)) return told(path);
      if (rounds == 0) return told("");
      rooms_.supply.refresh(text);
      get(text, told, rounds - 1);
    });
  }

  struct Kept {
    store::FileRecord file;
    std::vector<std::int64_t> containers;
  };

  // A module is found by its id, whatever name it goes by; a cache has it under its own.
  static bool is_of_another_name(const ident::SymbolKey& key, std::string_view name) {
    return key.kind == ident::KeyKind::debug_id && !key.name.empty() &&
           !base::equal_ignoring_case(key.name, name);
  }

  // The module's files that came from other servers; from directories of this machine not.
  std::vector<Kept> kept_of(const std::string& name, const std::string& id) {
    const ident::SymbolRequest request = supply::SymbolMaps::request_for(name, id, {});
    const auto rows = rooms_.catalog.find(request.keys, request.scope);
    std::vector<Kept> kept;
    if (!rows.ok()) return kept;
    for (const std::vector<store::Found>& of_key : *rows) {
      for (const store::Found& row : of_key) {
        if (is_of_another_name(row.key.key, name)) continue;
        Kept one{row.file, containers_of(row.file.sha256)};
        if (!one.containers.empty()) kept.push_back(std::move(one));
      }
    }
    return kept;
  }

  std::vector<std::int64_t> containers_of(const base::Sha256& content) {
    std::vector<std::int64_t> ids;
    const auto origins = rooms_.containers.origins_of(content);
    if (!origins.ok()) return ids;
    for (const store::Origin& origin : *origins) {
      const Container& container = origin.container;
      const bool is_local =
          store::place_of_upstream_container(container.path, container.project).starts_with('/');
      if (container.kind == Container::Kind::upstream && !is_local) ids.push_back(container.id);
    }
    return ids;
  }

  std::string index_of(const store::FileRecord& file) const {
    supply::Sources sources;
    sources.sym = file;
    return supply::DerivedFiles::index_path(rooms_.index, sources);
  }

  const SymbolCacheRooms rooms_;
};

}  // namespace

api::SymbolCache symbol_cache(const SymbolCacheRooms& rooms) {
  const auto cache = std::make_shared<Cache>(rooms);
  api::SymbolCache actions;
  actions.is_there = [&catalog = rooms.catalog] { return catalog.check_alive().ok(); };
  actions.exists = [cache](const std::string& name, const std::string& id) {
    return cache->exists(name, id);
  };
  actions.evict = [cache](const std::string& name, const std::string& id) {
    return cache->evict(name, id);
  };
  actions.get = [cache](const std::string& name, const std::string& id,
                        const api::SymbolCache::Told& told) {
    cache->get(name, id, [cache, told](const std::string& path) { told(path); });
  };
  return actions;
}

}  // namespace server
