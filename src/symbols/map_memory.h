// How much of the heap open symbol indexes take together, exactly and at any moment: each Map that
// was opened with a MapMemory adds what it costs, when it is opened and when it decompresses texts,
// and takes that away at its end. A map that a cache let go of while somebody still uses it is
// counted apart, as lent: to let go of another would not bring that memory back.
// Not counted: the mapped files, which are the page cache's.
// Any thread may call; calls are short and cannot fail.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace symbols {

class MapMemory {
 public:
  std::uint64_t kept() const { return kept_.load(std::memory_order_relaxed); }
  std::uint64_t lent() const { return lent_.load(std::memory_order_relaxed); }

 private:
  friend class MapShare;
  std::atomic<std::uint64_t> kept_ = 0;
  std::atomic<std::uint64_t> lent_ = 0;
};

// One map's share of it.
class MapShare {
 public:
  // Null: nobody counts.
  explicit MapShare(std::shared_ptr<MapMemory> memory) : memory_(std::move(memory)) {}
  MapShare(const MapShare&) = delete;
  MapShare& operator=(const MapShare&) = delete;
  ~MapShare() {
    if (memory_) counter().fetch_sub(size(), std::memory_order_relaxed);
  }

  void add(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    size_.fetch_add(bytes, std::memory_order_relaxed);
    if (memory_) counter().fetch_add(bytes, std::memory_order_relaxed);
  }
  // From kept to lent.
  void lend() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_lent_, true) || !memory_) return;
    memory_->kept_.fetch_sub(size(), std::memory_order_relaxed);
    memory_->lent_.fetch_add(size(), std::memory_order_relaxed);
  }
  std::uint64_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t>& counter() { return is_lent_ ? memory_->lent_ : memory_->kept_; }

  const std::shared_ptr<MapMemory> memory_;
  std::mutex mutex_;  // so that nothing grows between two counters
  std::atomic<std::uint64_t> size_ = 0;
  bool is_lent_ = false;  // guarded by mutex_
};

}  // namespace symbols
