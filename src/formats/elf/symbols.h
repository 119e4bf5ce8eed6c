// The symbols of an ELF file: .symtab and .dynsym, and the names of its PLT stubs.
// Not the neutral model: extract/ decides which become FUNC or PUBLIC.
// Names are views into the file's bytes (or into Contents that the table keeps).
// Pure functions; a symbol outside its section's bounds is given as it stands.
// Format: docs/formats/elf-dwarf.md
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/elf/elf.h"

namespace elf {

enum SymbolType : std::uint8_t {
  kSttNotype = 0,
  kSttObject = 1,
  kSttFunc = 2,
  kSttSection = 3,
  kSttFile = 4,
  kSttCommon = 5,
  kSttTls = 6,
  kSttGnuIfunc = 10,
};
enum SymbolBinding : std::uint8_t { kStbLocal = 0, kStbGlobal = 1, kStbWeak = 2 };
constexpr std::uint32_t kShnUndefined = 0;
constexpr std::uint32_t kShnAbsolute = 0xfff1;
constexpr std::uint32_t kShnCommon = 0xfff2;

struct Symbol {
  std::string_view name;
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::uint32_t section = 0;  // index, real even when it stands in SHT_SYMTAB_SHNDX
  std::uint8_t type = 0;
  std::uint8_t binding = 0;
  std::uint8_t other = 0;
};

enum class SymbolTable : unsigned char { symtab, dynsym };

// Empty when the file has no such table, or none of its bytes (a debug file's .dynsym).
std::vector<Symbol> read_symbols(const File& file, SymbolTable table);

struct PltStub {
  std::uint64_t address = 0;
  std::uint64_t size = 0;
  std::string name;  // "malloc@plt"
};
// x86_64 only, from .plt, .plt.sec and .plt.got: which GOT slot a stub jumps through tells
// its relocation, and that its symbol.
std::vector<PltStub> read_plt_stubs(const File& file);

}  // namespace elf
