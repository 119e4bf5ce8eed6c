// Uploads that are old: the keys that a project has of files that nobody has brought there since,
// and the files' rows where no other key is left. For upkeep/retention.h.
// A file that a transaction holds, or that lies in a watched directory, stays.
// Blocks. Fails with unavailable or internal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/sha256.h"
#include "db/database.h"

namespace store {

struct OldFile {
  std::int64_t id = 0;
  base::Sha256 sha256;
  std::string name;
  std::uint64_t size = 0;
};

// What was uploaded to that project as no try build, and last before `before`; at most `limit`.
// With `Unless::asked` only what nobody has asked for since then either (store/asked_files.h).
enum class Unless : std::uint8_t { brought, asked };
base::Result<std::vector<OldFile>> find_old_files(db::Session& session, const std::string& project,
                                                  base::Time before, std::uint64_t limit,
                                                  Unless unless = Unless::brought);

// Takes the project's keys of it away; true when its row went too. `ids` gets those of the keys.
base::Result<bool> drop_from_project(db::Session& session, const OldFile& file,
                                     const std::string& project, std::vector<std::string>& ids);

}  // namespace store
