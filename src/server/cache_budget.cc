#include "server/cache_budget.h"

#include <algorithm>

namespace server {

base::Result<std::unique_ptr<CacheBudget>> CacheBudget::open(std::uint64_t size_max,
                                                             ingest::ExtractedFiles& copies,
                                                             const std::string& derived_directory) {
  std::unique_ptr<supply::DerivedSizes> derived =
      TRY(supply::DerivedSizes::open(derived_directory));
  std::unique_ptr<CacheBudget> budget(new CacheBudget(size_max, copies, std::move(derived)));
  CacheBudget* const own = budget.get();
  copies.bound_by([own](std::uint64_t wanted) { return own->room_for_copies(wanted); });
  budget->derived_->shrink_to(size_max);
  budget->trim();
  return budget;
}

// What is made makes room for a copy that fits in no other way: the copy is wanted now.
std::uint64_t CacheBudget::room_for_copies(std::uint64_t wanted) const {
  if (wanted <= size_max_) derived_->shrink_to(size_max_ - wanted);
  return size_max_ - std::min(derived_->size(), size_max_);
}

void CacheBudget::reserve(const std::string& path, std::uint64_t size) {
  derived_->add(path, size, size_max_);
  trim();
}

void CacheBudget::trim() { copies_.shrink_to(size_max_ - std::min(derived_->size(), size_max_)); }

}  // namespace server
