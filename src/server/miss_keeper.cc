#include "server/miss_keeper.h"

#include "base/log.h"

namespace server {
namespace {

constexpr std::chrono::seconds kPause{2};

}  // namespace

MissKeeper::MissKeeper(db::Database& database,
                       const std::vector<std::unique_ptr<upstream::Server>>& servers)
    : rows_(database), servers_(servers) {
  if (const auto loaded = rows_.load(servers_); !loaded.ok()) {
    base::log::warning("what upstream servers do not have is not known from before: {}",
                       loaded.error().what);
  }
  thread_ = std::thread([this] { save_forever(); });
}

MissKeeper::~MissKeeper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    stopped_.notify_all();
  }
  thread_.join();
  save();
}

void MissKeeper::save_forever() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, kPause, [this] { return stopping_; })) {
    lock.unlock();
    save();
    lock.lock();
  }
}

void MissKeeper::save() {
  if (const auto saved = rows_.save(servers_); !saved.ok()) {
    base::log::warning("what upstream servers do not have is not kept: {}", saved.error().what);
  }
}

}  // namespace server
