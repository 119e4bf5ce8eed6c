// One bound for all that can be had again: copies of other servers' files and what is made of them.
// Copies go first, since what was made of one answers without it; of either the least recently
// used. A single copy that is larger than the whole bound only passes (ingest/extracted_files.h).
// One that was made is there until the next file needs its place. Nobody else's files are counted,
// or touched. Any thread may call. REQUIRES: what it is given outlives it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "ingest/extracted_files.h"
#include "supply/derived_sizes.h"

namespace server {

class CacheBudget {
 public:
  static base::Result<std::unique_ptr<CacheBudget>> open(std::uint64_t size_max,
                                                         ingest::ExtractedFiles& copies,
                                                         const std::string& derived_directory);

  // Before a derived file of this size appears there.
  void reserve(const std::string& path, std::uint64_t size);
  // When something may stand over the bound that is not needed any more.
  void trim();
  supply::DerivedSizes& derived() { return *derived_; }

 private:
  CacheBudget(std::uint64_t size_max, ingest::ExtractedFiles& copies,
              std::unique_ptr<supply::DerivedSizes> derived)
      : size_max_(size_max), copies_(copies), derived_(std::move(derived)) {}
  std::uint64_t room_for_copies(std::uint64_t wanted) const;

  const std::uint64_t size_max_;
  ingest::ExtractedFiles& copies_;
  const std::unique_ptr<supply::DerivedSizes> derived_;
};

}  // namespace server
