// Items that several threads make at once and one takes in their order, a few of them made ahead of
// what was taken: who takes seldom waits, and memory is bounded by `ahead`. Nobody blocks: who
// takes what is not made yet is called when it is. The threads are borrowed ones, with other work.
// `make` is called from any of them, several at once, for each item once at most, and must not
// throw. It lives until the last of them is done with it, which may be after the destructor: that
// waits for nobody. So it owns what it uses. take() and the destructor belong to one thread at a
// time.
#pragma once

#include <algorithm>
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
  using Then = std::function<void(Item)>;
  struct Limits {
    std::size_t ahead = 1;  // items that are begun or made, and not yet taken; at least 1
    unsigned threads = 1;   // that make them
  };

  // They are made from now on. `post` is called here and in take(), from whichever thread calls
  // `then`, too. Where it drops what it is given, as a pool does that closes, who waits is not
  // told.
  MadeInOrder(std::size_t count, Limits limits, Post post, Make make)
      : state_(std::make_shared<State>(count, limits, std::move(post), std::move(make))) {
    state_->call_threads();
  }
  MadeInOrder(const MadeInOrder&) = delete;
  MadeInOrder& operator=(const MadeInOrder&) = delete;
  ~MadeInOrder() { state_->close(); }

  // Has `then` called with the next item: at once where it is made, else by who makes it. `then`
  // may take the next, and destroy this object. REQUIRES: fewer than `count` were taken; each
  // earlier `then` was called.
  void take(Then then) {
    const std::shared_ptr<State> state = state_;
    state->take(std::move(then));
  }

 private:
  // Then the thread's other work has its turn.
  static constexpr int kInARow = 4;

  struct State : std::enable_shared_from_this<State> {
    State(std::size_t size, Limits given, Post how, Make call)
        : count(size),
          limits(given),
          post(std::move(how)),
          make(std::move(call)),
          slots(std::max<std::size_t>(1, given.ahead)) {}

    void take(Then then) {
      std::unique_lock lock(mutex);
      waiting = std::move(then);
      give(lock);
    }

    // A thread that was called.
    void work() {
      std::unique_lock lock(mutex);
      --called;
      for (int i = 0; i < kInARow && may_begin(); ++i) {
        const std::size_t index = begun++;
        lock.unlock();
        Item item = make(index);
        lock.lock();
        slots[index % slots.size()] = std::move(item);
        give(lock);
      }
      if (!may_begin()) {
        --working;
        return;
      }
      ++called;
      lock.unlock();
      post_work();
    }

    // To who waits for it, if it is made. The lock is held before and after, but not meanwhile.
    void give(std::unique_lock<std::mutex>& lock) {
      std::optional<Item>& next = slots[taken % slots.size()];
      if (waiting == nullptr || !next) return;
      Item item = *std::exchange(next, std::nullopt);
      Then then = std::exchange(waiting, nullptr);
      ++taken;
      lock.unlock();
      call_threads();
      then(std::move(item));
      then = nullptr;  // it may own this object
      lock.lock();
    }

    // As many as find something to begin.
    void call_threads() {
      unsigned calls = 0;
      {
        const std::lock_guard lock(mutex);
        for (; !closed && working < limits.threads && called < end() - begun; ++calls) {
          ++working;
          ++called;
        }
      }
      for (; calls > 0; --calls) post_work();
    }

    void post_work() {
      post([state = this->shared_from_this()] { state->work(); });
    }

    void close() {
      Then dropped;
      const std::lock_guard lock(mutex);
      closed = true;
      dropped = std::exchange(waiting, nullptr);
    }

    bool may_begin() const { return !closed && begun < end(); }
    std::size_t end() const { return std::min(count, taken + slots.size()); }

    const std::size_t count;
    const Limits limits;
    const Post post;
    const Make make;
    std::mutex mutex;  // guards what follows
    std::vector<std::optional<Item>> slots;
    std::size_t taken = 0;
    std::size_t begun = 0;
    unsigned called = 0;   // threads that have not come yet
    unsigned working = 0;  // these, and those that are here
    bool closed = false;
    Then waiting;  // for the item `taken`; null: nobody
  };

  const std::shared_ptr<State> state_;
};

}  // namespace base
