#include "formats/dwarf/split.h"

#include <algorithm>
#include <optional>

namespace dwarf {
namespace {

constexpr std::uint64_t kAttributeGnuDwoId = 0x2131;
constexpr std::uint8_t kTypeSkeleton = 4;
constexpr std::uint8_t kTypeSplitCompile = 5;
constexpr unsigned kMaxAbbrevs = 4096;
constexpr unsigned kMaxAttributes = 256;

struct Attribute {
  std::uint64_t name = 0;
  std::uint64_t form = 0;
};

// The attributes of one abbreviation of DWARF 4 or before; empty when it is not there.
std::vector<Attribute> find_abbrev(base::Bytes abbrev, std::uint64_t offset, std::uint64_t code) {
  base::Reader r(abbrev);
  r.seek(offset);
  for (unsigned i = 0; i < kMaxAbbrevs && r.ok(); ++i) {
    const std::uint64_t found = r.uleb();
    if (found == 0) break;
    r.uleb();  // tag
    r.u8();    // children
    std::vector<Attribute> attributes;
    for (unsigned j = 0; j < kMaxAttributes && r.ok(); ++j) {
      const std::uint64_t name = r.uleb();
      const std::uint64_t form = r.uleb();
      if (name == 0 && form == 0) break;
      attributes.push_back({name, form});
    }
    if (found == code && r.ok()) return attributes;
  }
  return {};
}

// Skips a value of one of the forms that first entries of DWARF 4 have; false for others.
bool skip_form(base::Reader& r, std::uint64_t form, unsigned address_size, unsigned offset_size) {
  switch (form) {
    case 0x01:  // addr
      r.skip(address_size);
      return true;
    case 0x0b:
    case 0x0c:
    case 0x11:  // data1, flag, ref1
      r.skip(1);
      return true;
    case 0x05:
    case 0x12:  // data2, ref2
      r.skip(2);
      return true;
    case 0x06:
    case 0x13:  // data4, ref4
      r.skip(4);
      return true;
    case 0x07:
    case 0x14:
    case 0x20:  // data8, ref8, ref_sig8
      r.skip(8);
      return true;
    case 0x08:  // string
      r.c_string();
      return true;
    case 0x0d:
    case 0x0f:
    case 0x15:  // sdata, udata, ref_udata
    case 0x1f01:
    case 0x1f02:  // GNU_addr_index, GNU_str_index
      r.uleb();
      return true;
    case 0x0e:
    case 0x17:
    case 0x10:
    case 0x1f21:  // strp, sec_offset, ref_addr, GNU_strp_alt
      r.skip(offset_size);
      return true;
    case 0x19:  // flag_present
      return true;
    case 0x0a:  // block1
      r.skip(r.u8());
      return true;
    case 0x18:
    case 0x09:  // exprloc, block
      r.skip(r.uleb());
      return true;
    default:
      return false;
  }
}

std::optional<std::uint64_t> find_gnu_id(base::Reader unit, base::Bytes abbrev,
                                         std::uint64_t abbrev_offset, unsigned address_size,
                                         unsigned offset_size) {
  for (const Attribute& a : find_abbrev(abbrev, abbrev_offset, unit.uleb())) {
    if (a.name == kAttributeGnuDwoId && a.form == 0x07) {
      const std::uint64_t id = unit.u64();
      return unit.ok() ? std::optional(id) : std::nullopt;
    }
    if (!skip_form(unit, a.form, address_size, offset_size)) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::uint64_t> find_dwo_ids(base::Bytes info, base::Bytes abbrev, base::Endian endian) {
  std::vector<std::uint64_t> ids;
  base::Reader r(info, endian);
  while (!r.at_end() && ids.size() < kMaxDwoIds) {
    std::uint64_t length = r.u32();
    const unsigned offset_size = length == 0xffffffff ? 8 : 4;
    if (offset_size == 8) length = r.u64();
    const std::uint64_t at = r.offset();
    if (r.failed() || length > r.remaining()) break;
    const std::uint16_t version = r.u16();
    std::optional<std::uint64_t> id;
    if (version == 5) {
      const std::uint8_t type = r.u8();
      r.u8();  // address size
      r.skip(offset_size);
      if (type == kTypeSkeleton || type == kTypeSplitCompile) id = r.u64();
    } else if (version == 4) {
      const std::uint64_t abbrev_offset = r.sized(offset_size);
      const unsigned address_size = r.u8();
      id = find_gnu_id(r, abbrev, abbrev_offset, address_size, offset_size);
    }
    if (r.failed()) break;
    if (id && *id != 0) ids.push_back(*id);
    r.seek(at + length);
  }
  return ids;
}

// u32 version (5: u16 and padding), u32 columns, u32 units, u32 slots; then `slots` ids and as
// many row numbers, 0 for an empty slot.
std::vector<std::uint64_t> find_package_ids(base::Bytes cu_index, base::Endian endian) {
  base::Reader r(cu_index, endian);
  const std::uint32_t word = r.u32();
  const bool known = word == 2 || word == 5 || word == 0x00050000;  // 5 in either byte order
  r.u32();
  r.u32();
  const std::uint32_t slots = r.u32();
  std::vector<std::uint64_t> ids;
  if (!known || slots > r.remaining() / 12) return ids;
  base::Reader rows = r;
  rows.skip(slots * 8ull);
  for (std::uint32_t i = 0; i < slots && ids.size() < kMaxDwoIds; ++i) {
    const std::uint64_t id = r.u64();
    if (rows.u32() != 0) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace dwarf
