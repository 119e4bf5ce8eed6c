#include "symbols/model.h"

#include <cstring>

namespace symbols {
namespace {
constexpr std::size_t kBlockSize = 256 * 1024;
}

StringTable::StringTable() {
  views_.emplace_back();
  ids_.emplace(std::string_view(), 0);
}

StringId StringTable::intern(std::string_view text) {
  if (const auto found = ids_.find(text); found != ids_.end()) return found->second;
  if (text.size() > block_left_) {
    const std::size_t size = std::max(kBlockSize, text.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    block_at_ = blocks_.back().get();
    block_left_ = size;
  }
  std::memcpy(block_at_, text.data(), text.size());
  const std::string_view kept(block_at_, text.size());
  block_at_ += text.size();
  block_left_ -= text.size();
  const StringId id = add_view(kept);
  ids_.emplace(kept, id);
  return id;
}

StringId StringTable::add_view(std::string_view text) {
  views_.push_back(text);
  return static_cast<StringId>(views_.size() - 1);
}

}  // namespace symbols
