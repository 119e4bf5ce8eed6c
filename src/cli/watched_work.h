// Long work in this process, and how far it is shown meanwhile.
#pragma once

#include <cstdint>
#include <functional>

#include "upkeep/house.h"

namespace cli {

// How far it is: files and bytes that are done, and of how many; 0 while that is not known.
struct Numbers {
  std::uint64_t files = 0, files_all = 0;
  std::uint64_t bytes = 0, bytes_all = 0;
};
using ShowNumbers = std::function<void(const Numbers&)>;

// Runs `work` on a thread of its own and returns when it has ended; until then this one shows what
// `progress` says, now and then.
void run_watched(const upkeep::Progress& progress, const ShowNumbers& show,
                 const std::function<void()>& work);

}  // namespace cli
