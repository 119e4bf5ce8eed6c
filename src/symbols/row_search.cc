#include "symbols/row_search.h"

#include <limits>

namespace symbols {
namespace {

std::int64_t from_zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

std::uint32_t moved(std::uint32_t from, std::uint64_t zigzag) {
  return static_cast<std::uint32_t>(from + static_cast<std::uint64_t>(from_zigzag(zigzag)));
}

}  // namespace

std::uint64_t RowSearch::uleb_slowly() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; at_ != end_ && shift < 64; shift += 7) {
    const std::uint8_t byte = *at_++;
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  failed_ = true;
  return 0;
}

RowSearch::Found RowSearch::find(std::uint64_t rva) {
  const bool ahead = rva >= address_ && rva >= block_start_ && rva < block_end_ && !failed_;
  if (!ahead) {
    if (file_.blocks.count() < 2 || rva < file_.bucket_first) return Found::kBeforeAll;
    if (!open_block(rva)) return Found::kDamaged;
  }
  while (has_next_ && next_address_ <= rva) {
    if (!read_row()) return Found::kDamaged;
  }
  return Found::kRow;
}

// The last block that starts at or before the address. The bucket narrows it to a few.
std::uint64_t RowSearch::block_of(std::uint64_t rva) const {
  const std::uint64_t last = file_.blocks.count() - 2;
  const std::uint64_t bucket = (rva - file_.bucket_first) >> file_.bucket_shift;
  if (file_.buckets.count() == 0 || bucket >= file_.buckets.count() - 1) return last;
  if (!file_.touch(file_.buckets, bucket) || !file_.touch(file_.buckets, bucket + 1)) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  std::uint64_t low = std::min(file_.buckets.get(bucket, 0), last);
  std::uint64_t high = std::min(file_.buckets.get(bucket + 1, 0), last);
  while (low < high) {
    const std::uint64_t middle = high - (high - low) / 2;
    if (!file_.touch(file_.blocks, middle)) return std::numeric_limits<std::uint64_t>::max();
    if (file_.blocks.get(middle, index::kBlockStart) <= rva) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

void RowSearch::bring_bucket(std::uint64_t rva) const {
  const std::uint64_t bucket = (rva - file_.bucket_first) >> file_.bucket_shift;
  if (bucket < file_.buckets.count()) __builtin_prefetch(file_.buckets.record(bucket));
}

void RowSearch::bring_block(std::uint64_t rva) const {
  const std::uint64_t bucket = (rva - file_.bucket_first) >> file_.bucket_shift;
  if (bucket >= file_.buckets.count()) return;
  const std::uint64_t block = file_.buckets.get(bucket, 0);
  if (block < file_.blocks.count()) __builtin_prefetch(file_.blocks.record(block));
}

void RowSearch::bring_rows(std::uint64_t rva) const {
  if (file_.blocks.count() < 2 || rva < file_.bucket_first) return;
  const std::uint64_t block = block_of(rva);
  if (block >= file_.blocks.count()) return;
  const std::uint64_t offset = file_.blocks.get(block, index::kBlockOffset);
  if (offset < file_.rows.size()) __builtin_prefetch(file_.rows.data() + offset);
}

bool RowSearch::open_block(std::uint64_t rva) {
  const std::uint64_t block = block_of(rva);
  block_start_ = 1;
  block_end_ = 0;
  failed_ = false;
  if (!file_.touch(file_.blocks, block) || !file_.touch(file_.blocks, block + 1)) return false;
  const std::uint64_t from = file_.blocks.get(block, index::kBlockOffset);
  const std::uint64_t to = file_.blocks.get(block + 1, index::kBlockOffset);
  if (from > to || to > file_.rows.size() || !file_.touch(file_.rows.data() + from, to - from)) {
    return false;
  }
  at_ = file_.rows.data() + from;
  end_ = file_.rows.data() + to;
  address_ = file_.blocks.get(block, index::kBlockStart);
  if (address_ > rva) return false;
  row_ = Row{};
  row_.function = static_cast<std::uint32_t>(uleb());
  has_next_ = true;
  next_control_ = uleb();
  next_address_ = address_;
  if (failed_ || !read_row()) return false;
  block_start_ = address_;
  const bool is_last = block + 2 >= file_.blocks.count();
  block_end_ = is_last ? std::numeric_limits<std::uint64_t>::max()
                       : file_.blocks.get(block + 1, index::kBlockStart);
  return true;
}

// Makes the next row the current one, and looks at where the one after it begins.
bool RowSearch::read_row() {
  address_ = next_address_;
  const std::uint64_t control = next_control_;
  row_.hole = false;
  row_.has_line = true;
  switch (control & 3) {
    case index::kRowLine:
      row_.line = moved(row_.line, uleb());
      break;
    case index::kRowFile:
      row_.file = static_cast<std::uint32_t>(uleb());
      row_.line = moved(row_.line, uleb());
      break;
    case index::kRowNode: {
      const std::uint64_t node = uleb();
      row_.node = moved(row_.node, node >> 1);
      if ((node & 1) != 0) row_.file = static_cast<std::uint32_t>(uleb());
      row_.line = moved(row_.line, uleb());
      break;
    }
    default:
      read_special();
      break;
  }
  has_next_ = at_ != end_;
  if (has_next_) {
    next_control_ = uleb();
    next_address_ = address_ + (next_control_ >> 2);
  }
  return !failed_;
}

void RowSearch::read_special() {
  const std::uint64_t what = uleb();
  row_.has_line = what == index::kSpecialFunction;
  if (what == index::kSpecialHole) {
    row_.hole = true;
    return;
  }
  if (what > index::kSpecialFunctionNoLine) {
    failed_ = true;
    return;
  }
  if (what != index::kSpecialNoLine) row_.function += static_cast<std::uint32_t>(uleb());
  row_.node = static_cast<std::uint32_t>(uleb());
  if (what == index::kSpecialFunction) {
    row_.file = static_cast<std::uint32_t>(uleb());
    row_.line = static_cast<std::uint32_t>(uleb());
  }
}

}  // namespace symbols
