#include "api/long_work.h"

#include <algorithm>
#include <exception>

#include "base/log.h"

namespace api {

using net::Answer;

namespace {

constexpr const char* kRetrySeconds = "60";

// A library below a job may throw; the client gets its answer and the server stays up.
Answer call(const std::function<Answer()>& job) {
  try {
    return job();
  } catch (const std::exception& error) {
    base::log::error("long work: the job threw: {}", error.what());
  } catch (...) {
    base::log::error("long work: the job threw");
  }
  return Answer::text(500, "internal error\n");
}

}  // namespace

struct LongWork::Task {
  std::function<Answer()> job, too_busy;
  std::shared_ptr<net::Completer> completer;

  void complete(Answer answer) {
    // The request goes with the completer: nothing that looks at it may stay.
    const std::shared_ptr<net::Completer> last = std::move(completer);
    job = nullptr;
    too_busy = nullptr;
    last->complete(std::move(answer));
  }
  void refuse() {
    Answer answer = too_busy();
    answer.headers.set("Retry-After", kRetrySeconds);
    complete(std::move(answer));
  }
};

LongWork::LongWork(const Limits& limits)
    : taken_max_(std::max(1u, limits.threads) + limits.waiting_max), pool_(limits.threads) {}

LongWork::~LongWork() { stopping_ = true; }

net::Reply LongWork::reply(std::function<Answer()> job, std::function<Answer()> too_busy) {
  auto task = std::make_shared<Task>();
  task->job = std::move(job);
  task->too_busy = std::move(too_busy);
  return net::Later{[this, task](std::shared_ptr<net::Completer> completer) {
    task->completer = std::move(completer);
    start(task);
  }};
}

void LongWork::start(const std::shared_ptr<Task>& task) {
  if (taken_.fetch_add(1) >= taken_max_) {
    taken_.fetch_sub(1);
    task->refuse();
    return;
  }
  pool_.post([this, task] { run(*task); });
}

// What it made room for comes before the answer: who has that may send the next.
void LongWork::run(Task& task) {
  if (stopping_) {
    taken_.fetch_sub(1);
    task.refuse();
    return;
  }
  Answer answer = call(task.job);
  taken_.fetch_sub(1);
  task.complete(std::move(answer));
}

}  // namespace api
