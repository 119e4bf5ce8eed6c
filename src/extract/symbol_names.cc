#include "extract/symbol_names.h"

#include <algorithm>

namespace extract {
namespace {

// "$a", "$t.12", "$x", "$d": marks of ARM and RISC-V assemblers, not names.
bool is_mapping_symbol(std::string_view name) {
  return name.size() >= 2 && name[0] == '$' && (name.size() == 2 || name[2] == '.') &&
         (name[1] == 'a' || name[1] == 't' || name[1] == 'd' || name[1] == 'x');
}

bool is_code(const elf::File& file, const elf::Symbol& symbol) {
  if (symbol.name.empty() || symbol.section == elf::kShnUndefined) return false;
  const bool typed = symbol.type == elf::kSttFunc || symbol.type == elf::kSttGnuIfunc;
  // Assembly often leaves the type out.
  if (!typed && symbol.type != elf::kSttNotype) return false;
  if (symbol.section >= file.sections().size()) return false;  // absolute, common
  return file.sections()[symbol.section].is_code() && !is_mapping_symbol(symbol.name);
}

void collect(const elf::File& file, const std::vector<elf::Symbol>& symbols,
             std::vector<NamedAddress>& all) {
  std::string_view source;  // locals stand behind the STT_FILE symbol of their object
  for (const elf::Symbol& symbol : symbols) {
    if (symbol.type == elf::kSttFile) source = symbol.name;
    if (!is_code(file, symbol)) continue;
    // The lowest bit of an ARM address says Thumb; it is no part of the place.
    const std::uint64_t mask =
        file.machine() == elf::kEmArm ? ~std::uint64_t{1} : ~std::uint64_t{0};
    const bool local = symbol.binding == elf::kStbLocal;
    all.push_back({symbol.address & mask, symbol.size, symbol.name,
                   local ? source : std::string_view(), false});
  }
}

bool by_place(const NamedAddress& a, const NamedAddress& b) { return a.address < b.address; }

}  // namespace

SymbolNames SymbolNames::make(const elf::File& file, const elf::File* mini) {
  std::vector<elf::Symbol> symbols = elf::read_symbols(file, elf::SymbolTable::symtab);
  SymbolNames names;
  std::vector<NamedAddress> all;
  if (symbols.empty()) {
    if (mini != nullptr) {
      collect(*mini, elf::read_symbols(*mini, elf::SymbolTable::symtab), all);
    }
    symbols = elf::read_symbols(file, elf::SymbolTable::dynsym);
  }
  collect(file, symbols, all);
  std::vector<std::uint32_t> order(all.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const NamedAddress& x = all[a];
    const NamedAddress& y = all[b];
    if (x.address != y.address) return x.address < y.address;
    return x.size != y.size ? x.size < y.size : a < b;
  });
  for (const std::uint32_t i : order) {
    const NamedAddress& name = all[i];
    if (!names.best_.empty() && names.best_.back().address == name.address) {
      const bool differs = names.best_.back().name != name.name || names.best_.back().multiple;
      names.best_.back() = name;
      names.best_.back().multiple = differs;
    } else {
      names.best_.push_back(name);
    }
  }
  return names;
}

const NamedAddress* SymbolNames::find_at(std::uint64_t address) const {
  const auto at = std::lower_bound(best_.begin(), best_.end(),
                                   NamedAddress{address, 0, {}, {}, false}, by_place);
  return at != best_.end() && at->address == address ? &*at : nullptr;
}

}  // namespace extract
