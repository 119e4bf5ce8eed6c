#include "upkeep/house.h"

namespace upkeep {

base::Result<void> go_on(const Progress& progress) {
  if (!progress.stop) return {};
  return base::Error{base::Fault::unavailable, "stopped before it was done"};
}

}  // namespace upkeep
