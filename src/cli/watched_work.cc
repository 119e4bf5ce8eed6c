#include "cli/watched_work.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace cli {
namespace {

// Most of it is quick.
constexpr std::chrono::milliseconds kFirstLook{5};
constexpr std::chrono::milliseconds kLookEvery{200};

}  // namespace

void run_watched(const upkeep::Progress& progress, const ShowNumbers& show,
                 const std::function<void()>& work) {
  std::atomic<bool> done = false;
  std::thread worker([&] {
    work();
    done = true;
  });
  for (auto pause = kFirstLook; !done; pause = std::min(pause * 2, kLookEvery)) {
    std::this_thread::sleep_for(pause);
    show({progress.files, progress.files_all, progress.bytes, progress.bytes_all});
  }
  worker.join();
}

}  // namespace cli
