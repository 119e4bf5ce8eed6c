#include "upkeep/work.h"

#include "base/log.h"
#include "upkeep/run.h"

namespace upkeep {

using base::Error;
using base::Fault;
using base::Result;

namespace {
constexpr std::size_t kRemembered = 20;
}

Work::~Work() {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, task] : tasks_) task->progress.stop = true;
  }
  pool_.reset();
}

Result<std::int64_t> Work::start(const std::string& what, base::JsonValue options,
                                 const store::Actor& actor) {
  auto task = std::make_shared<Task>();
  task->what = what;
  std::int64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, other] : tasks_) {
      if (other->end) continue;
      return Error{Fault::unavailable, "a " + other->what + " is under way (" +
                                           std::to_string(number) + "): one at a time"};
    }
    id = ++last_id_;
    tasks_[id] = task;
    if (tasks_.size() > kRemembered) tasks_.erase(tasks_.begin());
  }
  pool_->post([this, task, options = std::move(options), actor] {
    Result<std::string> end = run(house_, task->what, options, actor, task->progress);
    if (!end.ok()) base::log::warning("{}: {}", task->what, end.error().what);
    const std::lock_guard lock(mutex_);
    task->end = std::move(end);
  });
  return id;
}

std::optional<std::string> Work::find(std::int64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto found = tasks_.find(id);
  if (found == tasks_.end()) return std::nullopt;
  const Task& task = *found->second;
  base::JsonWriter out;
  out.begin_object().key("work").integer(id).key("what").string(task.what);
  out.key("state").string(!task.end ? "running" : task.end->ok() ? "done" : "failed");
  out.key("files").unsigned_integer(task.progress.files);
  out.key("files_all").unsigned_integer(task.progress.files_all);
  out.key("bytes").unsigned_integer(task.progress.bytes);
  out.key("bytes_all").unsigned_integer(task.progress.bytes_all);
  if (task.end && task.end->ok()) out.key("result").raw(**task.end);
  if (task.end && !task.end->ok()) {
    out.key("fault").string(base::name_of(task.end->error().fault));
    out.key("error").string(task.end->error().what);
  }
  out.end_object();
  return out.take();
}

}  // namespace upkeep
