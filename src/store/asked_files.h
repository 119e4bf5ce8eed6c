// When stored files were last asked for, by the day: a column of symbol_file, from which retention
// goes. Who hands files out knows ids, not rows; a file was asked for when one of its ids was, in
// whatever project, since a module's files are of use together.
// One thread. save() blocks; fails with unavailable or internal, and keeps for the next call what
// could not be written. Format: docs/formats/data-directory.md
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "db/database.h"

namespace store {

class AskedFiles {
 public:
  explicit AskedFiles(db::Database& database) : database_(database) {}

  // Writes each row once a day at most, however often it is called.
  base::Result<void> save(const std::vector<std::string>& ids, base::Time now);

 private:
  base::Result<void> write(const std::vector<std::string>& ids, base::Time now);

  db::Database& database_;
  std::int64_t day_ = 0;                   // since 1970
  std::unordered_set<std::string> saved_;  // on that day; bounded
  std::unordered_set<std::string> due_;    // not written yet; bounded
};

}  // namespace store
