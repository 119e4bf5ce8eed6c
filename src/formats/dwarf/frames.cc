#include "formats/dwarf/frames.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace dwarf {
namespace {

enum PointerEncoding : std::uint8_t {
  kPeAbsolute = 0x00,
  kPeUleb = 0x01,
  kPeUdata2 = 0x02,
  kPeUdata4 = 0x03,
  kPeUdata8 = 0x04,
  kPeSleb = 0x09,
  kPeSdata2 = 0x0a,
  kPeSdata4 = 0x0b,
  kPeSdata8 = 0x0c,
  kPePcRelative = 0x10,
  kPeIndirect = 0x80,
  kPeOmit = 0xff,
};

std::uint64_t as_unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }

}  // namespace

// Reads the section once, front to back.
class FrameReader {
 public:
  FrameReader(const FrameSection& section, FrameTable& table) : section_(section), table_(table) {}
  void read();

 private:
  // A pointer in the common entry's encoding; nothing for encodings that need more than the
  // section (relative to text or data, indirect).
  std::optional<std::uint64_t> read_pointer(base::Reader& r, std::uint8_t encoding,
                                            std::uint8_t address_size) const;
  std::optional<std::uint32_t> find_common(std::uint64_t offset);
  bool read_common(base::Reader& r, bool is_64, FrameCommon& common) const;
  bool read_augmentation(base::Reader& r, std::string_view text, FrameCommon& common) const;
  void read_entry(base::Reader& r, std::uint64_t common_offset, std::uint64_t offset);
  void report(std::uint64_t offset, std::string what) {
    constexpr std::size_t kProblemsMax = 100;
    if (table_.problems_.size() >= kProblemsMax) return;
    table_.problems_.push_back(
        {section_.is_eh_frame ? ".eh_frame" : ".debug_frame", offset, std::move(what)});
  }

  const FrameSection& section_;
  FrameTable& table_;
  std::unordered_map<std::uint64_t, std::optional<std::uint32_t>> commons_;  // by offset
};

FrameTable FrameTable::parse(const FrameSection& section) {
  FrameTable table;
  table.section_ = section;
  FrameReader(section, table).read();
  std::sort(table.entries_.begin(), table.entries_.end(),
            [](const FrameEntry& a, const FrameEntry& b) {
              if (a.start != b.start) return a.start < b.start;
              return a.program.data() < b.program.data();
            });
  return table;
}

void FrameReader::read() {
  base::Reader r(section_.bytes, section_.endian);
  while (r.remaining() >= 4) {
    const std::uint64_t offset = r.offset();
    std::uint64_t length = r.u32();
    bool is_64 = false;
    if (length == 0) continue;  // a terminator; crt files put them in the middle
    if (length == 0xffffffff) {
      length = r.u64();
      is_64 = true;
    }
    if (r.failed() || length > r.remaining()) {
      return report(offset, "entry ends behind the section");
    }
    const std::uint64_t end = r.offset() + length;
    const std::uint64_t id_offset = r.offset();
    const std::uint64_t id = is_64 && !section_.is_eh_frame ? r.u64() : r.u32();
    const std::uint64_t common_id =
        section_.is_eh_frame ? 0 : (is_64 ? ~std::uint64_t{0} : 0xffffffff);
    if (id != common_id && r.ok()) {
      base::Reader entry(section_.bytes.first(static_cast<std::size_t>(end)), section_.endian);
      entry.seek(r.offset());
      read_entry(entry, section_.is_eh_frame ? id_offset - id : id, offset);
    }
    r.seek(end);
  }
}

std::optional<std::uint32_t> FrameReader::find_common(std::uint64_t offset) {
  const auto found = commons_.find(offset);
  if (found != commons_.end()) return found->second;
  std::optional<std::uint32_t>& slot = commons_[offset];
  base::Reader r(section_.bytes, section_.endian);
  r.seek(offset);
  std::uint64_t length = r.u32();
  const bool is_64 = length == 0xffffffff;
  if (is_64) length = r.u64();
  if (r.failed() || length > r.remaining()) return slot;
  base::Reader body(section_.bytes.first(static_cast<std::size_t>(r.offset() + length)),
                    section_.endian);
  body.seek(r.offset());
  FrameCommon common;
  if (!read_common(body, is_64, common)) return slot;
  slot = static_cast<std::uint32_t>(table_.commons_.size());
  table_.commons_.push_back(common);
  return slot;
}

bool FrameReader::read_common(base::Reader& r, bool is_64, FrameCommon& common) const {
  const std::uint64_t id = is_64 && !section_.is_eh_frame ? r.u64() : r.u32();
  const std::uint64_t wanted = section_.is_eh_frame ? 0 : (is_64 ? ~std::uint64_t{0} : 0xffffffff);
  if (id != wanted) return false;
  const std::uint8_t version = r.u8();
  if (version != 1 && version != 3 && version != 4) return false;
  const std::string_view augmentation = r.c_string();
  common.address_size = section_.address_size;
  if (augmentation == "eh") r.sized(section_.address_size);  // GCC 2
  if (version == 4) {
    common.address_size = r.u8();
    r.u8();  // segment selectors
  }
  common.code_align = r.uleb();
  common.data_align = r.sleb();
  common.return_register = static_cast<std::uint32_t>(version == 1 ? r.u8() : r.uleb());
  if (common.address_size != 4 && common.address_size != 8) return false;
  if (!read_augmentation(r, augmentation, common)) return false;
  common.program = r.bytes(r.remaining());
  return r.ok();
}

bool FrameReader::read_augmentation(base::Reader& r, std::string_view text,
                                    FrameCommon& common) const {
  if (text.empty() || text == "eh") return true;
  if (text[0] != 'z') return false;  // without a length the rest cannot be found
  common.has_augmentation = true;
  const std::uint64_t length = r.uleb();
  if (length > r.remaining()) return false;
  const std::uint64_t end = r.offset() + length;
  for (const char c : text.substr(1)) {
    switch (c) {
      case 'R':
        common.pointer_encoding = r.u8();
        break;
      case 'L':
        r.u8();
        break;
      case 'P': {
        const std::uint8_t encoding = r.u8();
        // Only its size matters; where it points does not.
        if (encoding != kPeOmit) read_pointer(r, encoding & 0x0f, common.address_size);
        break;
      }
      case 'S':
        common.signal = true;
        break;
      case 'B':
      case 'G':
        break;  // AArch64: signed with key B, memory tags
      default:
        r.seek(end);
        return r.ok();
    }
  }
  r.seek(end);
  return r.ok();
}

std::optional<std::uint64_t> FrameReader::read_pointer(base::Reader& r, std::uint8_t encoding,
                                                       std::uint8_t address_size) const {
  const std::uint64_t place = section_.address + r.offset();
  std::uint64_t value = 0;
  switch (encoding & 0x0f) {
    case kPeAbsolute:
      value = r.sized(address_size);
      break;
    case kPeUleb:
      value = r.uleb();
      break;
    case kPeUdata2:
      value = r.u16();
      break;
    case kPeUdata4:
      value = r.u32();
      break;
    case kPeUdata8:
      value = r.u64();
      break;
    case kPeSleb:
      value = as_unsigned(r.sleb());
      break;
    case kPeSdata2:
      value = as_unsigned(r.s16());
      break;
    case kPeSdata4:
      value = as_unsigned(r.s32());
      break;
    case kPeSdata8:
      value = r.u64();
      break;
    default:
      r.fail();
      return std::nullopt;
  }
  switch (encoding & 0xf0) {
    case 0:
      break;
    case kPePcRelative:
      value += place;
      break;
    default:
      return std::nullopt;
  }
  return address_size == 4 ? value & 0xffffffff : value;
}

void FrameReader::read_entry(base::Reader& r, std::uint64_t common_offset, std::uint64_t offset) {
  const auto index = find_common(common_offset);
  if (!index) return report(offset, "its common entry cannot be read");
  const FrameCommon& common = table_.commons_[*index];
  FrameEntry entry;
  entry.common = *index;
  const std::uint8_t encoding = section_.is_eh_frame ? common.pointer_encoding : std::uint8_t{0};
  const auto start = read_pointer(r, encoding, common.address_size);
  const auto size = read_pointer(r, encoding & 0x0f, common.address_size);
  if (common.has_augmentation) r.skip(r.uleb());
  if (r.failed() || !start || !size) return report(offset, "its range cannot be read");
  entry.start = *start;
  entry.size = *size;
  entry.program = r.bytes(r.remaining());
  if (entry.size != 0 && entry.start + entry.size > entry.start) table_.entries_.push_back(entry);
}

}  // namespace dwarf
