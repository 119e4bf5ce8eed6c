// How full the disk is, known without asking it: a housekeeping thread looks, everybody reads.
// As the disk fills, what can be done without goes first: caching what others have, then
// unpacking archives, then taking uploads.
// look() blocks; the rest are reads of memory, from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace store {

enum class DiskLevel : std::uint8_t { roomy, no_caching, no_extracting, no_uploads };
std::string_view name_of(DiskLevel level);

class DiskWatch {
 public:
  // Free bytes below which each thing stops.
  struct Marks {
    std::uint64_t caching = 2ull << 30;
    std::uint64_t extracting = 1ull << 30;
    std::uint64_t uploads = 64ull << 20;
  };
  DiskWatch(std::string path, const Marks& marks);

  void look();
  std::uint64_t free_bytes() const { return free_; }
  DiskLevel level() const;
  bool may_cache() const { return level() < DiskLevel::no_caching; }
  bool may_extract() const { return level() < DiskLevel::no_extracting; }
  // Whether an upload of that size leaves what must be left.
  bool has_room_for(std::uint64_t size) const;
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const Marks marks_;
  std::atomic<std::uint64_t> free_;
};

}  // namespace store
