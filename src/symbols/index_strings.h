// The texts of an index: sorted, each once, in blocks that are compressed with one dictionary.
// Collect with use(), then build() once; after that id_of() answers with the final number.
// The bytes do not depend on the number of threads. Belongs to one thread.
// Format: docs/formats/symbol-index.md, "Strings"
#pragma once

#include <cstdint>
#include <vector>

#include "symbols/model.h"

namespace symbols {

struct StringSections {
  std::vector<std::uint8_t> strings;     // kStrings
  std::vector<std::uint8_t> blocks;      // kStringBlocks
  std::vector<std::uint8_t> data;        // kStringData
  std::vector<std::uint8_t> dictionary;  // kStringDictionary
};

class IndexStrings {
 public:
  explicit IndexStrings(const StringTable& table) : table_(table), ids_(table.size(), kUnused) {}

  void use(StringId id) { ids_[id] = kUsed; }
  StringSections build(unsigned threads, int level);
  std::uint32_t id_of(StringId id) const { return ids_[id]; }

 private:
  static constexpr std::uint32_t kUnused = 0xffffffff;
  static constexpr std::uint32_t kUsed = 0xfffffffe;

  std::vector<std::uint32_t> sorted_ids(unsigned threads) const;

  const StringTable& table_;
  std::vector<std::uint32_t> ids_;
};

}  // namespace symbols
