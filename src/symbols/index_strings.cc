#include "symbols/index_strings.h"

#include <zstd.h>

#include <algorithm>
#include <memory>
#include <span>
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
  std::uint64_t head;  // eight bytes of the text, so that most comparisons need no text
  std::uint32_t id;
};

constexpr std::size_t kHeadSize = 8;

std::uint64_t head_of(std::string_view text) {
  std::uint8_t bytes[kHeadSize] = {};
  std::copy_n(text.begin(), std::min(kHeadSize, text.size()), bytes);
  std::uint64_t head = 0;
  for (const std::uint8_t byte : bytes) head = head << 8 | byte;
  return head;
}

// Names of one module share long beginnings, so comparing whole texts reads the same bytes again
// and again, each time from somewhere else in memory. Instead keys are sorted by eight bytes, and
// those that are equal once more by the eight that follow: a text is read once, piece by piece.
struct Run {  // of keys whose texts begin with the same `depth` bytes, and are longer
  std::size_t from;
  std::size_t to;
  std::size_t depth;
};
constexpr std::size_t kShortRun = 16;  // comparing whole texts costs no more here

void sort_whole(std::span<Key> keys, const StringTable& table) {
  std::sort(keys.begin(), keys.end(), [&](const Key& a, const Key& b) {
    const int order = table[a.id].compare(table[b.id]);
    return order != 0 ? order < 0 : a.id < b.id;
  });
}

// Those that end within the piece that is equal come first: they differ in zero bytes at most.
// Gives how many they are.
std::size_t sort_ended(std::span<Key> keys, std::size_t end, const StringTable& table) {
  const auto longer = std::partition(keys.begin(), keys.end(),
                                     [&](const Key& key) { return table[key.id].size() <= end; });
  const auto ended = static_cast<std::size_t>(longer - keys.begin());
  sort_whole(keys.first(ended), table);
  return ended;
}

// Puts the keys of a run in order, but for those that go on alike: they come to `runs`.
void sort_run(std::span<Key> all, const Run& run, const StringTable& table,
              std::vector<Run>& runs) {
  const std::span<Key> keys = all.subspan(run.from, run.to - run.from);
  if (keys.size() < kShortRun) {
    sort_whole(keys, table);
    return;
  }
  for (Key& key : keys) key.head = head_of(table[key.id].substr(run.depth));
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return a.head != b.head ? a.head < b.head : a.id < b.id;
  });
  const std::size_t depth = run.depth + kHeadSize;
  for (std::size_t from = 0, to = 0; from < keys.size(); from = to) {
    while (to < keys.size() && keys[to].head == keys[from].head) ++to;
    if (to - from == 1) continue;
    const std::size_t ended = sort_ended(keys.subspan(from, to - from), depth, table);
    if (to - from - ended > 1) runs.push_back({run.from + from + ended, run.from + to, depth});
  }
}

struct Block {
  std::size_t first = 0;  // of the texts in it
  std::size_t end = 0;
  std::size_t plain_size = 0;
  std::vector<std::uint8_t> packed;
};

// Each once, in order, with what is needed to find their bytes.
struct Texts {
  const StringTable& table;
  std::vector<StringId> ids;

  std::string plain(const Block& block) const {
    std::string plain;
    plain.reserve(block.plain_size);
    for (std::size_t i = block.first; i < block.end; ++i) plain += table[ids[i]];
    return plain;
  }
};

struct FreeContext {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_CDict* dictionary) const { ZSTD_freeCDict(dictionary); }
};

// Heads of evenly spaced blocks: texts are sorted, so this samples all that there is.
std::vector<std::uint8_t> make_dictionary(const std::vector<Block>& blocks, const Texts& texts,
                                          std::size_t text_size) {
  std::vector<std::uint8_t> dictionary;
  if (text_size < kMinTextForDictionary) return dictionary;
  const std::size_t wanted = std::min(index::kMaxDictionarySize, text_size / 16);
  const std::size_t piece = std::max<std::size_t>(256, wanted / blocks.size());
  const std::size_t pieces = wanted / piece;
  for (std::size_t i = 0; i < pieces; ++i) {
    const std::string text = texts.plain(blocks[i * blocks.size() / pieces]);
    const std::size_t size = std::min(piece, text.size());
    dictionary.insert(dictionary.end(), text.begin(), text.begin() + static_cast<long>(size));
  }
  return dictionary;
}

// Compresses blocks one after the other. Making a context asks the processor what it can, which is
// slow on a virtual machine, so it serves for many.
class Packer {
 public:
  Packer(const ZSTD_CDict* dictionary, int level)
      : context_(ZSTD_createCCtx()), dictionary_(dictionary), level_(level) {
    ASSERT(context_ != nullptr);
  }

  std::vector<std::uint8_t> pack(std::string_view plain) {
    buffer_.resize(std::max(buffer_.size(), ZSTD_compressBound(plain.size())));
    const std::size_t size =
        dictionary_ != nullptr
            ? ZSTD_compress_usingCDict(context_.get(), buffer_.data(), buffer_.size(), plain.data(),
                                       plain.size(), dictionary_)
            : ZSTD_compressCCtx(context_.get(), buffer_.data(), buffer_.size(), plain.data(),
                                plain.size(), level_);
    if (ZSTD_isError(size) != 0 || size >= plain.size()) {
      return {plain.begin(), plain.end()};  // kept as it is
    }
    return {buffer_.begin(), buffer_.begin() + static_cast<long>(size)};
  }

 private:
  const std::unique_ptr<ZSTD_CCtx, FreeContext> context_;
  const ZSTD_CDict* dictionary_;
  int level_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace

std::vector<std::uint32_t> IndexStrings::sorted_ids(unsigned threads) const {
  std::vector<Key> keys;
  for (std::uint32_t id = 0; id < ids_.size(); ++id) {
    if (ids_[id] == kUsed) keys.push_back({0, id});
  }
  std::vector<Run> runs;
  sort_run(keys, {0, keys.size(), 0}, table_, runs);
  base::parallel_for(runs.size(), threads, [&](std::size_t i) {
    std::vector<Run> left{runs[i]};
    while (!left.empty()) {
      const Run run = left.back();
      left.pop_back();
      sort_run(keys, run, table_, left);
    }
  });
  std::vector<std::uint32_t> ids;
  ids.reserve(keys.size());
  for (const Key& key : keys) ids.push_back(key.id);
  return ids;
}

StringSections IndexStrings::build(unsigned threads, int level) {
  struct Place {
    std::uint64_t block;
    std::uint64_t offset;
  };
  const std::vector<std::uint32_t> sorted = sorted_ids(threads);
  Texts texts{table_, {}};
  std::vector<Place> places;
  std::vector<Block> blocks;
  std::size_t text_size = 0;
  std::string_view before;
  for (const std::uint32_t id : sorted) {
    const std::string_view text = table_[id];
    if (places.empty() || text != before) {
      const bool full = !blocks.empty() && blocks.back().plain_size != 0 &&
                        blocks.back().plain_size + text.size() > index::kStringBlockSize;
      if (blocks.empty() || full) blocks.push_back({texts.ids.size(), 0, 0, {}});
      places.push_back({blocks.size() - 1, blocks.back().plain_size});
      texts.ids.push_back(id);
      blocks.back().end = texts.ids.size();
      blocks.back().plain_size += text.size();
      text_size += text.size();
      before = text;
    }
    ids_[id] = static_cast<std::uint32_t>(places.size() - 1);
  }

  StringSections out;
  out.dictionary = make_dictionary(blocks, texts, text_size);
  std::unique_ptr<ZSTD_CDict, FreeContext> dictionary;
  if (!out.dictionary.empty()) {
    dictionary.reset(ZSTD_createCDict(out.dictionary.data(), out.dictionary.size(), level));
    ASSERT(dictionary != nullptr);
  }
  constexpr std::size_t kBlocksPerJob = 256;
  base::parallel_for((blocks.size() + kBlocksPerJob - 1) / kBlocksPerJob, threads,
                     [&](std::size_t job) {
                       Packer packer(dictionary.get(), level);
                       const std::size_t end = std::min(blocks.size(), (job + 1) * kBlocksPerJob);
                       for (std::size_t i = job * kBlocksPerJob; i < end; ++i) {
                         blocks[i].packed = packer.pack(texts.plain(blocks[i]));
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
    block_bits[1] |= block.plain_size;
  }
  PackedWriter table(blocks.size() + 1, block_bits);
  for (std::size_t i = 0; i <= blocks.size(); ++i) {
    const std::uint64_t values[] = {out.data.size(), i < blocks.size() ? blocks[i].plain_size : 0};
    table.put(i, values);
    if (i == blocks.size()) break;
    out.data.insert(out.data.end(), blocks[i].packed.begin(), blocks[i].packed.end());
  }
  out.blocks = table.take();
  return out;
}

}  // namespace symbols
