// Copies of watched files and of packages' members, by content, under a budget: extracted/ in the
// data directory. Whatever goes from here is made again from where it lies (ingest/bring.h).
// Not blobs: those are the only copy of what was uploaded, and never go.
// A file that is larger than all may have only passes: it is found like the others, is not counted
// among them, and drives none out. It goes when nobody uses it, at the latest when another comes.
// A file appears by a rename after its bytes have reached the disk, whole or not at all.
// Any thread may call; calls touch the disk.
// Fails with too_large (the budget or the disk is used up), denied (purged) or unavailable (I/O).
// Format: docs/formats/data-directory.md
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/file.h"
#include "base/result.h"
#include "base/sha256.h"
#include "store/blobs.h"

namespace ingest {

class ExtractedFiles {
 public:
  struct Budget {
    std::uint64_t size_max = 0;
    std::uint64_t disk_free_min = 0;  // is left on the disk by files that nobody asked for
  };
  // Learns what is there; removes what `keep` says no to, and of the rest, what was not used for
  // longest first, what the budget has no room for.
  static base::Result<std::unique_ptr<ExtractedFiles>> open(
      const std::string& directory, const std::string& tmp, const Budget& budget,
      const std::function<bool(const base::Sha256&)>& keep);
  ExtractedFiles(const ExtractedFiles&) = delete;
  ExtractedFiles& operator=(const ExtractedFiles&) = delete;

  // Takes the file at `path` over (it must be on the same disk and is gone afterwards).
  // kAhead fails with too_large when there is no room; kAsked makes room by removing what was
  // not used for longest, or lets it pass.
  enum class Why : std::uint8_t { kAhead, kAsked };
  base::Result<void> take(const std::string& path, const base::Sha256& content, Why why);
  // Whether take() would keep a file of that size ahead of all requests.
  base::Result<void> check_room_ahead(std::uint64_t size) const;
  // Asked by take() for each content; what it refuses is not kept. Before any other call.
  void refuse_with(store::Blobs::Refuse refuse) { refuse_ = std::move(refuse); }
  // Fails as take() would for this content.
  base::Result<void> check_allowed(const base::Sha256& content) const;
  // Asked, without a lock of ours, whether somebody waits for a file that passes, reads it or makes
  // something of it. Before any other call; null: nobody knows.
  using InUse = std::function<bool(const base::Sha256& content)>;
  void pass_while(InUse in_use) { in_use_ = std::move(in_use); }
  // Asked by take() how much all files may have, with one of size `wanted` among them, instead of
  // the budget: who shares it with others makes room there. Before any other call.
  using Room = std::function<std::uint64_t(std::uint64_t wanted)>;
  void bound_by(Room room) { room_ = std::move(room); }
  // Removes what was not used for longest until all have at most `size_max`.
  void shrink_to(std::uint64_t size_max);
  // Removes what passes and was used by nobody for so long. Whoever has one open reads on. Whether
  // any went.
  bool drop_passing(std::chrono::milliseconds unused_for);
  bool has(const base::Sha256& content);  // and marks it as used
  void remove(const base::Sha256& content);
  std::uint64_t size() const;
  struct Counts {
    std::uint64_t files = 0, bytes = 0;  // here now
    std::uint64_t taken = 0;             // since the start
    std::uint64_t evicted = 0;           // of these or of older ones, to make room
  };
  Counts counts() const;
  const Budget& budget() const { return budget_; }
  const std::string& tmp() const { return tmp_; }
  std::string path_of(const base::Sha256& content) const { return files_.path_of(content); }

 private:
  struct Entry {
    base::Sha256 content;
    std::uint64_t size = 0;
  };
  using Clock = std::chrono::steady_clock;
  struct Passing {
    base::Sha256 content;
    Clock::time_point used_at;
  };
  ExtractedFiles(store::Blobs files, std::string tmp, const Budget& budget)
      : files_(std::move(files)), tmp_(std::move(tmp)), budget_(budget) {}
  base::Result<void> check_ahead(std::uint64_t size) const;  // REQUIRES: mutex_ held
  // Whether it is one that only passes. REQUIRES: mutex_ held
  base::Result<bool> make_room(std::uint64_t size, Why why);
  void remove_oldest(std::uint64_t size_max);                 // REQUIRES: mutex_ held
  void drop(std::list<Entry>::iterator entry);                // REQUIRES: mutex_ held
  void add(const base::Sha256& content, std::uint64_t size);  // REQUIRES: mutex_ held

  store::Blobs files_;
  const std::string tmp_;
  const Budget budget_;
  store::Blobs::Refuse refuse_;
  Room room_;
  InUse in_use_;
  mutable std::mutex mutex_;
  std::list<Entry> by_use_;  // the least used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_content_;
  std::unordered_map<std::string, Passing> passing_;  // by content, as by_content_
  std::uint64_t size_ = 0;                            // of what is in by_use_
  std::uint64_t taken_ = 0, evicted_ = 0;
};

// Whether a pass goes on without the copy: there is no room for it, or it was purged.
inline bool is_left_out(const base::Error& error) {
  return error.fault == base::Fault::too_large || error.fault == base::Fault::denied;
}

}  // namespace ingest
