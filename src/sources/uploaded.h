// Source files that were uploaded: by content hash, and under the paths that a module's symbols
// name them by. The bytes are blobs; here are the rows.
// add() returns when bytes and rows are on disk. Any thread may call; calls block.
// Fails with unavailable (disk, database) or internal; add() with malformed when the content does
// not have the promised hash.
// Format: docs/protocols/sources.md, docs/formats/data-directory.md
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "base/sha256.h"
#include "db/database.h"
#include "store/blobs.h"

namespace sources {

// Under which path which module's symbols name a file.
struct Place {
  std::string module;  // any of its ids, lower-case hex without dashes
  std::string path;    // as the symbols spell it
};

// "5D1C-…" → lower case without dashes; nothing when it is no id.
std::optional<std::string> find_module_id(std::string_view text);

struct UploadedSource {
  base::Sha256 sha256;
  std::string name;
  std::uint64_t size = 0;
  base::Time added_at;
};

class Uploaded {
 public:
  static const std::vector<db::Migration>& migrations();  // numbers 140 to 149

  Uploaded(db::Database& database, store::Blobs& blobs) : database_(database), blobs_(blobs) {}

  // Without `body` only the places are added; not_found when the content is not here.
  base::Result<UploadedSource> add(const base::Sha256& sha256, const std::string& name,
                                   const std::string& peer, std::optional<base::PendingFile> body,
                                   const std::vector<Place>& places);
  base::Result<std::optional<UploadedSource>> find(const base::Sha256& sha256);
  // Contents for this path of a module with any of these ids; the newest first.
  base::Result<std::vector<UploadedSource>> find_for(const std::vector<std::string>& modules,
                                                     std::string_view path);
  base::Result<std::string> read(const UploadedSource& source, std::uint64_t size_max) const;
  base::Result<void> list_hashes(const std::function<void(const base::Sha256&)>& sink);
  // Takes away its rows; true when there were some. The bytes are the caller's matter.
  base::Result<bool> forget(const base::Sha256& sha256);

 private:
  db::Database& database_;
  store::Blobs& blobs_;
};

}  // namespace sources
