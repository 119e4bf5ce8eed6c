// Files that we make from others: a module's Breakpad text and its symbol index, under
// index/v1/ab/FINGERPRINT.{sym,idx}; cabinets of stored files and plain PDBs of compressed ones,
// index/v1/ab/SHA256.{cab,pdb}. They may be deleted at any time and are made again. Not the making
// itself: an Extractor does that, in the server a child process with limits. However many ask, each
// is made once at a time. Made files appear by a rename, whole. make() from any thread, does not
// block; find() touches the disk. The destructor stops what is under way and answers its waiters
// with unavailable. Format: docs/formats/data-directory.md
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/pool.h"
#include "store/blobs.h"
#include "supply/choose.h"
#include "supply/supplied.h"

namespace supply {

// What to read and what to write. Empty paths are left out.
struct ExtractJob {
  std::string image;
  std::string debug;
  std::string sym;
  std::string module_name;  // of native files, whose blobs have no name
  std::string sym_out;      // native files only
  std::string index_out;
  std::string msfz;     // a PDB in its compressed container, and
  std::string pdb_out;  // … where the plain one goes; then nothing else is made
  unsigned threads = 1;
};
// Fills the files at the out paths. Called on a worker thread; may block for minutes, and gives
// up when `stop` becomes true.
using Extractor =
    std::function<base::Result<void>(const ExtractJob& job, const std::atomic<bool>& stop)>;

class DerivedFiles {
 public:
  struct Options {
    std::string directory;  // index/
    std::string tmp;
    unsigned threads = 1;  // files made at a time
    Extractor extractor;
    // Told before a file of this size appears at the path, and again when it is there, since who
    // made room meanwhile may have taken it for one that is; and when making one is over. Null:
    // they have no bound.
    std::function<void(const std::string& path, std::uint64_t size)> reserve = nullptr;
    std::function<void()> trim = nullptr;
    unsigned processors = 1;  // which those share
    // Told that what was reserved there did not come, or went at once.
    std::function<void(const std::string& path)> removed = nullptr;
    // What is made of a content that this refuses does not stay, however far it was made.
    store::Blobs::Refuse refuse = nullptr;
  };
  // Where the index of a module lies, if it is made.
  static std::string index_path(const std::string& directory, const Sources& sources);

  DerivedFiles(store::Blobs& blobs, Options options);
  DerivedFiles(const DerivedFiles&) = delete;
  DerivedFiles& operator=(const DerivedFiles&) = delete;
  ~DerivedFiles();

  std::optional<Supplied> find(const Sources& sources, ident::Artifact artifact) const;

  using Done = std::function<void(base::Result<Supplied>)>;
  // `done` is called once, on a worker thread.
  void make(const Sources& sources, ident::Artifact artifact, Done done);

  // A stored file packed as a cabinet, for clients that know no other form.
  std::optional<Supplied> find_cabinet(const store::FileRecord& file) const;
  void make_cabinet(const store::FileRecord& file, Done done);

  // The plain PDB of one that is stored in the compressed container.
  std::optional<Supplied> find_plain_pdb(const store::FileRecord& file) const;
  void make_plain_pdb(const store::FileRecord& file, Done done);

  struct Counts {
    std::uint64_t made = 0;
    std::uint64_t failed = 0;
    std::uint64_t under_way = 0;
  };
  Counts counts() const;

 private:
  struct Waiter {
    ident::Artifact artifact;
    Done done;
  };
  using Finder = std::function<std::optional<Supplied>(ident::Artifact artifact)>;
  using Maker = std::function<base::Result<void>()>;
  std::string path_of(const std::string& name, std::string_view extension) const;
  std::string path_of(const Sources& sources, ident::Artifact artifact) const;
  unsigned threads_for_a_job() const;
  base::Result<void> run(const Sources& sources);
  base::Result<void> commit(base::PendingFile& file, const std::string& path,
                            const std::vector<base::Sha256>& made_of) const;
  base::Result<void> place(base::PendingFile& file, const std::string& path,
                           const std::vector<base::Sha256>& made_of) const;
  base::Result<void> pack(const store::FileRecord& file);
  base::Result<void> unpack(const store::FileRecord& file);
  // Posts `maker` unless it is under way under this name.
  void make_once(const std::string& name, std::string what, Waiter waiter, Maker maker,
                 Finder finder);
  void finish(const std::string& name, const std::string& what, const Maker& maker,
              const Finder& finder);

  store::Blobs& blobs_;
  const Options options_;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Waiter>> flights_;  // by name of the file; guarded by mutex_
  Counts counts_;                                       // guarded by mutex_
  std::unique_ptr<base::WorkerPool> pool_;
};

}  // namespace supply
