// The one question of this room: the bytes of this source file, please, of this module.
// The module's symbols must name the path; only then is it looked for, in this order: embedded in
// them, uploaded files and source bundles, configured directories, other providers (archives),
// other symbol servers, the web servers that the symbols name. A candidate that does not fit the
// checksum in the symbols is passed over. find() blocks; ask() does it on threads of its own. Any
// thread may call. The destructor finishes what was asked; REQUIRES that what the constructor is
// given outlives it. Fails with not_found (nobody has the symbols; they do not name the path;
// nobody has the file: `what` says which), denied, too_large, timed_out, unavailable or internal.
// Protocol: docs/protocols/sources.md
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/pool.h"
#include "base/units.h"
#include "ident/paths.h"
#include "sources/bundles.h"
#include "sources/named_lists.h"
#include "sources/roots.h"
#include "sources/uploaded.h"
#include "sources/web.h"
#include "supply/supply.h"
#include "supply/symbol_maps.h"

namespace sources {

struct Question {
  // Which files may name the path, in the order to try: by build id, by debug id.
  std::vector<ident::SymbolRequest> symbols;
  std::string path;
  // When given, the symbols must name the path for this very address (as symbolication told it).
  std::optional<base::Rva> address;
  std::optional<ident::SymbolRequest> index;  // to look the address up
};

struct Source {
  std::string bytes;
  std::string path;  // as the symbols spell it
  // "embedded", "upload", "bundle", "directory", "archive", "upstream", "web"
  std::string_view origin;
  base::Time modified;       // 0 when not known
  bool is_verified = false;  // it fits the checksum in the symbols
};

// A file that the symbols name, as it is asked of a provider.
struct Named {
  const std::vector<std::string>& modules;  // all ids of the module, lower-case hex
  std::string_view path;                    // as the symbols spell it
  std::string_view checksum;                // sources/checksum.h; "" when not known
  const ident::Scope& scope;                // whose symbols they are
};
// Another place where sources are, such as members of packages. Nothing when it does not have the
// file; may block for a while.
using Provider = std::function<base::Result<std::optional<ReadFile>>(const Named& named)>;

// A file of an ELF that other symbol servers may have, as they are asked for it.
struct Wanted {
  std::string project;
  std::string build_id;
  std::string path;  // absolute, folded (sources/path.h)
  std::string checksum;
  std::string asked_by;  // the servers that asked before us (net/round_trips.h)
};
struct Others {
  // Whether anybody would be asked. Cheap. Null: nobody.
  std::function<bool(const Wanted& wanted)> may_ask;
  // Does not block. `done` is called once, from any thread, with what fits the checksum; after the
  // deadline nobody waits for it.
  std::function<void(const Wanted& wanted, std::chrono::steady_clock::time_point deadline,
                     std::function<void(base::Result<std::string>)> done)>
      ask;
};

class Sources {
 public:
  struct Options {
    std::string directories;  // sources/roots.h
    WebOptions web;           // sources/web.h
    NamedLists::Options lists;
    std::uint64_t file_size_max = 16ull << 20;
    unsigned threads = 4;
    std::vector<Provider> providers;
    Others others;
  };
  static base::Result<std::unique_ptr<Sources>> open(supply::Supply& supply,
                                                     supply::SymbolMaps& maps, Uploaded& uploaded,
                                                     Bundles& bundles, Options options);
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;
  ~Sources();

  using Clock = std::chrono::steady_clock;
  base::Result<Source> find(const Question& question, Clock::time_point deadline);
  // `done` is called once, on a thread of this room; at once with unavailable when too many wait.
  void ask(Question question, Clock::time_point deadline,
           std::function<void(base::Result<Source>)> done);

  Uploaded& uploaded() { return uploaded_; }

 private:
  Sources(supply::Supply& supply, supply::SymbolMaps& maps, Uploaded& uploaded, Bundles& bundles,
          Options options, Roots roots, std::unique_ptr<Web> web);
  struct Module {
    std::shared_ptr<const NamedFiles> named;  // null: only the index names files
    NamedFile file;
    std::shared_ptr<const supply::Supplied> symbols;  // that name it
    ident::Scope scope;                               // whose module it is
    std::string asked_by;
  };
  base::Result<Module> prove(const Question& question, Clock::time_point deadline);
  base::Result<void> prove_address(const Question& question, Clock::time_point deadline);
  base::Result<Source> look_for(const Module& module, Clock::time_point deadline);
  std::optional<std::string> find_embedded(const Module& module) const;
  std::optional<Wanted> wanted_of_others(const Module& module) const;
  base::Result<std::string> ask_others(const Wanted& wanted, Clock::time_point deadline);

  supply::Supply& supply_;
  supply::SymbolMaps& maps_;
  Uploaded& uploaded_;
  Bundles& bundles_;
  const Options options_;
  const Roots roots_;
  std::shared_ptr<Web> web_;  // also of those whose answers come late
  NamedLists lists_;
  std::atomic<unsigned> waiting_ = 0;
  std::unique_ptr<base::WorkerPool> pool_;
};

}  // namespace sources
