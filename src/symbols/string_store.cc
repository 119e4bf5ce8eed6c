#include "symbols/string_store.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

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

StringStore::StringStore(const IndexFile& file) : file_(file) {
  // The table has one record more than there are blocks: where the last one ends.
  if (file.string_blocks.count() < 2 || !file.touch(file.string_blocks)) return;
  block_count_ = file.string_blocks.count() - 1;
  if (file.string_blocks.stride() == 0) block_count_ = 1;  // all there is is the empty text
  texts_ = std::make_unique<std::atomic<const char*>[]>(block_count_);
  sizes_ = std::make_unique<std::uint32_t[]>(block_count_);
  for (std::uint64_t i = 0; i < block_count_; ++i) {
    const std::uint64_t size = file.string_blocks.get(i, index::kStringBlockPlainSize);
    sizes_[i] = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(size, index::kMaxStringBlockPlainSize));
  }
}

StringStore::~StringStore() {
  for (std::uint64_t i = 0; i < block_count_; ++i) delete[] texts_[i].load();
  ZSTD_freeDDict(dictionary_.load());
}

const char* StringStore::load_slowly(std::uint64_t block) const {
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
    if (!file_.string_dictionary.empty() && dictionary_.load() == nullptr) {
      if (!file_.touch(file_.string_dictionary)) return nullptr;
      ZSTD_DDict* made =
          ZSTD_createDDict(file_.string_dictionary.data(), file_.string_dictionary.size());
      ZSTD_DDict* expected = nullptr;
      if (!dictionary_.compare_exchange_strong(expected, made)) ZSTD_freeDDict(made);
    }
    ZSTD_DCtx* const context = context_of_thread();
    if (context == nullptr) return nullptr;
    const std::size_t got =
        dictionary_.load() != nullptr
            ? ZSTD_decompress_usingDDict(context, text.get(), size, packed->data(),
                                         packed->size(), dictionary_.load())
            : ZSTD_decompressDCtx(context, text.get(), size, packed->data(), packed->size());
    if (ZSTD_isError(got) != 0 || got != size) return nullptr;
  }
  const char* expected = nullptr;
  if (texts_[block].compare_exchange_strong(expected, text.get())) return text.release();
  return expected;
}

}  // namespace symbols
