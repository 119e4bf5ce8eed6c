#include "extract/code_bytes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/text.h"
#include "formats/elf/elf.h"
#include "formats/elf/symbols.h"
#include "formats/macho/macho.h"
#include "formats/pe/pe.h"

namespace extract {
namespace {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;
using base::Rva;

Error no_code(Rva place) {
  std::array<char, 16> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), place.value, 16);
  return {Fault::not_found, "the module's file has no code at the offset 0x" +
                                std::string(digits.data(), end.ptr) + " of its image"};
}

// Part of a section: what is left of `bytes`, which lie at `start`, from `address` on. Empty bytes
// when the address is not in them.
struct Part {
  Bytes bytes;
  std::uint64_t start = 0;
};
Part from_address(Bytes bytes, std::uint64_t start, std::uint64_t address) {
  if (address < start || address - start >= bytes.size()) return {};
  return {bytes.subspan(static_cast<std::size_t>(address - start)), start};
}

// ---- ELF ----

Part find_elf_code(const elf::File& file, std::uint64_t address) {
  bool has_sections = false;
  for (const elf::Section& section : file.sections()) {
    if (!section.is_code()) continue;
    has_sections = true;
    const Part found = from_address(file.raw(section), section.address, address);
    if (!found.bytes.empty()) return found;
  }
  if (has_sections) return {};
  for (const elf::Segment& segment : file.segments()) {
    if (segment.type != elf::kPtLoad || (segment.flags & elf::kPfExecute) == 0) continue;
    const auto bytes = base::find_slice(file.bytes(), segment.offset, segment.file_size);
    if (!bytes) continue;
    const Part found = from_address(*bytes, segment.address, address);
    if (!found.bytes.empty()) return found;
  }
  return {};
}

// ARM's mapping symbols: from "$t" on the code is Thumb, from "$a" on it is not. They may have
// something behind: "$t.1".
std::optional<bool> find_thumb_mark(const std::vector<elf::Symbol>& symbols,
                                    std::uint64_t address) {
  std::optional<std::uint64_t> nearest;
  bool is_thumb = false;
  for (const elf::Symbol& symbol : symbols) {
    const bool marks = symbol.name.starts_with("$t") || symbol.name.starts_with("$a");
    if (!marks || (symbol.name.size() > 2 && symbol.name[2] != '.')) continue;
    if (symbol.address > address || (nearest && symbol.address < *nearest)) continue;
    nearest = symbol.address;
    is_thumb = symbol.name[1] == 't';
  }
  if (!nearest) return std::nullopt;
  return is_thumb;
}

// The address of a function in Thumb is odd in symbol tables.
std::optional<bool> find_odd_function(const std::vector<elf::Symbol>& symbols,
                                      std::uint64_t address) {
  std::optional<std::uint64_t> nearest;
  bool is_thumb = false;
  for (const elf::Symbol& symbol : symbols) {
    if (symbol.type != elf::kSttFunc || symbol.section == elf::kShnUndefined) continue;
    const std::uint64_t start = symbol.address & ~std::uint64_t{1};
    if (start > address || (nearest && start < *nearest)) continue;
    nearest = start;
    is_thumb = (symbol.address & 1) != 0;
  }
  if (!nearest) return std::nullopt;
  return is_thumb;
}

// Where nothing says so it is Thumb, as nearly all code of phones is.
bool is_elf_thumb(const elf::File& file, std::uint64_t address) {
  const auto symtab = elf::read_symbols(file, elf::SymbolTable::symtab);
  if (const auto marked = find_thumb_mark(symtab, address)) return *marked;
  if (const auto odd = find_odd_function(symtab, address)) return *odd;
  const auto dynsym = elf::read_symbols(file, elf::SymbolTable::dynsym);
  return find_odd_function(dynsym, address).value_or(true);
}

Result<CodeBytes> find_in_elf(Bytes bytes, Rva place) {
  const elf::File file = TRY(elf::File::parse(bytes));
  CodeBytes code;
  code.arch = std::string(file.arch());
  const auto address = base::checked_add(file.image_base(), place.value);
  if (!address) return no_code(place);
  const Part part = find_elf_code(file, *address);
  if (part.bytes.empty()) return no_code(place);
  code.bytes = part.bytes;
  code.section_start = Rva{part.start - file.image_base()};
  if (file.endian() != base::Endian::little) {
    return Error{Fault::unsupported, "the module's code is big-endian"};
  }
  if (file.machine() == elf::kEmArm) code.is_thumb = is_elf_thumb(file, *address);
  return code;
}

// ---- PE ----

Result<CodeBytes> find_in_pe(Bytes bytes, Rva place) {
  const pe::File file = TRY(pe::File::parse(bytes));
  for (const pe::Section& section : file.sections()) {
    if (!section.is_code() || place.value < section.rva) continue;
    const std::uint64_t skip = place.value - section.rva;
    // Padding to the file's alignment is no code.
    const std::uint64_t size = section.virtual_size != 0 ? section.virtual_size : section.raw_size;
    if (skip >= size) continue;
    Bytes found = file.from_rva(place.value);
    found =
        found.first(static_cast<std::size_t>(std::min<std::uint64_t>(found.size(), size - skip)));
    if (!found.empty()) {
      return CodeBytes{found, Rva{section.rva}, std::string(file.arch()), true};
    }
  }
  return no_code(place);
}

// ---- Mach-O ----

// Where __TEXT lies: addresses of the image are counted from there.
std::optional<std::uint64_t> find_text_address(const macho::Slice& slice) {
  for (const macho::LoadCommand& command : slice.commands()) {
    const bool is_wide = command.command == macho::kSegment64;
    if (!is_wide && command.command != macho::kSegment32) continue;
    base::Reader reader(command.bytes, slice.endian());
    reader.skip(8);
    const std::string_view name = base::text_of(reader.bytes(16));
    const std::uint64_t address = reader.sized(is_wide ? 8 : 4);
    if (!reader.failed() && name.substr(0, name.find('\0')) == "__TEXT") return address;
  }
  return std::nullopt;
}

bool is_code(const macho::Section& section) {
  constexpr std::uint32_t kOnlyInstructions = 0x80000000;
  constexpr std::uint32_t kSomeInstructions = 0x400;
  return (section.flags & (kOnlyInstructions | kSomeInstructions)) != 0 && section.offset != 0;
}

bool is_slice(const macho::Slice& slice, std::string_view uuid) {
  return slice.uuid() && base::equal_ignoring_case(base::hex_of(*slice.uuid()), uuid);
}

std::string macho_arch(const macho::Slice& slice) {
  switch (slice.cpu_type()) {
    case macho::kCpuX86_64:
      return "x86_64";  // x86_64h, too
    case macho::kCpuArm:
      return "arm";
    case macho::kCpuArm64:
    case macho::kCpuArm64_32:
      return "arm64";
    default:
      return slice.arch();
  }
}

Result<CodeBytes> find_in_macho(Bytes bytes, Rva place, std::string_view uuid) {
  const macho::File file = TRY(macho::File::parse(bytes));
  const auto& slices = file.slices();
  auto slice = slices.begin();
  if (slices.size() > 1) {
    slice = std::find_if(slices.begin(), slices.end(),
                         [&](const macho::Slice& one) { return is_slice(one, uuid); });
    if (slice == slices.end()) {
      return Error{Fault::not_found, "no slice of the fat file has the UUID that was asked for"};
    }
  }
  const auto base = find_text_address(*slice);
  const auto address = base::checked_add(base.value_or(0), place.value);
  if (!base || !address) return no_code(place);
  for (const macho::Section& section : slice->sections()) {
    if (!is_code(section)) continue;
    const auto whole = base::find_slice(slice->bytes(), section.offset, section.size);
    if (!whole) continue;
    const Part found = from_address(*whole, section.address, *address);
    if (!found.bytes.empty()) {
      return CodeBytes{found.bytes, Rva{found.start - *base}, macho_arch(*slice), true};
    }
  }
  return no_code(place);
}

}  // namespace

Result<CodeBytes> find_code(Bytes file, Rva place, std::string_view uuid) {
  if (elf::File::has_magic(file)) return find_in_elf(file, place);
  if (pe::File::has_magic(file)) return find_in_pe(file, place);
  if (macho::File::has_magic(file)) return find_in_macho(file, place, uuid);
  return Error{Fault::unsupported, "the module's file is no ELF, PE or Mach-O file"};
}

}  // namespace extract
