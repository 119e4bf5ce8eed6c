// Source files inside the source bundles that were uploaded for a module.
// Not the proof that the module names them: sources.h asks for it first.
// A member is read where it lies in the bundle; what a bundle has is remembered, the last used
// ones. Any thread may call; calls block. REQUIRES: catalogue and blobs outlive it. Fails with
// not_found, malformed or too_large (the bundle, the file), or unavailable. Format:
// docs/formats/source-bundle.md
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/blobs.h"
#include "store/catalog.h"

namespace sources {

constexpr std::size_t kBundlesPerModuleMax = 16;

class Bundles {
 public:
  Bundles(store::Catalog& catalog, const store::Blobs& blobs, std::size_t memory_max = 64ull << 20)
      : catalog_(catalog), blobs_(blobs), memory_max_(memory_max) {}
  Bundles(const Bundles&) = delete;
  Bundles& operator=(const Bundles&) = delete;

  // Those of a module with any of these ids, the newest first, at most kBundlesPerModuleMax.
  base::Result<std::vector<store::FileRecord>> find_for(const std::vector<std::string>& modules,
                                                        const ident::Scope& scope);
  // The file that the bundle has under this path, in any spelling (sources/path.h).
  base::Result<std::string> read(const store::FileRecord& bundle, std::string_view path,
                                 std::uint64_t size_max);

 private:
  using Members = std::map<std::string, std::string, std::less<>>;  // by canonical path
  struct Kept {
    base::Sha256 sha256;
    std::shared_ptr<const Members> members;
    std::size_t size = 0;
  };
  std::shared_ptr<const Members> find_kept(const base::Sha256& sha256);
  base::Result<std::shared_ptr<const Members>> members_of(const base::Sha256& sha256,
                                                          base::Bytes bundle);

  store::Catalog& catalog_;
  const store::Blobs& blobs_;
  const std::size_t memory_max_;
  std::mutex mutex_;
  std::list<Kept> kept_;    // newest use first; guarded by mutex_
  std::size_t memory_ = 0;  // guarded by mutex_
};

}  // namespace sources
