// An ELF file opened for reading: header, sections, segments, symbols, build id, debug link.
// Not a converter and not an identity: extract/ makes symbols and keys of what is here.
// Views point into the bytes given to parse(); keep those alive. Contents of a compressed
// section own their plain bytes.
// Immutable after parse(); any thread may read.
// parse() fails with malformed when there is no sane ELF header. Section or segment tables that
// lie outside the file are left out (a cut or stripped file still has an identity), and
// problems() says so. 32 and 64 bits, either byte order.
// Format: docs/formats/elf-dwarf.md
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace elf {

constexpr std::uint32_t kMaxSections = 1u << 20;  // -ffunction-sections objects have 100 000
constexpr std::uint32_t kMaxSegments = 1u << 16;
constexpr std::uint64_t kFreeExpansion = 64ull
                                         << 20;    // a section may grow so far whatever its ratio
constexpr std::uint64_t kMaxExpansionRatio = 200;  // and by so much beyond that

enum SectionType : std::uint32_t {
  kShtNull = 0,
  kShtProgbits = 1,
  kShtSymtab = 2,
  kShtStrtab = 3,
  kShtRela = 4,
  kShtNote = 7,
  kShtNobits = 8,
  kShtRel = 9,
  kShtDynsym = 11,
  kShtSymtabShndx = 18,
};
enum SectionFlag : std::uint64_t {
  kShfAlloc = 2,
  kShfExecinstr = 4,
  kShfTls = 0x400,
  kShfCompressed = 0x800,
};
enum SegmentType : std::uint32_t { kPtLoad = 1, kPtDynamic = 2, kPtNote = 4 };
enum SegmentFlag : std::uint32_t { kPfExecute = 1 };
enum Machine : std::uint16_t {
  kEm386 = 3,
  kEmMips = 8,
  kEmPpc = 20,
  kEmPpc64 = 21,
  kEmS390 = 22,
  kEmArm = 40,
  kEmX86_64 = 62,
  kEmAarch64 = 183,
  kEmRiscv = 243,
  kEmLoongarch = 258,
};

struct Section {
  std::string_view name;
  std::uint32_t index = 0;
  std::uint32_t type = 0;
  std::uint64_t flags = 0;
  std::uint64_t address = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  std::uint32_t link = 0;
  std::uint32_t info = 0;
  std::uint64_t entry_size = 0;

  bool is_code() const {
    return (flags & (kShfAlloc | kShfExecinstr)) == (kShfAlloc | kShfExecinstr);
  }
};

struct Segment {
  std::uint32_t type = 0;
  std::uint32_t flags = 0;
  std::uint64_t offset = 0;
  std::uint64_t address = 0;
  std::uint64_t file_size = 0;
  std::uint64_t memory_size = 0;
  std::uint64_t align = 0;
};

// Plain bytes of a section: of the file itself, or owned when they had to be expanded.
struct Contents {
  base::Bytes bytes;
  std::vector<std::uint8_t> owned;
};

struct DebugLink {
  std::string name;
  std::uint32_t crc = 0;
};

class File {
 public:
  static base::Result<File> parse(base::Bytes bytes);
  static bool has_magic(base::Bytes bytes);

  base::Bytes bytes() const { return bytes_; }
  bool is_64() const { return is_64_; }
  base::Endian endian() const { return endian_; }
  std::uint16_t machine() const { return machine_; }
  std::uint16_t type() const { return type_; }
  std::string_view arch() const;  // Breakpad's word: "x86_64", "arm64", …; "unknown"

  const std::vector<Section>& sections() const { return sections_; }
  const std::vector<Segment>& segments() const { return segments_; }
  const std::vector<std::string>& problems() const { return problems_; }
  const Section* find_section(std::string_view name) const;
  // ".debug_info" or its old compressed form ".zdebug_info".
  const Section* find_debug_section(std::string_view name) const;

  // As it lies in the file; empty for NOBITS and for what lies outside the file.
  base::Bytes raw(const Section& section) const;
  // Plain bytes: expands SHF_COMPRESSED (zlib, zstd) and .zdebug_ sections.
  // too_large past the limits above, unsupported for another method.
  base::Result<Contents> contents(const Section& section) const;

  // The whole build id; empty when there is none. Segments are asked first: a stripped or
  // mapped file may lack section headers.
  base::Bytes build_id() const { return build_id_; }
  std::optional<DebugLink> find_debug_link() const;
  std::string_view soname() const;  // "" when there is none

  // Lowest address of a PT_LOAD segment; 0 without segments. Addresses minus this are RVAs.
  std::uint64_t image_base() const { return image_base_; }

  struct CodeRange {
    std::uint64_t start = 0;
    std::uint64_t end = 0;
  };
  // Where code is: executable sections, else executable segments. Sorted, merged, never empty
  // ranges. Debug files keep their section headers, so it holds for them too.
  const std::vector<CodeRange>& code_ranges() const { return code_ranges_; }

  // Breakpad's id for files without build id: the first 4096 bytes of .text folded to 16 by
  // exclusive or. Breakpad reads on to a multiple of 16; symbolic stops at the section's end.
  enum class Fold : unsigned char { rounded_up, exact };
  std::optional<std::vector<std::uint8_t>> find_text_fold(Fold fold) const;

 private:
  File() = default;
  base::Result<void> read_header(base::Reader& reader);
  void read_sections(std::uint64_t table, std::uint64_t count, std::uint64_t entry_size,
                     std::uint64_t names_index);
  void read_segments(std::uint64_t table, std::uint64_t count, std::uint64_t entry_size);
  void find_build_id();
  void find_code_ranges();
  base::Reader reader_at(std::uint64_t offset) const;
  std::string_view string_in(const Section& strings, std::uint64_t offset) const;

  base::Bytes bytes_;
  base::Endian endian_ = base::Endian::little;
  bool is_64_ = false;
  std::uint16_t machine_ = 0;
  std::uint16_t type_ = 0;
  std::uint64_t image_base_ = 0;
  std::vector<Section> sections_;
  std::vector<Segment> segments_;
  std::vector<CodeRange> code_ranges_;
  std::vector<std::string> problems_;
  base::Bytes build_id_;
};

}  // namespace elf
