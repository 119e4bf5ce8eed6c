#include "formats/elf/symbols.h"

#include <algorithm>
#include <unordered_map>

namespace elf {
namespace {

std::string_view text_at(base::Bytes strings, std::uint64_t offset) {
  if (offset >= strings.size()) return {};
  const std::string_view rest = base::text_of(strings.subspan(static_cast<std::size_t>(offset)));
  return rest.substr(0, std::min(rest.find('\0'), rest.size()));
}

const Section* find_table(const File& file, SymbolTable table) {
  const std::uint32_t type = table == SymbolTable::symtab ? kShtSymtab : kShtDynsym;
  for (const Section& section : file.sections()) {
    if (section.type == type) return &section;
  }
  return nullptr;
}

// Section indexes that do not fit 16 bits stand in a table of their own.
base::Bytes find_extended_indexes(const File& file, std::uint32_t table_index) {
  for (const Section& section : file.sections()) {
    if (section.type == kShtSymtabShndx && section.link == table_index) return file.raw(section);
  }
  return {};
}

Symbol read_symbol(base::Reader& r, bool is_64, base::Bytes strings) {
  Symbol s;
  const std::uint32_t name = r.u32();
  if (!is_64) {
    s.address = r.u32();
    s.size = r.u32();
  }
  const std::uint8_t info = r.u8();
  s.other = r.u8();
  s.section = r.u16();
  if (is_64) {
    s.address = r.u64();
    s.size = r.u64();
  }
  s.type = info & 15;
  s.binding = static_cast<std::uint8_t>(info >> 4);
  s.name = text_at(strings, name);
  return s;
}

std::vector<Symbol> read_table(const File& file, const Section& section) {
  constexpr std::uint32_t kIndexElsewhere = 0xffff;
  if (section.link >= file.sections().size()) return {};
  const base::Bytes strings = file.raw(file.sections()[section.link]);
  const base::Bytes extended = find_extended_indexes(file, section.index);
  base::Reader r(file.raw(section), file.endian());
  base::Reader indexes(extended, file.endian());
  const std::uint64_t entry = file.is_64() ? 24 : 16;
  std::vector<Symbol> symbols;
  symbols.reserve(static_cast<std::size_t>(r.size() / entry));
  while (r.remaining() >= entry) {
    Symbol symbol = read_symbol(r, file.is_64(), strings);
    if (symbol.section == kIndexElsewhere) {
      indexes.seek(symbols.size() * 4);
      symbol.section = indexes.u32();
    }
    symbols.push_back(symbol);
  }
  return symbols;
}

// GOT slot → name of the function it holds, from the relocations that fill it.
std::unordered_map<std::uint64_t, std::string_view> read_got_names(
    const File& file, const std::vector<Symbol>& dynamic) {
  constexpr std::uint32_t kGlobDat = 6, kJumpSlot = 7;
  std::unordered_map<std::uint64_t, std::string_view> names;
  for (const Section& section : file.sections()) {
    if (section.type != kShtRela || (section.flags & kShfAlloc) == 0) continue;
    base::Reader r(file.raw(section), file.endian());
    while (r.remaining() >= 24) {
      const std::uint64_t slot = r.u64();
      const std::uint64_t info = r.u64();
      r.u64();  // addend
      const auto type = static_cast<std::uint32_t>(info);
      const std::uint64_t symbol = info >> 32;
      if ((type == kJumpSlot || type == kGlobDat) && symbol < dynamic.size() && symbol != 0) {
        names.emplace(slot, dynamic[static_cast<std::size_t>(symbol)].name);
      }
    }
  }
  return names;
}

// Where `jmp *disp(%rip)` in the stub at [start, start + size) leads: optional endbr64, optional
// bnd prefix. The first entry of .plt pushes first and is no stub.
std::optional<std::uint64_t> find_slot(base::Bytes code, std::uint64_t address) {
  constexpr std::uint8_t kEndbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};
  std::size_t at = 0;
  if (code.size() >= 4 && std::equal(kEndbr64, kEndbr64 + 4, code.begin())) at = 4;
  if (at < code.size() && code[at] == 0xf2) ++at;
  if (at + 6 > code.size() || code[at] != 0xff || code[at + 1] != 0x25) return std::nullopt;
  base::Reader r(code.subspan(at + 2));
  const auto displacement = static_cast<std::uint64_t>(static_cast<std::int64_t>(r.s32()));
  return address + at + 6 + displacement;
}

}  // namespace

std::vector<Symbol> read_symbols(const File& file, SymbolTable table) {
  const Section* section = find_table(file, table);
  if (section == nullptr) return {};
  return read_table(file, *section);
}

std::vector<PltStub> read_plt_stubs(const File& file) {
  if (file.machine() != kEmX86_64 || !file.is_64()) return {};
  const auto names = read_got_names(file, read_symbols(file, SymbolTable::dynsym));
  std::vector<PltStub> stubs;
  for (const Section& section : file.sections()) {
    const bool is_plt = section.name == ".plt" || section.name == ".plt.sec" ||
                        section.name == ".plt.got" || section.name == ".plt.bnd";
    if (!is_plt || !section.is_code()) continue;
    const base::Bytes code = file.raw(section);
    // .plt.got has 8-byte entries without endbr64, 16 with; every other table has 16.
    const std::size_t step = section.entry_size == 8 ? 8 : 16;
    for (std::size_t at = 0; at + step <= code.size(); at += step) {
      const auto slot = find_slot(code.subspan(at, step), section.address + at);
      const auto found = slot ? names.find(*slot) : names.end();
      if (found == names.end() || found->second.empty()) continue;
      stubs.push_back({section.address + at, step, std::string(found->second) + "@plt"});
    }
  }
  return stubs;
}

}  // namespace elf
