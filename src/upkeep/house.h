// What upkeep works on: the data directory's rooms, and whom else its blobs belong to.
// Whoever opens the directory fills it in, a server or a command; all of it outlives the work.
// Plain values. Progress may be read by any thread while one works.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sha256.h"
#include "db/database.h"
#include "store/access.h"
#include "store/blobs.h"
#include "store/catalog.h"
#include "store/tombstones.h"

namespace upkeep {

using HashSink = std::function<void(const base::Sha256&)>;

// Rows of other rooms that name blobs.
struct Keeper {
  std::string what;    // "a file of a crash report"
  std::string advice;  // for who finds that its bytes are gone
  std::function<base::Result<void>(const HashSink&)> list;
  // Takes away the rows that name a content; null: they stay, whatever becomes of the bytes.
  std::function<base::Result<void>(const base::Sha256&)> drop;
};

// How long what is kept, in days; 0: for ever.
struct RetentionRules {
  std::uint64_t uploads_days = 0;
  std::uint64_t unasked_days = 0;  // uploads that nobody has asked for since, either
  std::map<std::string, std::uint64_t>
      projects;  // instead of uploads_days; "" is the default one. 0: for ever, asked for or not
  std::uint64_t reports_days = 0;
  std::uint64_t cache_days = 0;
};

struct AgedFiles {
  std::uint64_t count = 0, bytes = 0;
  std::vector<base::Sha256> contents;  // whose rows went: perhaps nothing names them any more
};

// A class of things of other rooms that go by age.
struct Ageing {
  std::string what;  // "crash reports"
  std::uint64_t RetentionRules::* days;
  // Takes away what is older; with `pretend` only counts.
  std::function<base::Result<AgedFiles>(base::Time before, bool pretend)> expire;
};

struct House {
  db::Database& database;
  store::Blobs& blobs;
  store::Catalog& catalog;
  store::Access& access;
  store::Tombstones& tombstones;
  std::string data;  // the directory
  std::vector<Keeper> keepers;
  // Removes a copy from extracted/; null: nobody counts what lies there.
  std::function<void(const base::Sha256&)> drop_copy;
  unsigned threads = 1;  // for what can be done side by side
  std::vector<Ageing> ageing = {};
  RetentionRules retention = {};  // unless somebody says others
  // Takes a content of that size out of the trees of copies that a server keeps
  // (docs/pysymproxy.md), once it is barred; with `pretend` only counts. How many files. Null:
  // nobody knows where they are.
  std::function<base::Result<std::uint64_t>(const base::Sha256& content, std::uint64_t size,
                                            bool pretend)>
      drop_from_trees = nullptr;
};

// How far a piece of work is.
struct Progress {
  std::atomic<std::uint64_t> files{0}, files_all{0};
  std::atomic<std::uint64_t> bytes{0}, bytes_all{0};
  std::atomic<bool> stop{false};  // set by who wants it to end

  void finish_file(std::uint64_t size) {
    ++files;
    bytes += size;
  }
};

// unavailable, with these words, when somebody wants it to end.
base::Result<void> go_on(const Progress& progress);

}  // namespace upkeep
