#include "extract/name_table.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <string>

#include "base/pool.h"
#include "symbols/demangle.h"

namespace extract {

void NameTable::collect(const std::vector<dwarf::NameRef>& names) {
  for (const dwarf::NameRef name : names) {
    if (name.section() == dwarf::NameRef::Section::str) {
      used_[name.offset() / 64] |= std::uint64_t{1} << (name.offset() % 64);
    } else if (!name.empty()) {
      others_.emplace(info_.text_of(name), static_cast<std::uint32_t>(others_.size()));
    }
  }
}

void NameTable::list_texts() {
  ranks_.reserve(used_.size());
  for (std::size_t word = 0; word < used_.size(); ++word) {
    ranks_.push_back(static_cast<std::uint32_t>(texts_.size()));
    for (std::uint64_t bits = used_[word]; bits != 0; bits &= bits - 1) {
      const std::size_t offset = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
      texts_.push_back(info_.text_of({dwarf::NameRef::Section::str, offset}));
    }
  }
  const std::size_t ranked = texts_.size();
  texts_.resize(ranked + others_.size());
  for (auto& [text, index] : others_) {
    index += static_cast<std::uint32_t>(ranked);
    texts_[index] = text;
  }
}

void NameTable::finish(unsigned threads, symbols::StringTable& strings) {
  list_texts();
  ids_ = demangle_all(texts_, threads, strings);
}

symbols::StringId NameTable::id_of(dwarf::NameRef name) const {
  if (name.empty()) return 0;
  if (name.section() != dwarf::NameRef::Section::str) {
    return ids_[others_.find(info_.text_of(name))->second];
  }
  const std::uint64_t word = name.offset() / 64;
  const std::uint64_t before = (std::uint64_t{1} << (name.offset() % 64)) - 1;
  return ids_[ranks_[word] + static_cast<std::uint32_t>(std::popcount(used_[word] & before))];
}

namespace {

constexpr std::size_t kChunk = 2048;  // names to a piece of work

struct Chunk {
  std::string texts;              // one after the other
  std::vector<std::size_t> ends;  // of each
  std::vector<std::size_t> hashes;
};

void demangle_chunk(const std::vector<std::string_view>& texts, std::size_t first, Chunk& chunk) {
  const std::size_t last = std::min(texts.size(), first + kChunk);
  for (std::size_t i = first; i < last; ++i) {
    if (!texts[i].empty()) chunk.texts += symbols::demangle(texts[i]);
    chunk.ends.push_back(chunk.texts.size());
  }
  chunk.texts.shrink_to_fit();
  std::size_t begin = 0;
  for (const std::size_t end : chunk.ends) {
    chunk.hashes.push_back(
        std::hash<std::string_view>{}(std::string_view(chunk.texts).substr(begin, end - begin)));
    begin = end;
  }
}

// Texts already added, by hash: the look-up that joins equal names.
class Seen {
 public:
  explicit Seen(std::size_t count) : slots_(std::bit_ceil(count * 2 + 16)) {}
  symbols::StringId id_of(std::string_view text, std::size_t hash, symbols::StringTable& strings) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      Slot& slot = slots_[at];
      if (slot.id == 0) {
        slot = {hash, strings.add_view(text)};
        return slot.id;
      }
      if (slot.hash == hash && strings[slot.id] == text) return slot.id;
    }
  }

 private:
  struct Slot {
    std::size_t hash = 0;
    symbols::StringId id = 0;
  };
  std::vector<Slot> slots_;
};

}  // namespace

std::vector<symbols::StringId> demangle_all(const std::vector<std::string_view>& texts,
                                            unsigned threads, symbols::StringTable& strings) {
  const auto chunks = std::make_shared<std::vector<Chunk>>((texts.size() + kChunk - 1) / kChunk);
  base::parallel_for(chunks->size(), threads,
                     [&](std::size_t i) { demangle_chunk(texts, i * kChunk, (*chunks)[i]); });
  std::vector<symbols::StringId> ids;
  ids.reserve(texts.size());
  Seen seen(texts.size());
  for (Chunk& chunk : *chunks) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < chunk.ends.size(); ++i) {
      const auto text = std::string_view(chunk.texts).substr(begin, chunk.ends[i] - begin);
      ids.push_back(text.empty() ? 0 : seen.id_of(text, chunk.hashes[i], strings));
      begin = chunk.ends[i];
    }
    chunk.ends = {};
    chunk.hashes = {};
  }
  strings.keep_alive(chunks);
  return ids;
}

}  // namespace extract
