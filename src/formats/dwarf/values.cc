// What attribute values mean: addresses, references, strings, each by its form.
#include "formats/dwarf/debug_info.h"

namespace dwarf {

std::optional<std::uint64_t> DebugInfo::indexed(base::Bytes table, std::uint64_t base,
                                                std::uint64_t index, unsigned width) const {
  if (index > table.size()) return std::nullopt;  // so that the product cannot wrap
  const auto place = base::find_slice(table, base + index * width, width);
  if (!place || base > table.size()) return std::nullopt;
  return base::Reader(*place, sections_.endian).sized(width);
}

std::optional<std::uint64_t> DebugInfo::find_address(const Unit& unit, Value value) const {
  switch (value.form) {
    case kFormAddr:
      return value.number;
    case kFormAddrx:
    case kFormAddrx1:
    case kFormAddrx2:
    case kFormAddrx3:
    case kFormAddrx4:
    case kFormGnuAddrIndex:
      return indexed(sections_.addr, unit.addr_base, value.number, unit.shape.address_size);
    default:
      return std::nullopt;
  }
}

std::optional<std::uint64_t> DebugInfo::find_reference(const Unit& unit, Value value) const {
  switch (value.form) {
    case kFormRef1:
    case kFormRef2:
    case kFormRef4:
    case kFormRef8:
    case kFormRefUdata:
      if (value.number > unit.end - unit.offset) return std::nullopt;
      return unit.offset + value.number;
    case kFormRefAddr:
      return value.number;
    default:
      return std::nullopt;  // type signatures and other files do not lead to code
  }
}

std::optional<std::uint64_t> DebugInfo::find_number(Value value) const {
  switch (value.form) {
    case kFormData1:
    case kFormData2:
    case kFormData4:
    case kFormData8:
    case kFormUdata:
    case kFormSdata:
    case kFormImplicitConst:
      return value.number;
    default:
      return std::nullopt;
  }
}

NameRef DebugInfo::find_name(const Unit& unit, Value value) const {
  using Section = NameRef::Section;
  const auto place = [](Section section, base::Bytes bytes, std::uint64_t offset) {
    // Whether the text is empty is not looked at: a million names would be fetched for it.
    return offset < bytes.size() ? NameRef(section, offset) : NameRef();
  };
  switch (value.form) {
    case kFormString:
      return place(Section::info, sections_.info, value.number);
    case kFormStrp:
      return place(Section::str, sections_.str, value.number);
    case kFormLineStrp:
      return place(Section::line_str, sections_.line_str, value.number);
    case kFormStrx:
    case kFormStrx1:
    case kFormStrx2:
    case kFormStrx3:
    case kFormStrx4:
    case kFormGnuStrIndex: {
      const auto offset = indexed(sections_.str_offsets, unit.str_offsets_base, value.number,
                                  unit.shape.offset_size);
      return offset ? place(Section::str, sections_.str, *offset) : NameRef();
    }
    default:
      return {};
  }
}

std::string_view DebugInfo::text_of(NameRef name) const {
  base::Bytes section;
  switch (name.section()) {
    case NameRef::Section::none:
      return {};
    case NameRef::Section::str:
      section = sections_.str;
      break;
    case NameRef::Section::line_str:
      section = sections_.line_str;
      break;
    case NameRef::Section::info:
      section = sections_.info;
      break;
  }
  const auto rest = base::text_of(section.subspan(static_cast<std::size_t>(name.offset())));
  const void* zero = std::memchr(rest.data(), 0, rest.size());
  if (zero == nullptr) return {};
  return rest.substr(0, static_cast<std::size_t>(static_cast<const char*>(zero) - rest.data()));
}

NameRef DebugInfo::find_subprogram_name(std::uint64_t die_offset) const {
  NameRef plain;
  const Unit* unit = nullptr;
  Facts facts;
  std::uint64_t todo[kMaxOriginDepth] = {die_offset};
  int count = 1;
  for (int visited = 0; count > 0 && visited < kMaxOriginDepth; ++visited) {
    const std::uint64_t offset = todo[--count];
    if (!read_entry_at(offset, unit, facts)) continue;
    if (facts.has(Want::linkage_name)) {
      NameRef name = find_name(*unit, facts.value(Want::linkage_name));
      name.set_linkage();
      if (!name.empty()) return name;
    }
    if (plain.empty() && facts.has(Want::name)) plain = find_name(*unit, facts.value(Want::name));
    // The origin is looked at before the specification: it is pushed last.
    for (const Want want : {Want::specification, Want::abstract_origin}) {
      if (!facts.has(want) || count >= kMaxOriginDepth) continue;
      if (const auto next = find_reference(*unit, facts.value(want))) todo[count++] = *next;
    }
  }
  return plain;
}

}  // namespace dwarf
