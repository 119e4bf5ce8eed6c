#include "symbols/string_store.h"

#include <zstd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/heap_size.h"

namespace symbols {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_DCtx* context_of_thread() {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  return context.get();
}

}  // namespace

void StringStore::Free::operator()(void* memory) const { std::free(memory); }

StringStore::StringStore(const IndexFile& file, MapShare& memory) : file_(file), memory_(memory) {
  // The table has one record more than there are blocks: where the last one ends.
  if (file.string_blocks.count() < 2 || !file.touch(file.string_blocks)) return;
  block_count_ = file.string_blocks.count() - 1;
  if (file.string_blocks.stride() == 0) block_count_ = 1;  // all there is is the empty text
  blocks_ = std::make_unique<std::atomic<const char*>[]>(block_count_);
  sizes_ = std::make_unique<std::uint32_t[]>(block_count_);
  for (std::uint64_t i = 0; i < block_count_; ++i) {
    const std::uint64_t size = file.string_blocks.get(i, index::kStringBlockPlainSize);
    sizes_[i] =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(size, index::kMaxStringBlockPlainSize));
  }
  const std::uint64_t count = file.strings.stride() == 0 ? 1 : file.strings.count();
  found_.reset(static_cast<Text*>(std::calloc(count, sizeof(Text))));
  if (found_ != nullptr) count_ = count;
  memory_.add(base::heap_size(block_count_ * sizeof(blocks_[0])) +
              base::heap_size(block_count_ * sizeof(sizes_[0])) +
              base::heap_size(count_ * sizeof(Text)));
}

StringStore::~StringStore() {
  for (std::uint64_t i = 0; i < block_count_; ++i) {
    const std::unique_ptr<const char[]> text(blocks_[i].load());
  }
  ZSTD_freeDDict(dictionary_.load());
}

std::string_view StringStore::find_slowly(std::uint64_t id) const {
  if (!file_.touch(file_.strings, id)) return {};
  const std::uint64_t block = file_.strings.get(id, index::kStringBlock);
  const std::uint64_t from = file_.strings.get(id, index::kStringOffset);
  if (block >= block_count_) return {};
  std::uint64_t to = sizes_[block];
  if (id + 1 < file_.strings.count()) {
    if (!file_.touch(file_.strings, id + 1)) return {};
    if (file_.strings.get(id + 1, index::kStringBlock) == block) {
      to = file_.strings.get(id + 1, index::kStringOffset);
    }
  }
  if (from > to || to > sizes_[block]) return {};
  const char* const text = load(block);
  if (text == nullptr) return {};
  const auto address = reinterpret_cast<std::uint64_t>(text + from);
  if (to - from <= kMaxSize && address >> (64 - kSizeBits) == 0) {
    found_[id].store(address << kSizeBits | (to - from), std::memory_order_release);
  }
  return std::string_view(text + from, to - from);
}

const char* StringStore::load(std::uint64_t block) const {
  if (const char* const text = blocks_[block].load(std::memory_order_acquire)) return text;
  const std::uint64_t from = file_.string_blocks.get(block, index::kStringBlockOffset);
  const std::uint64_t to = file_.string_blocks.get(block + 1, index::kStringBlockOffset);
  if (to < from) return nullptr;
  const auto packed = base::find_slice(file_.string_data, from, to - from);
  if (!packed || !file_.touch(*packed)) return nullptr;
  const std::size_t size = sizes_[block];
  auto text = std::make_unique<char[]>(size + 1);
  if (packed->size() == size) {
    if (size > 0) std::memcpy(text.get(), packed->data(), size);
  } else {
    const ZSTD_DDict* dictionary = nullptr;
    if (!file_.string_dictionary.empty()) {
      dictionary = load_dictionary();
      if (dictionary == nullptr) return nullptr;
    }
    ZSTD_DCtx* const context = context_of_thread();
    if (context == nullptr) return nullptr;
    const std::size_t got =
        dictionary != nullptr
            ? ZSTD_decompress_usingDDict(context, text.get(), size, packed->data(), packed->size(),
                                         dictionary)
            : ZSTD_decompressDCtx(context, text.get(), size, packed->data(), packed->size());
    if (ZSTD_isError(got) != 0 || got != size) return nullptr;
  }
  const char* expected = nullptr;
  if (blocks_[block].compare_exchange_strong(expected, text.get())) {
    memory_.add(base::heap_size(size + 1));
    return text.release();
  }
  return expected;
}

ZSTD_DDict* StringStore::load_dictionary() const {
  if (ZSTD_DDict* const known = dictionary_.load()) return known;
  if (!file_.touch(file_.string_dictionary)) return nullptr;
  ZSTD_DDict* const made =
      ZSTD_createDDict(file_.string_dictionary.data(), file_.string_dictionary.size());
  ZSTD_DDict* expected = nullptr;
  if (made == nullptr || dictionary_.compare_exchange_strong(expected, made)) {
    memory_.add(base::heap_size(ZSTD_sizeof_DDict(made)));
    return made;
  }
  ZSTD_freeDDict(made);
  return expected;
}

}  // namespace symbols
