// Watches directories for debug files and packages, keeps the catalogue in step with them, and
// brings back the bytes of what is not kept extracted.
//   a pass    walks the directories; what is new or changed is read, what is gone is taken out;
//             between passes the same for what the kernel says has changed (directory_watch.h)
//   bring()   for one content: copies the file again, or unpacks its package again
// A watched file is copied before it is read, and its stamp is compared before and after: what
// changes under our hands is read again in the next pass. Nothing is served from its place.
// Rows of a package appear in one transaction, so a killed server resumes with the next package.
// Any thread may call; passes run on threads of its own. start() once, stop() ends all work.
// Format: docs/scanning.md
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/pool.h"
#include "base/result.h"
#include "ident/paths.h"
#include "ingest/directory_watch.h"
#include "ingest/extracted_files.h"
#include "ingest/path_patterns.h"
#include "ingest/unpack_in_child.h"
#include "store/blobs.h"
#include "store/containers.h"

namespace ingest {

struct ScanOptions {
  std::vector<std::string> paths;
  bool files = false;  // debug files lying about
  // By extension (".deb"); a command makes an archive on its output of the file it is given, ""
  // reads the file itself.
  std::map<std::string, std::string> packages;
  std::string include, exclude;  // POSIX extended expressions, searched in the path; "": none
  bool follow_links = false;     // and other file systems
  bool drop_excluded = true;     // also takes out what exists, but is not ours to watch any more
  unsigned threads = 1;
  unsigned rescan_seconds = 300;  // 0: only when asked
  unsigned groom_seconds = 0;     // passes that only take out; 0: each pass does
  std::uint64_t disk_free_min = 0;
  // Whether there is room to unpack packages ahead; those that must wait are read by a later pass.
  std::function<bool()> may_extract = nullptr;
  // Runs what may wait for such a server on a thread where that hurts nobody else. Null: here.
  std::function<void(std::function<void()>)> run_aside = nullptr;
};

class Scan {
 public:
  Scan(store::Blobs& blobs, store::Containers& containers, ExtractedFiles& extracted,
       ScanOptions options, std::string program);
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;
  ~Scan();  // stop()

  base::Result<void> start();  // malformed: an expression
  void stop();                 // calls the callbacks that are still waiting
  void scan_now();
  void groom_now();
  // Only takes out what is gone.
  base::Result<void> groom();

  // Brings a content from an upstream server again, by where it came from (ingest/fetched_files.h);
  // not_found or malformed when that server has it no more.
  using FetchAgain =
      std::function<base::Result<void>(const std::string& from, const base::Sha256& content)>;
  // Makes the contents readable in Blobs, or takes out of the catalogue what has no content any
  // more. `done` is called once, on a thread of ours; with the last failure, if one was not
  // brought. After stop() it is called at once, with unavailable.
  void bring(std::vector<base::Sha256> contents, FetchAgain fetch_again,
             const std::function<void(base::Result<void> brought)>& done);
  // The same for the sources of a package.
  base::Result<std::string> path_of_pack(const store::Container& container);

  // What was read since the start, and what was in it.
  struct Sums {
    std::uint64_t bytes = 0, executables = 0, debuginfo = 0, sources = 0;
  };
  struct Counts {
    std::uint64_t passes = 0, files = 0, packages = 0, failed = 0, removed = 0, brought = 0;
    Sums of_files = {}, of_packages = {};
    ExtractedFiles::Counts extracted = {};  // from wherever they came
    std::uint64_t still_there = 0;          // each time that grooming looked at it
    // Now: threads that read, what is still to be read, and whether directories are walked.
    std::uint64_t reading = 0, to_read = 0;
    bool is_walking = false, is_grooming = false;
    // Watched files and packages in the catalogue when the last pass or grooming began.
    std::uint64_t known = 0, known_bytes = 0;
  };
  Counts counts() const;
  unsigned threads() const { return options_.threads; }  // that may read at a time

 private:
  struct Wanted {
    std::string path;
    store::Container::Kind kind = store::Container::Kind::file;
    std::string command;
    store::FileStamp stamp;
  };
  struct Walk {
    std::map<std::string, Wanted> files;
    std::vector<std::string> unread;  // roots that could not be read: nothing there is gone
    std::vector<std::string> roots;   // of what is watched, those that are there
    bool lacks_a_root = false;        // where its files were, nobody knows: see take_out()
    bool says_nothing_of(const std::string& path) const;
  };
  struct Tally {
    std::atomic<std::uint64_t> bytes = 0, executables = 0, debuginfo = 0, sources = 0;
    void add(const store::NewContainer& read);
    Sums sums() const { return {bytes, executables, debuginfo, sources}; }
  };
  using Clock = std::chrono::steady_clock;
  enum class Turn : std::uint8_t { scan, groom, changes };

  // scan.cc
  void run();
  Turn wait_for_turn(Clock::time_point next_scan, Clock::time_point next_groom);
  void hear_changes();
  base::Result<void> pass();
  base::Result<void> pass_over_changes();
  base::Result<void> compare(const std::map<std::string, store::Container>& known,
                             const Walk& found);
  void take_out(const std::map<std::string, store::Container>& known, const Walk& walk);
  void note_known(const std::map<std::string, store::Container>& known);
  void forget_contents(const std::vector<base::Sha256>& contents);

  // scan_walk.cc
  Walk walk() const;
  void walk_from(std::string path, Walk& walk) const;
  void consider(const std::string& path, Walk& walk) const;
  std::string command_of(const std::string& path) const;

  // scan_read.cc
  void read_all(const std::vector<Wanted>& wanted);
  void read_and_commit(const Wanted& package);
  void read_files(const Wanted* first, std::size_t count);
  bool may_copy(std::uint64_t size) const;
  base::Result<store::NewContainer> read_file(const Wanted& wanted);
  base::Result<store::NewContainer> read_pointer(const Wanted& wanted,
                                                 const ident::StorePath& place);
  base::Result<store::NewContainer> read_packed_file(const Wanted& wanted);
  base::Result<store::NewContainer> read_package(const Wanted& wanted);
  base::Result<base::TemporaryDirectory> open_package(const Wanted& wanted, UnpackJob& job);
  void commit(const std::vector<store::NewContainer>& read);

  // scan_bring.cc
  base::Result<void> bring_all(const std::vector<base::Sha256>& contents,
                               const FetchAgain& fetch_again);
  bool waits_for_others(const std::vector<base::Sha256>& contents);
  base::Result<void> bring_one(const base::Sha256& content, const FetchAgain& fetch_again);
  base::Result<void> check_place(const store::Container& container);
  base::Result<void> bring_from(const store::Origin& origin, const base::Sha256& content);
  base::Result<void> bring_from_upstream(const store::Origin& origin, const base::Sha256& content,
                                         const FetchAgain& fetch_again);

  store::Blobs& blobs_;
  store::Containers& containers_;
  ExtractedFiles& extracted_;
  const ScanOptions options_;
  std::unique_ptr<PathPatterns> patterns_;
  std::unique_ptr<DirectoryWatch> watch_;  // null: none, or passes only when asked
  std::atomic<bool> stop_ = false;
  const Unpacker unpack_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool scan_asked_ = false;    // guarded by mutex_
  bool groom_asked_ = false;   // guarded by mutex_
  bool change_heard_ = false;  // guarded by mutex_
  std::atomic<std::uint64_t> passes_ = 0, files_ = 0, packages_ = 0, failed_ = 0, removed_ = 0,
                             brought_ = 0, still_there_ = 0, reading_ = 0, to_read_ = 0, known_ = 0,
                             known_bytes_ = 0;
  std::atomic<bool> is_walking_ = false, is_grooming_ = false;
  Tally of_files_, of_packages_;
  std::thread thread_;
  std::unique_ptr<base::WorkerPool> bringers_;
};

// Extensions of packages that are watched unless told otherwise.
std::map<std::string, std::string> usual_packages();

}  // namespace ingest
