#include "supply/cut_section.h"

#include "base/file.h"
#include "formats/elf/elf.h"

namespace supply {

base::Result<FilePart> find_section(const std::string& elf_path, std::string_view section) {
  const auto file = TRY(base::MappedFile::open(elf_path));
  const elf::File elf = TRY(elf::File::parse(file->bytes()));
  const elf::Section* const found = elf.find_section(section);
  if (found == nullptr || elf.raw(*found).empty()) {
    return base::Error{base::Fault::not_found, "it has no section of that name with bytes in it"};
  }
  return FilePart{found->offset, found->size};
}

}  // namespace supply
