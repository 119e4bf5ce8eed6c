// Any bytes as an ELF file: everything the room reads.
#include <cstdint>

#include "formats/elf/elf.h"
#include "formats/elf/symbols.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto file = elf::File::parse({data, size});
  if (!file.ok()) return 0;
  file->soname();
  (void)file->find_debug_link();
  (void)file->find_text_fold(elf::File::Fold::rounded_up);
  (void)file->find_text_fold(elf::File::Fold::exact);
  for (const elf::Section& section : file->sections()) (void)file->contents(section);
  elf::read_symbols(*file, elf::SymbolTable::symtab);
  elf::read_symbols(*file, elf::SymbolTable::dynsym);
  elf::read_plt_stubs(*file);
  return 0;
}
