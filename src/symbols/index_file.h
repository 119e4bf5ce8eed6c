// A symbol index opened for reading: sections, and the check of each page at first touch.
// Not a lookup: symbols/map.cc searches what this opens.
// Views point into the mapped file, which this keeps alive.
// Immutable but for the record of verified pages, which is atomic: any thread may read.
// open() fails with malformed (head, section table, page table, a table that does not fit its
// section) or unsupported (version). touch() is false for bytes that are outside or damaged.
// Format: docs/formats/symbol-index.md
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/result.h"
#include "symbols/index_format.h"
#include "symbols/model.h"
#include "symbols/packed_table.h"

namespace symbols {

class IndexFile {
 public:
  static base::Result<std::unique_ptr<IndexFile>> open(
      std::shared_ptr<const base::MappedFile> file);

  const ModuleInfo& info() const { return info_; }

  // Sections that are absent are empty.
  PackedTable functions, function_names, blocks, nodes, publics, nearest, files, strings,
      string_blocks, unwind, rule_sets, rules, frame_data, fpo, buckets;
  std::uint64_t bucket_first = 0;
  unsigned bucket_shift = 0;
  base::Bytes rows, string_data, string_dictionary, unwind_rows, rule_set_data, rule_data;

  // Are these bytes of the file as they were written? Verifies their pages once.
  bool touch(const std::uint8_t* at, std::size_t size) const {
    const auto offset = static_cast<std::size_t>(at - paged_.data());
    const std::size_t page = offset >> index::kPageBits;
    if (((offset + size) >> index::kPageBits) == page && page < page_count_ &&
        page_states_[page].load(std::memory_order_acquire) == kGood) [[likely]] {
      return true;
    }
    return touch_slowly(at, size);
  }
  bool touch(base::Bytes bytes) const { return touch(bytes.data(), bytes.size()); }
  // Is there such a record, and is it sound?
  bool touch(const PackedTable& table, std::uint64_t index) const {
    return index < table.count() && touch(table.record(index), table.stride());
  }
  // All of a table that is searched as a whole.
  bool touch(const PackedTable& table) const {
    return touch(table.record(0), table.count() * table.stride());
  }
  // All of it: for who checks files.
  bool touch_everything() const { return touch(paged_); }
  std::uint64_t file_size() const { return file_->bytes().size(); }
  // Whether any page that was touched is not as it was written.
  bool is_damaged() const { return is_damaged_.load(std::memory_order_relaxed); }

  const std::string& path() const { return file_->path(); }  // "" of bytes in memory
  // Bytes of the heap, this object and the mapping's included; not the file's bytes.
  std::uint64_t heap_size() const;

 private:
  explicit IndexFile(std::shared_ptr<const base::MappedFile> file) : file_(std::move(file)) {}
  base::Result<void> read();
  base::Result<void> read_sections(base::Bytes table, std::uint32_t count);
  base::Result<void> read_info(base::Bytes bytes);
  base::Result<void> open_tables();
  base::Result<void> open_buckets();
  base::Error damaged(const std::string& what) const;
  base::Bytes section(std::uint32_t tag) const;
  bool touch_slowly(const std::uint8_t* at, std::size_t size) const;
  bool verify_page(std::size_t page) const;

  enum PageState : std::uint8_t { kUnknown, kGood, kBad };
  struct Entry {
    std::uint32_t tag;
    base::Bytes bytes;
    std::uint64_t hash;
  };
  std::shared_ptr<const base::MappedFile> file_;
  ModuleInfo info_;
  std::vector<Entry> entries_;
  base::Bytes paged_;        // what the pages cover
  base::Bytes page_hashes_;  // u64 each
  std::unique_ptr<std::atomic<std::uint8_t>[]> page_states_;
  std::size_t page_count_ = 0;
  mutable std::atomic<bool> is_damaged_ = false;
};

}  // namespace symbols
