// How much memory the bodies of some routes may take together, however many clients send at a time.
// A body takes its share while it arrives and gives it back when its request ends, which is when
// the last byte of the answer is with the kernel. The first 32 KiB of each are free: small requests
// pass whatever the large ones do, and connections are counted elsewhere.
// Who finds the budget spent is refused (Fault::unavailable) rather than made to wait: those who
// wait with half a body would keep each other waiting. And who has a share must send: one that
// brings less than kPace in ServerOptions::body_pace_time is refused as one that stopped.
// Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace net {

class BodyBudget {
 public:
  static constexpr std::uint64_t kFree = 32 * 1024;
  static constexpr std::uint64_t kPace = 64 * 1024;  // as sent
  explicit BodyBudget(std::uint64_t size_max) : size_max_(size_max) {}
  std::uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  friend class BodyShare;
  const std::uint64_t size_max_;
  std::atomic<std::uint64_t> taken_ = 0;
};

// What one body has taken. One thread at a time.
class BodyShare {
 public:
  explicit BodyShare(std::shared_ptr<BodyBudget> budget) : budget_(std::move(budget)) {}
  ~BodyShare() { budget_->taken_ -= size_; }
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;

  std::uint64_t size() const { return size_; }
  // False when there is not so much left; the share is then as before.
  bool grow_to(std::uint64_t body_size) {
    const std::uint64_t wanted = body_size > BodyBudget::kFree ? body_size - BodyBudget::kFree : 0;
    if (wanted <= size_) return true;
    const std::uint64_t more = wanted - size_;
    if (budget_->taken_.fetch_add(more) + more > budget_->size_max_) {
      budget_->taken_ -= more;
      return false;
    }
    size_ = wanted;
    return true;
  }

 private:
  const std::shared_ptr<BodyBudget> budget_;
  std::uint64_t size_ = 0;
};

}  // namespace net
