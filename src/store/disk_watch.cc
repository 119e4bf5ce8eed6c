#include "store/disk_watch.h"

#include "store/data_directory.h"

namespace store {

std::string_view name_of(DiskLevel level) {
  switch (level) {
    case DiskLevel::roomy:
      return "roomy";
    case DiskLevel::no_caching:
      return "filling: files of upstream servers are not cached";
    case DiskLevel::no_extracting:
      return "nearly full: archives are not unpacked";
    case DiskLevel::no_uploads:
      return "full: uploads are refused";
  }
  return "";
}

DiskWatch::DiskWatch(std::string path, const Marks& marks)
    : path_(std::move(path)), marks_(marks), free_(store::free_bytes(path_)) {}

void DiskWatch::look() { free_ = store::free_bytes(path_); }

DiskLevel DiskWatch::level() const {
  const std::uint64_t free = free_;
  if (free < marks_.uploads) return DiskLevel::no_uploads;
  if (free < marks_.extracting) return DiskLevel::no_extracting;
  return free < marks_.caching ? DiskLevel::no_caching : DiskLevel::roomy;
}

bool DiskWatch::has_room_for(std::uint64_t size) const {
  const std::uint64_t free = free_;
  return free >= marks_.uploads && free - marks_.uploads >= size;
}

}  // namespace store
