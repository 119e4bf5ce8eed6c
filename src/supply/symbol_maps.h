// The open symbol indexes of modules, for who looks up addresses: asked by the name and id of a
// debug file, as profilers and crash reports name modules.
// Not the making of indexes: Supply does that; this opens what it has made, once, and keeps what is
// used. The files are mapped, so all processes of a machine share their pages; what a map costs
// besides is counted (symbols/map_memory.h): its tables, the texts that its answers needed, and
// what it takes to keep it here. The least recently used are let go when all together pass a bound;
// a map that is let go lives on while somebody holds it.
// An upload needs no invalidation here: Supply then names another file. Who removes files to make
// room says so. A file that turns out to be damaged, when it is opened or by a lookup, is removed,
// and made again by who asks next; so is one that somebody cut short while it was open.
// local() is for network loops: memory only, but for a look at the size of a mapped file once a
// second, which the kernel has in memory while it is mapped. open() touches the disk, wait_for()
// blocks. Any thread may call.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/lost_pages.h"
#include "ident/paths.h"
#include "supply/supply.h"
#include "symbols/map.h"

namespace supply {

class SymbolMaps {
 public:
  struct Options {
    std::uint64_t memory_max = 512ull << 20;
    std::size_t count_max = 8192;  // each is a mapping, of which a process has 65 530
    // Told of each use of an index file. Null: nobody needs to know.
    std::function<void(const std::string& path)> used = nullptr;
  };
  SymbolMaps(Supply& supply, Options options) : supply_(supply), options_(std::move(options)) {}
  SymbolMaps(const SymbolMaps&) = delete;
  SymbolMaps& operator=(const SymbolMaps&) = delete;

  struct Answer {
    enum class State : std::uint8_t {
      unknown,  // ask Supply for request_for() first
      closed,   // there is an index: open() it
      open,
      missing,
    };
    State state = State::unknown;
    std::shared_ptr<const symbols::Map> map;  // when open
    base::Error miss;                         // when missing
  };
  // `name` and `id` as a client spelled them; what can be no module's is missing.
  Answer local(std::string_view name, std::string_view id, const ident::Scope& scope);
  Answer open(std::string_view name, std::string_view id, const ident::Scope& scope);
  // The same for who has a request for an index, which may be one without a name.
  Answer open(const ident::SymbolRequest& request);
  // Until it is open. Fails as Supply does; with timed_out when the deadline has come first.
  base::Result<std::shared_ptr<const symbols::Map>> wait_for(const ident::SymbolRequest& request,
                                                             Supply::Clock::time_point deadline);
  // What to want of Supply. REQUIRES: local() said unknown.
  static ident::SymbolRequest request_for(std::string_view name, std::string_view id,
                                          const ident::Scope& scope);

  // The file was removed: lets go of its map, which keeps its room on the disk.
  void removed(const std::string& path);

  struct Counts {
    std::uint64_t opened = 0, hits = 0, let_go = 0;
    // Now; `memory` is of the open ones, `lent` of those that were let go of and are still in use.
    std::uint64_t open = 0, memory = 0, lent = 0;
  };
  Counts counts() const;

 private:
  using Map = std::shared_ptr<const symbols::Map>;
  struct Entry {
    std::string path;
    Map map;
    std::uint64_t cost = 0;  // of keeping it here, beside what it costs itself
    std::chrono::steady_clock::time_point looked_at;
    bool is_cut = false;  // the file is not as long as it was
  };
  using Entries = std::list<Entry>;  // the most recently used first

  Found find(std::string_view name, std::string_view id, const ident::Scope& scope);
  Answer answer_of(const Found& found);
  Answer open_file(const std::string& path, const ident::SymbolRequest& request);
  Map find_open(const std::string& path);
  std::uint64_t removals() const;
  Map keep(const std::string& path, Map map, std::uint64_t removals);
  static bool is_sound(Entry& entry);
  static std::uint64_t cost_of(const std::string& path, const symbols::Map& map);
  // Whether the open map of that path has met damage: it is let go of.
  bool take_damaged(const std::string& path);
  // Who cut a file short is not told: all are opened again. REQUIRES: mutex_ held
  void let_go_if_pages_were_lost();
  void forget(Entries::iterator entry);  // REQUIRES: mutex_ held
  std::uint64_t memory() const;          // REQUIRES: mutex_ held
  void let_go();                         // REQUIRES: mutex_ held

  Supply& supply_;
  const Options options_;
  const std::shared_ptr<symbols::MapMemory> maps_memory_ = std::make_shared<symbols::MapMemory>();
  mutable std::mutex mutex_;
  // All guarded by mutex_.
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_path_;  // views of Entry::path
  std::uint64_t cost_ = 0;                                           // of all entries
  Counts counts_;                                                    // but for memory and lent
  std::uint64_t removals_ = 0;
  std::uint64_t lost_pages_ = base::lost_pages();
};

}  // namespace supply
