// Crash reports that are old: their rows go, whatever state they are in; a result that comes later
// is refused, as its job is gone. The blobs are the caller's matter: others may name them, too.
// Blocks; a portion of the reports at a time. Fails with unavailable or internal.
#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sha256.h"
#include "db/database.h"

namespace reports {

struct Expired {
  std::uint64_t reports = 0;
  std::uint64_t bytes = 0;             // of their files
  std::vector<base::Sha256> contents;  // that they named
};

base::Result<Expired> count_received_before(db::Database& database, base::Time before);
base::Result<Expired> drop_received_before(db::Database& database, base::Time before);

}  // namespace reports
