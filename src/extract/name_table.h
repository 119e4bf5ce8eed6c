// The names of all units, made one list and demangled.
// Two steps, so that the second can run in parallel and the numbering depends on nothing but the
// input: collect() every unit's names, then finish(). Names in .debug_str are told apart by their
// place there, since linkers merge equal ones; the few others by their text.
// Demangled texts that come out equal get one StringId.
// One thread, but for what finish() does inside.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/dwarf/debug_info.h"
#include "symbols/model.h"

namespace extract {

class NameTable {
 public:
  explicit NameTable(const dwarf::DebugInfo& info)
      : info_(info), used_(info.sections().str.size() / 64 + 1) {}

  void collect(const std::vector<dwarf::NameRef>& names);
  // Demangles, and puts the texts into `strings`.
  void finish(unsigned threads, symbols::StringTable& strings);

  // REQUIRES: finish() was called, and the name was collected.
  symbols::StringId id_of(dwarf::NameRef name) const;

 private:
  void list_texts();

  const dwarf::DebugInfo& info_;
  std::vector<std::uint64_t> used_;   // a bit for each byte of .debug_str where a name begins
  std::vector<std::uint32_t> ranks_;  // names before each word of used_
  std::unordered_map<std::string_view, std::uint32_t> others_;  // → index, behind the ranked ones
  std::vector<std::string_view> texts_;  // as the compiler wrote them; those of .debug_str first
  std::vector<symbols::StringId> ids_;   // of each text
};

// Demangles texts in parallel and adds the results to `strings`, equal ones once; the answer has
// an id for each text. Empty texts get id 0.
std::vector<symbols::StringId> demangle_all(const std::vector<std::string_view>& texts,
                                            unsigned threads, symbols::StringTable& strings);

}  // namespace extract
