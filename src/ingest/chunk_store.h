// Pieces of files by their SHA-1, as sentry-cli sends them: kept for a day after somebody last
// asked, since files share pieces and their senders send each one only once; less long on a full
// disk. Not durable and no promise, but a sender that finds one gone gives up.
// Any thread may call; calls block. A piece appears by a rename, whole; what it says is checked
// when it is used, since a crash may have torn it.
// Fails with malformed, unavailable (disk) or too_large (all pieces together).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace ingest {

bool is_sha1(std::string_view text);  // 40 lower-case hex digits

class ChunkStore {
 public:
  static base::Result<std::unique_ptr<ChunkStore>> open(const std::string& directory);

  // Whether it is here; it then stays as long as one that comes now.
  bool hold(std::string_view sha1);
  // malformed: the bytes are others.
  base::Result<void> put(std::string_view sha1, base::Bytes bytes);
  // Writes the pieces one after the other; malformed when one is torn (it is then gone) or the
  // whole has another hash.
  base::Result<base::PendingFile> join(const std::vector<std::string>& sha1s,
                                       std::string_view whole_sha1, const std::string& tmp,
                                       std::uint64_t size_max);
  // Removes what came, or was asked for, longer ago; how many.
  std::uint64_t sweep(std::chrono::seconds age);

 private:
  explicit ChunkStore(std::string directory) : directory_(std::move(directory)) {}
  std::string path_of(std::string_view sha1) const;
  const std::string directory_;
};

}  // namespace ingest
