// Items that several threads make at once and one takes in their order, a few of them ahead of what
// was taken: who takes seldom waits, and memory is bounded by `ahead`.
// The helpers are borrowed threads with other work: nobody is waited for but who has begun, and
// what no helper makes the taker does. So a thread of a pool whose threads are all busy may take,
// too. `make` is called from any of these threads, several at once, for each item once at most, and
// must not throw. It lives until the last of them is done with it, which may be after the
// destructor: that waits for nobody. So it owns what it uses.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/pool.h"

namespace base {

template <class Item>
class MadeInOrder {
 public:
  using Make = std::function<Item(std::size_t index)>;
  struct Limits {
    std::size_t ahead = 1;  // items that are begun or made, and not yet taken; at least 1
    unsigned helpers = 0;   // threads beside the taker's
  };

  // Nothing is begun before the first take().
  MadeInOrder(std::size_t count, Limits limits, Post post, Make make)
      : state_(std::make_shared<State>(count, limits, std::move(make))), post_(std::move(post)) {}
  MadeInOrder(const MadeInOrder&) = delete;
  MadeInOrder& operator=(const MadeInOrder&) = delete;
  ~MadeInOrder() { state_->close(); }

  // The next item; nothing after the last. One thread at a time.
  std::optional<Item> take() {
    std::unique_lock lock(state_->mutex);
    if (state_->taken == state_->count) return std::nullopt;
    while (!state_->is_next_made()) {
      if (!state_->may_begin()) {
        state_->made.wait(lock);
        continue;
      }
      const std::size_t index = state_->begun++;
      call_helpers(lock);
      state_->make_one(index, lock);
    }
    std::optional<Item> item = state_->take_next();
    call_helpers(lock);
    return item;
  }

 private:
  struct State {
    State(std::size_t size, Limits given, Make call)
        : count(size),
          limits(given),
          make(std::move(call)),
          slots(std::max<std::size_t>(1, given.ahead)) {}

    std::size_t end() const { return std::min(count, taken + slots.size()); }
    bool may_begin() const { return !closed && begun < end(); }
    std::optional<Item>& slot(std::size_t index) { return slots[index % slots.size()]; }
    bool is_next_made() { return slot(taken).has_value(); }
    std::optional<Item> take_next() { return std::exchange(slot(taken++), std::nullopt); }

    // The lock is not held while it is made.
    void make_one(std::size_t index, std::unique_lock<std::mutex>& lock) {
      lock.unlock();
      Item item = make(index);
      lock.lock();
      slot(index) = std::move(item);
      if (index == taken) made.notify_one();
    }

    void help() {
      std::unique_lock lock(mutex);
      --called;
      while (may_begin()) make_one(begun++, lock);
      --helping;
    }

    void close() {
      const std::lock_guard lock(mutex);
      closed = true;
    }

    const std::size_t count;
    const Limits limits;
    const Make make;
    std::mutex mutex;  // guards what follows
    std::condition_variable made;
    std::vector<std::optional<Item>> slots;
    std::size_t taken = 0;
    std::size_t begun = 0;
    unsigned called = 0;   // helpers who have not come yet
    unsigned helping = 0;  // these, and those who work
    bool closed = false;
  };

  // As many as find something to begin. The lock is held before and after.
  void call_helpers(std::unique_lock<std::mutex>& lock) {
    const std::size_t left = state_->end() - state_->begun;
    unsigned calls = 0;
    for (; state_->helping < state_->limits.helpers && state_->called < left; ++calls) {
      ++state_->helping;
      ++state_->called;
    }
    lock.unlock();
    for (; calls > 0; --calls) post_([state = state_] { state->help(); });
    lock.lock();
  }

  const std::shared_ptr<State> state_;
  const Post post_;
};

}  // namespace base
