// The texts of an open index by number. A block of texts is decompressed when one of its texts is
// first asked for, and then kept: views stay valid while the StringStore lives.
// Any thread may ask; two that need one block at once both decompress it, and one wins.
// A number that is not there, or a damaged block, gives nothing.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "symbols/index_file.h"

struct ZSTD_DDict_s;

namespace symbols {

class StringStore {
 public:
  explicit StringStore(const IndexFile& file);
  ~StringStore();
  StringStore(const StringStore&) = delete;
  StringStore& operator=(const StringStore&) = delete;

  std::optional<std::string_view> find(std::uint64_t id) const {
    if (id >= count_) [[unlikely]] return std::nullopt;
    const Text& text = found_[id];
    const char* const at = text.at.load(std::memory_order_acquire);
    if (at != nullptr) [[likely]] return std::string_view(at, text.size.load(std::memory_order_relaxed));
    return find_slowly(id);
  }

 private:
  // A text that was found once: `size` is written before `at`.
  struct Text {
    std::atomic<const char*> at;
    std::atomic<std::uint32_t> size;
  };
  struct Free {
    void operator()(void* memory) const;
  };

  std::optional<std::string_view> find_slowly(std::uint64_t id) const;
  const char* load(std::uint64_t block) const;

  const IndexFile& file_;
  std::uint64_t count_ = 0;
  std::unique_ptr<Text[], Free> found_;  // zeroed by the system, page by page as it is used
  std::uint64_t block_count_ = 0;
  std::unique_ptr<std::atomic<const char*>[]> blocks_;
  std::unique_ptr<std::uint32_t[]> sizes_;
  mutable std::atomic<ZSTD_DDict_s*> dictionary_{nullptr};
};

}  // namespace symbols
