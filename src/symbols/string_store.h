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
    if (!file_.touch(file_.strings, id)) [[unlikely]] return std::nullopt;
    const std::uint64_t block = file_.strings.get(id, index::kStringBlock);
    const std::uint64_t from = file_.strings.get(id, index::kStringOffset);
    if (block >= block_count_) [[unlikely]] return std::nullopt;
    const char* const text = load(block);
    if (text == nullptr) [[unlikely]] return std::nullopt;
    std::uint64_t to = sizes_[block];
    if (id + 1 < file_.strings.count()) {
      if (!file_.touch(file_.strings, id + 1)) [[unlikely]] return std::nullopt;
      if (file_.strings.get(id + 1, index::kStringBlock) == block) {
        to = file_.strings.get(id + 1, index::kStringOffset);
      }
    }
    if (from > to || to > sizes_[block]) [[unlikely]] return std::nullopt;
    return std::string_view(text + from, to - from);
  }

 private:
  const char* load(std::uint64_t block) const {
    const char* const text = texts_[block].load(std::memory_order_acquire);
    return text != nullptr ? text : load_slowly(block);
  }
  const char* load_slowly(std::uint64_t block) const;

  const IndexFile& file_;
  std::uint64_t block_count_ = 0;
  std::unique_ptr<std::atomic<const char*>[]> texts_;
  std::unique_ptr<std::uint32_t[]> sizes_;
  mutable std::atomic<ZSTD_DDict_s*> dictionary_{nullptr};
};

}  // namespace symbols
