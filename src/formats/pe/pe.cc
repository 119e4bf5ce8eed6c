#include "formats/pe/pe.h"

#include <algorithm>
#include <cstdio>

#include "base/text.h"

namespace pe {
namespace {

using base::Bytes;
using base::Error;
using base::Fault;
using base::Result;

constexpr std::uint16_t kMagic32 = 0x10b;
constexpr std::uint16_t kMagic64 = 0x20b;
constexpr std::uint32_t kMaxDirectories = 16;

Error malformed(std::string what) { return {Fault::malformed, "PE: " + std::move(what)}; }

std::string_view text_at(Bytes bytes, std::uint64_t offset, std::size_t size_max) {
  if (offset >= bytes.size()) return {};
  const std::string_view rest = base::text_of(bytes.subspan(static_cast<std::size_t>(offset)));
  return rest.substr(0, std::min({rest.find('\0'), rest.size(), size_max}));
}

// "/1234" stands for a name in the table of strings behind the COFF symbols.
std::string_view section_name(Bytes file, std::string_view name, std::uint64_t strings_at) {
  if (!name.starts_with('/') || strings_at == 0) return name;
  const auto offset = base::parse_decimal(name.substr(1));
  if (!offset) return name;
  const std::string_view found = text_at(file, strings_at + *offset, kMaxPathSize);
  return found.empty() ? name : found;
}

// crossgen hides the target system in the machine, so that Windows does not load such a file.
std::uint16_t undisguised(std::uint16_t machine) {
  for (const int system : {0x7b79 /* Linux */, 0x4644 /* Apple */, 0xadc4 /* FreeBSD */,
                           0x1993 /* NetBSD */, 0x1992 /* SunOS */}) {
    const auto candidate = static_cast<std::uint16_t>(machine ^ system);
    for (const std::uint16_t known : {kMachineI386, kMachineAmd64, kMachineArmNt, kMachineArm64}) {
      if (candidate == known) return known;
    }
  }
  return machine;
}

std::optional<CodeView> find_code_view(const DebugEntry& entry) {
  base::Reader r(entry.data);
  CodeView found;
  found.stamp = entry.stamp;
  found.portable = entry.minor == 0x504d && entry.major >= 0x100;  // "PM"
  const Bytes magic = r.bytes(4);
  if (base::text_of(magic) == "RSDS") {
    const Bytes guid = r.bytes(found.guid.size());
    if (r.ok()) std::copy(guid.begin(), guid.end(), found.guid.begin());
  } else if (base::text_of(magic) == "NB10") {
    found.kind = CodeView::Kind::nb10;
    r.u32();  // offset: 0, the symbols are elsewhere
    found.signature = r.u32();
  } else {
    return std::nullopt;  // NB09, NB11: symbols inside the image
  }
  found.age = r.u32();
  if (r.failed()) return std::nullopt;
  found.path = text_at(entry.data, r.offset(), kMaxPathSize);
  return found;
}

}  // namespace

bool File::has_magic(Bytes bytes) {
  if (bytes.size() < 64 || base::text_of(bytes.first(2)) != "MZ") return false;
  base::Reader r(bytes);
  r.seek(0x3c);
  const auto found = base::find_slice(bytes, r.u32(), 4);
  return found && base::text_of(*found) == std::string_view("PE\0\0", 4);
}

Result<File> File::parse(Bytes bytes) {
  if (!has_magic(bytes)) return malformed("no \"MZ\" with a \"PE\" where it points");
  File file;
  file.bytes_ = bytes;
  base::Reader r(bytes);
  r.seek(0x3c);
  const std::uint64_t at = r.u32();
  r.seek(at + 4);
  file.machine_ = r.u16();
  const std::uint32_t section_count = r.u16();
  file.timestamp_ = r.u32();
  const std::uint64_t symbols_at = r.u32();
  const std::uint64_t symbol_count = r.u32();
  const std::uint32_t optional_size = r.u16();
  file.characteristics_ = r.u16();
  const std::uint64_t optional_at = r.offset();
  const std::uint16_t magic = r.u16();
  TRY(r.check("PE header"));
  if (magic != kMagic32 && magic != kMagic64) {
    return malformed("optional header of kind " + std::to_string(magic) + " is not an image's");
  }
  file.is_64_ = magic == kMagic64;
  r.seek(optional_at + (file.is_64_ ? 24 : 28));
  file.image_base_ = r.sized(file.is_64_ ? 8 : 4);
  r.seek(optional_at + 56);
  file.size_of_image_ = r.u32();
  TRY(r.check("PE optional header"));
  const std::uint64_t optional_end = optional_at + optional_size;
  r.seek(optional_at + (file.is_64_ ? 108 : 92));
  std::uint32_t directory_count = std::min(r.u32(), kMaxDirectories);
  if (directory_count == 0) directory_count = kMaxDirectories;  // the header's size decides
  for (std::uint32_t i = 0; i < directory_count && r.offset() + 8 <= optional_end; ++i) {
    const std::uint32_t rva = r.u32();
    const std::uint32_t size = r.u32();
    if (r.failed()) break;
    file.directories_.push_back({rva, size});
  }
  base::Reader sections(bytes);
  sections.seek(optional_end);
  file.read_sections(sections, section_count, symbols_at == 0 ? 0 : symbols_at + symbol_count * 18);
  file.read_debug_directory();
  return file;
}

void File::read_sections(base::Reader& r, std::uint32_t count, std::uint64_t strings_at) {
  for (std::uint32_t i = 0; i < count; ++i) {
    const Bytes name = r.bytes(8);
    Section section;
    section.virtual_size = r.u32();
    section.rva = r.u32();
    section.raw_size = r.u32();
    section.offset = r.u32();
    r.skip(12);  // relocations, line numbers
    section.characteristics = r.u32();
    if (r.failed()) {
      problems_.push_back("section " + std::to_string(i) + " of " + std::to_string(count) +
                          " lies outside the file");
      return;
    }
    section.name = section_name(bytes_, text_at(name, 0, 8), strings_at);
    sections_.push_back(section);
  }
}

const Section* File::find_section(std::string_view name) const {
  for (const Section& section : sections_) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

Bytes File::raw(const Section& section) const {
  return base::find_slice(bytes_, section.offset, section.raw_size).value_or(Bytes());
}

Directory File::directory(DirectoryIndex index) const {
  return index < directories_.size() ? directories_[index] : Directory{};
}

Bytes File::from_rva(std::uint64_t rva) const {
  for (const Section& section : sections_) {
    // A section without a size in the file, but with a place there, is as long as in memory.
    const bool sizeless = section.raw_size == 0 && section.offset != 0;
    const std::uint64_t section_size = sizeless ? section.virtual_size : section.raw_size;
    if (rva < section.rva || rva - section.rva >= section_size) continue;
    const std::uint64_t skip = rva - section.rva;
    const std::uint64_t at = section.offset + skip;
    if (at >= bytes_.size()) return {};
    return bytes_.subspan(
        static_cast<std::size_t>(at),
        static_cast<std::size_t>(std::min<std::uint64_t>(section_size - skip, bytes_.size() - at)));
  }
  return {};
}

std::optional<Bytes> File::find_rva(std::uint64_t rva, std::uint64_t size) const {
  return base::find_slice(from_rva(rva), 0, size);
}

void File::read_debug_directory() {
  constexpr std::uint32_t kEntrySize = 28;
  const Directory directory = this->directory(kDirectoryDebug);
  if (directory.rva == 0 || directory.size < kEntrySize) return;
  const std::uint32_t count = std::min(directory.size / kEntrySize, kMaxDebugEntries);
  const auto entries = find_rva(directory.rva, count * kEntrySize);
  if (!entries) {
    problems_.push_back("the debug directory lies outside the file");
    return;
  }
  base::Reader r(*entries);
  for (std::uint32_t i = 0; i < count; ++i) {
    DebugEntry entry;
    r.u32();  // characteristics
    entry.stamp = r.u32();
    entry.major = r.u16();
    entry.minor = r.u16();
    entry.type = r.u32();
    const std::uint32_t size = r.u32();
    const std::uint32_t rva = r.u32();
    const std::uint32_t offset = r.u32();
    auto data = base::find_slice(bytes_, offset, size);
    if (!data || offset == 0) data = find_rva(rva, size);
    if (data) {
      entry.data = *data;
    } else if (size != 0) {
      problems_.push_back("debug entry " + std::to_string(i) + " lies outside the file");
    }
    debug_entries_.push_back(entry);
  }
}

std::vector<CodeView> File::code_views() const {
  std::vector<CodeView> found;
  for (const DebugEntry& entry : debug_entries_) {
    if (entry.type != kDebugCodeView) continue;
    if (const auto view = find_code_view(entry)) found.push_back(*view);
  }
  return found;
}

std::vector<PdbChecksum> File::pdb_checksums() const {
  std::vector<PdbChecksum> found;
  for (const DebugEntry& entry : debug_entries_) {
    if (entry.type != kDebugPdbChecksum) continue;
    const std::string_view algorithm = text_at(entry.data, 0, 32);
    if (algorithm.size() + 1 >= entry.data.size()) continue;
    found.push_back({algorithm, entry.data.subspan(algorithm.size() + 1)});
  }
  return found;
}

std::optional<EmbeddedPdb> File::find_embedded_pdb() const {
  for (const DebugEntry& entry : debug_entries_) {
    if (entry.type != kDebugEmbeddedPortablePdb) continue;
    base::Reader r(entry.data);
    EmbeddedPdb embedded;
    if (base::text_of(r.bytes(4)) != "MPDB") continue;
    embedded.size = r.u32();
    embedded.packed = r.bytes(r.remaining());
    if (!r.failed()) return embedded;
  }
  return std::nullopt;
}

std::vector<PerfMap> File::perf_maps() const {
  std::vector<PerfMap> found;
  for (const DebugEntry& entry : debug_entries_) {
    if (entry.type != kDebugPerfMap) continue;
    base::Reader r(entry.data);
    PerfMap map;
    if (base::text_of(r.bytes(4)) != "R2RM") continue;
    map.signature = r.bytes(16);
    map.version = r.u32();
    if (r.failed()) continue;
    map.path = text_at(entry.data, r.offset(), kMaxPathSize);
    found.push_back(map);
  }
  return found;
}

std::string File::code_id() const {
  char text[32];
  const int size = std::snprintf(text, sizeof text, "%08X%x", timestamp_, size_of_image_);
  return {text, static_cast<std::size_t>(size)};
}

std::string_view File::arch() const {
  switch (undisguised(machine_)) {
    case kMachineI386:
      return "x86";
    case kMachineAmd64:
      return "x86_64";
    case kMachineArm:
    case kMachineThumb:
    case kMachineArmNt:
      return "arm";
    case kMachineArm64:
    case kMachineArm64X:
      return "arm64";
    case kMachineArm64Ec:
      return "arm64ec";
    case kMachineIa64:
      return "ia64";
    case kMachineRiscv64:
      return "riscv64";
    case kMachineLoongarch64:
      return "loongarch64";
    default:
      return "unknown";
  }
}

}  // namespace pe
