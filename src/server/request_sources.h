// The sources that requests of Symbolicator's protocol name: somebody else's symbol servers, asked
// for this request's modules.
// What one brings is filed in a project of its own, whose name nobody can ask for; it is made of
// the scope and of everything that the request says of the source, credentials too. So only who
// says the same sees it, and he need not fetch it again. A stranger chooses the place: it must be
// at a public address, or at one that the operator allows; never a directory. He also chooses how
// fast it answers: one has few of the threads, takes turns with the others, and must bring its
// files in time; beyond waiting_max nobody waits (unavailable). The most recently used are
// remembered. One that is asked, or was a short while ago, or named, never goes for another's sake:
// when there are too many of them, admit() refuses (unavailable).
// Any thread may call. admit() and ask() do not block. stop() ends what is under way and has called
// back who waits when it returns; it must come before supply goes.
// Format: docs/protocols/symbolicator.md
#pragma once

#include <chrono>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/trace_work.h"
#include "base/pool.h"
#include "ingest/fetched_files.h"
#include "net/forwarded.h"
#include "store/disk_watch.h"
#include "supply/supply.h"
#include "upstream/upstreams.h"

namespace server {

class RequestSources {
 public:
  struct Options {
    bool is_open = true;                // else none is asked
    net::AddressSet private_addresses;  // not public, and yet sources may be there
    std::string tmp;
    unsigned threads = 8;
    unsigned threads_each = 2;       // for one source
    std::size_t waiting_max = 1000;  // files of all sources, not yet asked for
    std::size_t idle_max = 256;      // sources, when no more than those are in use
    std::size_t sources_max = 2048;
    std::chrono::seconds use_time{180};  // as long as a request may need it
    // What none is asked for (upstream/server.h).
    std::function<bool(const upstream::Place& place)> bars = nullptr;
  };
  // `files` and `disk` outlive it.
  RequestSources(ingest::FetchedFiles& files, store::DiskWatch& disk, Options options);
  ~RequestSources() { stop(); }
  RequestSources(const RequestSources&) = delete;
  RequestSources& operator=(const RequestSources&) = delete;

  api::TraceLookup admit(const symbolicate::TraceSource& source, const ident::Scope& scope,
                         std::string_view isolation);
  // Whether it is about one of their projects.
  static bool is_about(const ident::SymbolRequest& request);
  bool may_ask(const ident::SymbolRequest& request);
  void ask(const ident::SymbolRequest& request, const supply::Supply::Options::Hearer& hearer);
  void stop();

 private:
  struct Wish {
    ident::SymbolRequest request;
    supply::Supply::Options::Hearer hearer;
  };
  struct Source {
    Source(std::string project_, std::vector<std::unique_ptr<upstream::Server>> servers,
           const std::string& tmp)
        : project(std::move(project_)), upstreams(std::move(servers), tmp, {}) {}
    const std::string project;
    upstream::Upstreams upstreams;
    // Guarded by mutex_.
    std::deque<Wish> waiting;
    unsigned threads = 0;  // that serve it, or are about to
    supply::Supply::Clock::time_point used_at;
  };
  using Entries = std::list<std::shared_ptr<Source>>;  // the most recently used first

  base::Result<void> keep(const std::string& project, const symbolicate::TraceSource& source);
  std::shared_ptr<Source> find(const std::string& project);  // REQUIRES: mutex_ held
  bool is_known(const std::string& project);
  bool is_in_use(const Source& source) const;  // REQUIRES: mutex_ held
  Entries take_idle();                         // REQUIRES: mutex_ held
  void serve(const std::shared_ptr<Source>& source);
  supply::Supply::Options::Asked fetch(Source& source, const ident::SymbolRequest& request);

  ingest::FetchedFiles& files_;
  store::DiskWatch& disk_;
  const Options options_;
  std::mutex mutex_;
  // All guarded by mutex_.
  Entries entries_;
  std::map<std::string, Entries::iterator, std::less<>> by_project_;
  std::size_t waiting_ = 0;                 // of all sources
  std::unique_ptr<base::WorkerPool> pool_;  // null: stopped
};

// Stops it at the end of its scope, however that is left.
struct RequestSourcesStop {
  RequestSources& sources;
  ~RequestSourcesStop() { sources.stop(); }
};

}  // namespace server
