#include "symbols/index_strings.h"

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/assert.h"
#include "base/pool.h"
#include "symbols/index_format.h"
#include "symbols/packed_table.h"

namespace symbols {
namespace {

// With less text than this a dictionary costs more than it saves.
constexpr std::size_t kMinTextForDictionary = 256 * 1024;

struct Key {
  std::uint64_t head;  // first eight bytes, so that most comparisons need no text
  std::uint32_t id;
};

std::uint64_t head_of(std::string_view text) {
  std::uint8_t bytes[8] = {};
  std::copy_n(text.begin(), std::min<std::size_t>(8, text.size()), bytes);
  std::uint64_t head = 0;
  for (const std::uint8_t byte : bytes) head = head << 8 | byte;
  return head;
}

struct Block {
  std::string_view first;  // for the dictionary
  std::string plain;
  std::vector<std::uint8_t> packed;
};

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
};

// Heads of evenly spaced blocks: texts are sorted, so this samples all that there is.
std::vector<std::uint8_t> make_dictionary(const std::vector<Block>& blocks, std::size_t text_size) {
  std::vector<std::uint8_t> dictionary;
  if (text_size < kMinTextForDictionary) return dictionary;
  const std::size_t wanted = std::min(index::kMaxDictionarySize, text_size / 16);
  const std::size_t piece = std::max<std::size_t>(256, wanted / blocks.size());
  const std::size_t pieces = wanted / piece;
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::string& text = blocks[i * blocks.size() / pieces].plain;
    const std::size_t size = std::min(piece, text.size());
    dictionary.insert(dictionary.end(), text.begin(), text.begin() + static_cast<long>(size));
  }
  return dictionary;
}

void pack(Block& block, const ZSTD_CDict* dictionary, int level) {
  const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
  ASSERT(context != nullptr);
  block.packed.resize(ZSTD_compressBound(block.plain.size()));
  const std::size_t size =
      dictionary != nullptr
          ? ZSTD_compress_usingCDict(context.get(), block.packed.data(), block.packed.size(),
                                     block.plain.data(), block.plain.size(), dictionary)
          : ZSTD_compressCCtx(context.get(), block.packed.data(), block.packed.size(),
                              block.plain.data(), block.plain.size(), level);
  if (ZSTD_isError(size) != 0 || size >= block.plain.size()) {
    block.packed.assign(block.plain.begin(), block.plain.end());  // kept as it is
  } else {
    block.packed.resize(size);
  }
}

}  // namespace

std::vector<std::uint32_t> IndexStrings::sorted_ids(unsigned threads) const {
  std::vector<Key> keys;
  for (std::uint32_t id = 0; id < ids_.size(); ++id) {
    if (ids_[id] == kUsed) keys.push_back({head_of(table_[id]), id});
  }
  const auto less = [&](const Key& a, const Key& b) {
    if (a.head != b.head) return a.head < b.head;
    const int order = table_[a.id].compare(table_[b.id]);
    return order != 0 ? order < 0 : a.id < b.id;
  };
  // Two halves side by side, then one merge: enough for what this costs.
  const auto middle = keys.begin() + static_cast<long>(threads > 1 ? keys.size() / 2 : 0);
  base::parallel_for(2, threads, [&](std::size_t part) {
    part == 0 ? std::sort(keys.begin(), middle, less) : std::sort(middle, keys.end(), less);
  });
  std::vector<Key> merged(keys.size());
  std::merge(keys.begin(), middle, middle, keys.end(), merged.begin(), less);
  std::vector<std::uint32_t> ids;
  ids.reserve(merged.size());
  for (const Key& key : merged) ids.push_back(key.id);
  return ids;
}

StringSections IndexStrings::build(unsigned threads, int level) {
  struct Place {
    std::uint64_t block;
    std::uint64_t offset;
  };
  const std::vector<std::uint32_t> sorted = sorted_ids(threads);
  std::vector<Place> places;
  std::vector<Block> blocks;
  std::size_t text_size = 0;
  std::string_view before;
  for (const std::uint32_t id : sorted) {
    const std::string_view text = table_[id];
    if (places.empty() || text != before) {
      const bool full = !blocks.empty() && !blocks.back().plain.empty() &&
                        blocks.back().plain.size() + text.size() > index::kStringBlockSize;
      if (blocks.empty() || full) blocks.emplace_back();
      places.push_back({blocks.size() - 1, blocks.back().plain.size()});
      blocks.back().plain += text;
      text_size += text.size();
      before = text;
    }
    ids_[id] = static_cast<std::uint32_t>(places.size() - 1);
  }

  StringSections out;
  out.dictionary = make_dictionary(blocks, text_size);
  std::unique_ptr<ZSTD_CDict, FreeContext> dictionary;
  if (!out.dictionary.empty()) {
    dictionary.reset(ZSTD_createCDict(out.dictionary.data(), out.dictionary.size(), level));
    ASSERT(dictionary != nullptr);
  }
  constexpr std::size_t kBlocksPerJob = 16;
  base::parallel_for((blocks.size() + kBlocksPerJob - 1) / kBlocksPerJob, threads,
                     [&](std::size_t job) {
                       const std::size_t end = std::min(blocks.size(), (job + 1) * kBlocksPerJob);
                       for (std::size_t i = job * kBlocksPerJob; i < end; ++i) {
                         pack(blocks[i], dictionary.get(), level);
                       }
                     });

  const std::uint64_t string_bits[] = {blocks.size(), index::kStringBlockSize};
  PackedWriter strings(places.size(), string_bits);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::uint64_t values[] = {places[i].block, places[i].offset};
    strings.put(i, values);
  }
  out.strings = strings.take();

  std::uint64_t block_bits[2] = {};
  for (const Block& block : blocks) {
    block_bits[0] += block.packed.size();
    block_bits[1] |= block.plain.size();
  }
  PackedWriter table(blocks.size() + 1, block_bits);
  for (std::size_t i = 0; i <= blocks.size(); ++i) {
    const std::uint64_t values[] = {out.data.size(),
                                    i < blocks.size() ? blocks[i].plain.size() : 0};
    table.put(i, values);
    if (i == blocks.size()) break;
    out.data.insert(out.data.end(), blocks[i].packed.begin(), blocks[i].packed.end());
  }
  out.blocks = table.take();
  return out;
}

}  // namespace symbols
