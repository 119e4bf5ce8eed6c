// What the derived files cost on the disk, where that has a bound: which there are, how large, and
// which were used last. The least recently used are removed; they are made again when somebody
// asks. Not the bound itself: who shares it with other files says how much is left
// (server/cache_budget.h). Any thread may call. open() fails with unavailable; removing a file that
// is gone is no failure.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

namespace supply {

class DerivedSizes {
 public:
  // Learns what lies in `directory`: the files last written were last used.
  static base::Result<std::unique_ptr<DerivedSizes>> open(const std::string& directory);
  DerivedSizes(const DerivedSizes&) = delete;
  DerivedSizes& operator=(const DerivedSizes&) = delete;

  // Counts a file that is about to appear, after removing others until all together have at most
  // `size_max`, or it is alone.
  void add(const std::string& path, std::uint64_t size, std::uint64_t size_max);
  // For network loops: waits for nobody. A use while files are removed may go unnoticed.
  void used(const std::string& path);
  void removed(const std::string& path);
  // Told of each file that was removed, by this or by removed(): who has it mapped keeps its room
  // on the disk. It must not call this. When on_removed() returns, who was told before is told
  // nothing more; null: nobody.
  using Hears = std::function<void(const std::string& path)>;
  void on_removed(Hears hears);
  void shrink_to(std::uint64_t size_max);
  std::uint64_t size() const;

 private:
  struct Entry {
    std::string path;
    std::uint64_t size = 0;
  };
  DerivedSizes() = default;
  void add_newest(const std::string& path, std::uint64_t size);  // REQUIRES: mutex_ held
  void forget(const std::string& path);                          // REQUIRES: mutex_ held
  void remove_oldest(std::uint64_t size_max);                    // REQUIRES: mutex_ held

  mutable std::mutex mutex_;
  // All guarded by mutex_.
  std::list<Entry> by_use_;  // the least used first
  std::unordered_map<std::string_view, std::list<Entry>::iterator>
      by_path_;  // views of Entry::path
  std::uint64_t size_ = 0;
  Hears hears_removal_;
};

}  // namespace supply
