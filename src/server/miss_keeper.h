// Writes what upstream servers do not have to the database every few seconds, on a thread of its
// own, and once more at the end; reads it at the start. Trouble with the database is a line in the
// log: misses are only remembered.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "upstream/miss_rows.h"

namespace server {

class MissKeeper {
 public:
  // Both must outlive it.
  MissKeeper(db::Database& database, const std::vector<std::unique_ptr<upstream::Server>>& servers);
  ~MissKeeper();
  MissKeeper(const MissKeeper&) = delete;
  MissKeeper& operator=(const MissKeeper&) = delete;

 private:
  void save_forever();
  void save();

  upstream::MissRows rows_;
  const std::vector<std::unique_ptr<upstream::Server>>& servers_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stopping_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace server
