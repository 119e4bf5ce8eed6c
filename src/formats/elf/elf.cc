#include "formats/elf/elf.h"

#include <algorithm>

#include "formats/elf/notes.h"

namespace elf {
namespace {

constexpr std::size_t kHeaderSize32 = 52;
constexpr std::size_t kHeaderSize64 = 64;
constexpr std::uint64_t kNamesIndexElsewhere = 0xffff;
constexpr std::uint64_t kManySegments = 0xffff;
constexpr std::uint16_t kTypeMax = 4;            // ET_NONE … ET_CORE
constexpr std::size_t kLinkSizeMax = 64 * 1024;  // a file name and a checksum

struct Tables {
  std::uint64_t segments = 0, segment_size = 0, segment_count = 0;
  std::uint64_t sections = 0, section_size = 0, section_count = 0, names_index = 0;
};

base::Error malformed(std::string what) { return {base::Fault::malformed, std::move(what)}; }

Section read_section(base::Reader& r, bool is_64, std::uint32_t& name) {
  Section s;
  name = r.u32();
  s.type = r.u32();
  const unsigned word = is_64 ? 8 : 4;
  s.flags = r.sized(word);
  s.address = r.sized(word);
  s.offset = r.sized(word);
  s.size = r.sized(word);
  s.link = r.u32();
  s.info = r.u32();
  r.sized(word);  // alignment
  s.entry_size = r.sized(word);
  return s;
}

Segment read_segment(base::Reader& r, bool is_64) {
  Segment s;
  s.type = r.u32();
  if (is_64) s.flags = r.u32();
  const unsigned word = is_64 ? 8 : 4;
  s.offset = r.sized(word);
  s.address = r.sized(word);
  r.sized(word);  // physical address
  s.file_size = r.sized(word);
  s.memory_size = r.sized(word);
  if (!is_64) s.flags = r.u32();
  s.align = r.sized(word);
  return s;
}

std::string_view text_at(base::Bytes strings, std::uint64_t offset) {
  if (offset >= strings.size()) return {};
  const std::string_view rest = base::text_of(strings.subspan(static_cast<std::size_t>(offset)));
  return rest.substr(0, std::min(rest.find('\0'), rest.size()));
}

}  // namespace

bool File::has_magic(base::Bytes bytes) {
  return bytes.size() >= 4 && base::text_of(bytes.first(4)) ==
                                  "\x7f"
                                  "ELF";
}

base::Result<File> File::parse(base::Bytes bytes) {
  if (!has_magic(bytes)) {
    return malformed("not an ELF file: it does not begin with 7F 45 4C 46 (\"\\x7fELF\")");
  }
  if (bytes.size() < kHeaderSize32) {
    return malformed("ELF header cut short: the file has " + std::to_string(bytes.size()) +
                     " bytes, a header needs at least " + std::to_string(kHeaderSize32));
  }
  File file;
  file.bytes_ = bytes;
  if (bytes[4] != 1 && bytes[4] != 2) return malformed("ELF class is neither 32 nor 64 bits");
  if (bytes[5] != 1 && bytes[5] != 2) return malformed("ELF byte order is neither LSB nor MSB");
  file.is_64_ = bytes[4] == 2;
  file.endian_ = bytes[5] == 1 ? base::Endian::little : base::Endian::big;
  if (file.is_64_ && bytes.size() < kHeaderSize64) {
    return malformed("ELF header cut short: the file has " + std::to_string(bytes.size()) +
                     " bytes, a 64-bit header needs " + std::to_string(kHeaderSize64));
  }
  base::Reader reader(bytes, file.endian_);
  TRY(file.read_header(reader));
  file.find_build_id();
  file.find_code_ranges();
  return file;
}

base::Result<void> File::read_header(base::Reader& r) {
  r.seek(16);
  type_ = r.u16();
  machine_ = r.u16();
  r.u32();  // version
  const unsigned word = is_64_ ? 8 : 4;
  r.sized(word);  // entry
  Tables t;
  t.segments = r.sized(word);
  t.sections = r.sized(word);
  r.u32();  // flags
  r.u16();  // header size
  t.segment_size = r.u16();
  t.segment_count = r.u16();
  t.section_size = r.u16();
  t.section_count = r.u16();
  t.names_index = r.u16();
  TRY(r.check("ELF header"));
  if (type_ > kTypeMax && type_ < 0xfe00) {
    return malformed("ELF type " + std::to_string(type_) + " is unknown");
  }

  // Counts that do not fit 16 bits stand in section 0.
  const bool first_section_counts = t.section_count == 0 || t.names_index == kNamesIndexElsewhere ||
                                    t.segment_count == kManySegments;
  if (t.sections != 0 && first_section_counts) {
    base::Reader first = reader_at(t.sections);
    std::uint32_t name = 0;
    const Section zero = read_section(first, is_64_, name);
    if (first.ok()) {
      if (t.section_count == 0) t.section_count = zero.size;
      if (t.names_index == kNamesIndexElsewhere) t.names_index = zero.link;
      if (t.segment_count == kManySegments) t.segment_count = zero.info;
    }
  }
  read_segments(t.segments, t.segment_count, t.segment_size);
  read_sections(t.sections, t.section_count, t.section_size, t.names_index);
  return {};
}

base::Reader File::reader_at(std::uint64_t offset) const {
  base::Reader reader(bytes_, endian_);
  reader.seek(offset);
  return reader;
}

void File::read_segments(std::uint64_t table, std::uint64_t count, std::uint64_t entry_size) {
  const std::uint64_t least = is_64_ ? 56 : 32;
  if (table == 0 || count == 0) return;
  if (entry_size < least || count > kMaxSegments ||
      !base::find_slice(bytes_, table, count * entry_size)) {
    problems_.push_back("program headers at offset " + std::to_string(table) +
                        " lie outside the file");
    return;
  }
  bool have_base = false;
  for (std::uint64_t i = 0; i < count; ++i) {
    base::Reader r = reader_at(table + i * entry_size);
    const Segment segment = read_segment(r, is_64_);
    segments_.push_back(segment);
    if (segment.type != kPtLoad) continue;
    if (!have_base || segment.address < image_base_) image_base_ = segment.address;
    have_base = true;
  }
}

void File::read_sections(std::uint64_t table, std::uint64_t count, std::uint64_t entry_size,
                         std::uint64_t names_index) {
  const std::uint64_t least = is_64_ ? 64 : 40;
  if (table == 0 || count == 0) return;
  if (entry_size < least || count > kMaxSections ||
      !base::find_slice(bytes_, table, count * entry_size)) {
    problems_.push_back("section headers at offset " + std::to_string(table) +
                        " lie outside the file");
    return;
  }
  std::vector<std::uint32_t> names;
  for (std::uint64_t i = 0; i < count; ++i) {
    base::Reader r = reader_at(table + i * entry_size);
    std::uint32_t name = 0;
    Section section = read_section(r, is_64_, name);
    section.index = static_cast<std::uint32_t>(i);
    sections_.push_back(section);
    names.push_back(name);
  }
  if (names_index >= sections_.size()) return;
  const base::Bytes strings = raw(sections_[static_cast<std::size_t>(names_index)]);
  for (std::size_t i = 0; i < sections_.size(); ++i) sections_[i].name = text_at(strings, names[i]);
}

const Section* File::find_section(std::string_view name) const {
  for (const Section& section : sections_) {
    if (section.name == name && section.type != kShtNull) return &section;
  }
  return nullptr;
}

const Section* File::find_debug_section(std::string_view name) const {
  if (const Section* plain = find_section(name)) return plain;
  if (!name.starts_with(".debug")) return nullptr;
  return find_section(".z" + std::string(name.substr(1)));
}

base::Bytes File::raw(const Section& section) const {
  if (section.type == kShtNobits || section.type == kShtNull) return {};
  return base::find_slice(bytes_, section.offset, section.size).value_or(base::Bytes());
}

std::string_view File::string_in(const Section& strings, std::uint64_t offset) const {
  return text_at(raw(strings), offset);
}

void File::find_build_id() {
  for (const Segment& segment : segments_) {
    if (segment.type != kPtNote) continue;
    const auto notes = base::find_slice(bytes_, segment.offset, segment.file_size);
    if (!notes) continue;
    build_id_ = find_build_id_note(*notes, segment.align, endian_);
    if (!build_id_.empty()) return;
  }
  for (const Section& section : sections_) {
    if (section.type != kShtNote) continue;
    build_id_ = find_build_id_note(raw(section), 4, endian_);
    if (!build_id_.empty()) return;
  }
}

void File::find_code_ranges() {
  std::vector<CodeRange> found;
  const auto add = [&](std::uint64_t start, std::uint64_t size) {
    if (size != 0 && start + size > start) found.push_back({start, start + size});
  };
  for (const Section& section : sections_) {
    if (section.is_code()) add(section.address, section.size);
  }
  if (found.empty()) {
    for (const Segment& segment : segments_) {
      if (segment.type == kPtLoad && (segment.flags & kPfExecute) != 0) {
        add(segment.address, segment.memory_size);
      }
    }
  }
  std::sort(found.begin(), found.end(),
            [](const CodeRange& a, const CodeRange& b) { return a.start < b.start; });
  for (const CodeRange& range : found) {
    if (!code_ranges_.empty() && range.start <= code_ranges_.back().end) {
      code_ranges_.back().end = std::max(code_ranges_.back().end, range.end);
    } else {
      code_ranges_.push_back(range);
    }
  }
}

std::optional<DebugLink> File::find_debug_link() const {
  const Section* section = find_section(".gnu_debuglink");
  if (section == nullptr || raw(*section).size() > kLinkSizeMax) return std::nullopt;
  const auto plain = contents(*section);  // objcopy compresses even this one when asked to
  if (!plain.ok()) return std::nullopt;
  base::Reader r(plain->bytes, endian_);
  DebugLink link;
  link.name = std::string(r.c_string());
  r.skip((4 - r.offset() % 4) % 4);
  link.crc = r.u32();
  if (r.failed() || link.name.empty()) return std::nullopt;
  return link;
}

std::string_view File::soname() const {
  constexpr std::uint64_t kDtNull = 0, kDtStrtab = 5, kDtSoname = 14;
  for (const Segment& segment : segments_) {
    if (segment.type != kPtDynamic) continue;
    const auto table = base::find_slice(bytes_, segment.offset, segment.file_size);
    if (!table) continue;
    base::Reader r(*table, endian_);
    std::uint64_t strings = 0, name = 0;
    bool named = false;
    while (r.remaining() >= (is_64_ ? 16u : 8u)) {
      const std::uint64_t tag = r.sized(is_64_ ? 8 : 4);
      const std::uint64_t value = r.sized(is_64_ ? 8 : 4);
      if (tag == kDtNull) break;
      if (tag == kDtStrtab) strings = value;
      if (tag == kDtSoname) name = value, named = true;
    }
    if (!named || strings == 0) continue;
    for (const Segment& load : segments_) {  // the string table is given by address
      if (load.type != kPtLoad || strings < load.address) continue;
      if (strings - load.address >= load.file_size) continue;
      const std::uint64_t skip = strings - load.address;
      const auto bytes = base::find_slice(bytes_, load.offset, load.file_size);
      if (bytes) return text_at(bytes->subspan(static_cast<std::size_t>(skip)), name);
    }
  }
  return {};
}

std::optional<std::vector<std::uint8_t>> File::find_text_fold(Fold fold) const {
  constexpr std::uint64_t kFoldMax = 4096;
  const Section* text = find_section(".text");
  if (text == nullptr || text->size == 0 || raw(*text).empty()) return std::nullopt;
  std::uint64_t size = std::min(text->size, kFoldMax);
  if (fold == Fold::rounded_up)
    size = std::min((size + 15) / 16 * 16, bytes_.size() - text->offset);
  const base::Bytes code =
      bytes_.subspan(static_cast<std::size_t>(text->offset), static_cast<std::size_t>(size));
  std::vector<std::uint8_t> id(16);
  for (std::size_t i = 0; i < code.size(); ++i) {
    id[i % 16] = static_cast<std::uint8_t>(id[i % 16] ^ code[i]);
  }
  return id;
}

std::string_view File::arch() const {
  switch (machine_) {
    case kEm386:
      return "x86";
    case kEmX86_64:
      return "x86_64";
    case kEmArm:
      return "arm";
    case kEmAarch64:
      return "arm64";
    case kEmMips:
      return is_64_ ? "mips64" : "mips";
    case kEmPpc:
      return "ppc";
    case kEmPpc64:
      return "ppc64";  // Breakpad has one word for both byte orders
    case kEmRiscv:
      return is_64_ ? "riscv64" : "riscv";
    case kEmS390:
      return is_64_ ? "s390x" : "s390";
    case kEmLoongarch:
      return is_64_ ? "loongarch64" : "loongarch32";
    default:
      return "unknown";
  }
}

}  // namespace elf
