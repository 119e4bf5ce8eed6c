// The texts of an open index by number. A block of texts is decompressed when one of its texts is
// first asked for, and then kept: views stay valid while the StringStore lives.
// Any thread may ask; two that need one block at once both decompress it, and one wins.
// A number that is not there, or a damaged block, gives nothing.
// What it takes of the heap is added to the MapShare that it is given, which outlives it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "symbols/index_file.h"
#include "symbols/map_memory.h"

struct ZSTD_DDict_s;

namespace symbols {

class StringStore {
 public:
  StringStore(const IndexFile& file, MapShare& memory);
  ~StringStore();
  StringStore(const StringStore&) = delete;
  StringStore& operator=(const StringStore&) = delete;

  std::optional<std::string_view> find(std::uint64_t id) const {
    if (id >= count_) [[unlikely]]
      return std::nullopt;
    const std::uint64_t text = found_[id].load(std::memory_order_acquire);
    if (text == 0) [[unlikely]] {
      const std::string_view found = find_slowly(id);
      return found.data() == nullptr ? std::nullopt : std::optional(found);
    }
    return std::string_view(reinterpret_cast<const char*>(text >> kSizeBits), text & kMaxSize);
  }

 private:
  // A text that was found once: its address and its size in one word, since an address has 47
  // bits. The few texts that are longer are found the slow way each time.
  using Text = std::atomic<std::uint64_t>;
  static constexpr unsigned kSizeBits = 16;
  static constexpr std::uint64_t kMaxSize = (1u << kSizeBits) - 1;

  struct Free {
    void operator()(void* memory) const;
  };

  // Null data: none. An optional would be written to memory, and be read from there by find() too.
  std::string_view find_slowly(std::uint64_t id) const;
  const char* load(std::uint64_t block) const;
  ZSTD_DDict_s* load_dictionary() const;

  const IndexFile& file_;
  MapShare& memory_;
  std::uint64_t count_ = 0;
  std::unique_ptr<Text[], Free> found_;  // zeroed by the system, page by page as it is used
  std::uint64_t block_count_ = 0;
  std::unique_ptr<std::atomic<const char*>[]> blocks_;
  std::unique_ptr<std::uint32_t[]> sizes_;
  mutable std::atomic<ZSTD_DDict_s*> dictionary_{nullptr};
};

}  // namespace symbols
