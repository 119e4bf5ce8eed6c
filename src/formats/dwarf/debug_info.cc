#include "formats/dwarf/debug_info.h"

#include <algorithm>
#include <tuple>

#include "base/pool.h"

namespace dwarf {
namespace {

base::Error malformed(std::string what) { return {base::Fault::malformed, std::move(what)}; }

// Reads a wanted value of varying size. Blocks are passed over: none of ours is one.
Value read_value(base::Reader& r, std::uint64_t form, const Unit& unit) {
  Value value;
  value.form = static_cast<std::uint16_t>(form);
  switch (form) {
    case kFormFlagPresent:
      value.number = 1;
      break;
    case kFormSdata:
      value.number = static_cast<std::uint64_t>(r.sleb());
      break;
    case kFormUdata:
    case kFormRefUdata:
    case kFormStrx:
    case kFormAddrx:
    case kFormRnglistx:
    case kFormLoclistx:
    case kFormGnuAddrIndex:
    case kFormGnuStrIndex:
      value.number = r.uleb();
      break;
    case kFormString:
      value.number = r.offset();
      r.c_string();
      break;
    case kFormIndirect: {
      const std::uint64_t real = r.uleb();
      if (real == kFormIndirect || real == kFormImplicitConst || real > 0xffff) {
        r.fail();
        break;
      }
      return read_value(r, real, unit);
    }
    default:
      if (const auto size = find_fixed_size(form, unit.shape); size && *size <= 8) {
        value.number = *size == 0 ? 0 : r.sized(*size);
      } else {
        skip_value(r, form, unit.shape);
      }
  }
  return value;
}

}  // namespace

DebugInfo DebugInfo::open(const Sections& sections, unsigned threads) {
  DebugInfo info;
  info.sections_ = sections;
  info.read_headers();
  info.compile_abbrevs(threads);
  info.read_unit_entries();
  return info;
}

void DebugInfo::drop_abbrevs() {
  tables_ = {};
  for (Unit& unit : units_) {
    unit.abbrevs = nullptr;
    unit.usable = false;
  }
}

void DebugInfo::report(std::uint64_t offset, std::string what) {
  constexpr std::size_t kProblemsMax = 1000;
  if (problems_.size() < kProblemsMax)
    problems_.push_back({".debug_info", offset, std::move(what)});
}

void DebugInfo::read_headers() {
  base::Reader r(sections_.info, sections_.endian);
  while (!r.at_end()) {
    const std::uint64_t start = r.offset();
    auto unit = read_header(r);
    if (!unit.ok()) {
      report(start, unit.error().what);
      if (unit.error().fault == base::Fault::malformed) return;  // where the next begins is unknown
      continue;
    }
    r.seek(unit->end);
    units_.push_back(*unit);
  }
}

base::Result<Unit> DebugInfo::read_header(base::Reader& r) const {
  Unit unit;
  unit.offset = r.offset();
  std::uint64_t length = r.u32();
  unit.shape.offset_size = 4;
  if (length == 0xffffffff) {
    length = r.u64();
    unit.shape.offset_size = 8;
  }
  if (r.failed() || length > r.remaining()) {
    return malformed("unit of " + std::to_string(length) + " bytes ends behind the section");
  }
  unit.end = r.offset() + length;
  unit.version = r.u16();
  const auto refuse = [&](std::string what) {
    r.seek(unit.end);
    return base::Error{base::Fault::unsupported, std::move(what)};
  };
  if (unit.version < 2 || unit.version > 5) {
    return refuse("DWARF version " + std::to_string(unit.version) + " is not 2 to 5");
  }
  if (unit.version >= 5) {
    unit.type = r.u8();
    unit.shape.address_size = r.u8();
    unit.abbrev_offset = r.sized(unit.shape.offset_size);
    if (unit.type == kUnitSkeleton || unit.type == kUnitSplitCompile) r.u64();  // dwo id
    if (unit.type == kUnitType || unit.type == kUnitSplitType) {
      r.u64();  // signature
      r.sized(unit.shape.offset_size);
    }
  } else {
    unit.abbrev_offset = r.sized(unit.shape.offset_size);
    unit.shape.address_size = r.u8();
  }
  unit.first_die = r.offset();
  if (r.failed() || unit.first_die > unit.end) return refuse("unit header is cut short");
  if (unit.shape.address_size != 4 && unit.shape.address_size != 8) {
    return refuse("addresses of " + std::to_string(unit.shape.address_size) + " bytes");
  }
  unit.shape.ref_addr_size = unit.version == 2 ? unit.shape.address_size : unit.shape.offset_size;
  return unit;
}

// Every table once for each shape that uses it. A table ends where the next one begins, so the
// work is bounded by the section, however many units share or overlap tables.
void DebugInfo::compile_abbrevs(unsigned threads) {
  using Key = std::pair<std::uint64_t, Shape>;
  std::vector<Key> keys;
  std::vector<std::uint64_t> starts;
  for (const Unit& unit : units_) {
    keys.emplace_back(unit.abbrev_offset, unit.shape);
    starts.push_back(unit.abbrev_offset);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::sort(starts.begin(), starts.end());
  tables_.resize(keys.size());
  std::vector<std::string> failures(keys.size());
  base::parallel_for(keys.size(), threads, [&](std::size_t i) {
    const auto next = std::upper_bound(starts.begin(), starts.end(), keys[i].first);
    const std::uint64_t end = next == starts.end() ? sections_.abbrev.size() : *next;
    auto table = AbbrevTable::compile(sections_.abbrev, keys[i].first, end, keys[i].second,
                                      sections_.endian);
    if (table.ok()) {
      tables_[i] = std::move(table).value();
    } else {
      failures[i] = table.error().what;
    }
  });
  for (Unit& unit : units_) {
    const Key key(unit.abbrev_offset, unit.shape);
    const auto at =
        static_cast<std::size_t>(std::lower_bound(keys.begin(), keys.end(), key) - keys.begin());
    if (failures[at].empty()) {
      unit.abbrevs = &tables_[at];
    } else {
      report(unit.offset, failures[at]);
    }
  }
}

void DebugInfo::read_unit_entries() {
  for (Unit& unit : units_) {
    if (unit.abbrevs == nullptr) continue;
    const auto read = read_unit_entry(unit);
    if (!read.ok()) report(unit.offset, read.error().what);
    unit.usable = read.ok();
  }
}

base::Result<void> DebugInfo::read_unit_entry(Unit& unit) const {
  base::Reader r = reader_of(unit);
  const std::uint64_t code = r.uleb();
  if (r.failed() || code == 0) return {};  // a unit without entries: padding that linkers leave
  const Abbrev* abbrev = unit.abbrevs->find(code);
  if (abbrev == nullptr) {
    return malformed("abbreviation " + std::to_string(code) + " is not in the unit's table");
  }
  Facts facts;
  if (abbrev->role != Role::unit) return malformed("the first entry is no unit");
  read_facts(r, unit, *abbrev, facts);
  if (r.failed()) return malformed("the unit's first entry is cut short");
  unit.tag = abbrev->tag;

  // Bases first: name and low pc may be indexes that need them. Without the attribute, tables
  // of DWARF 5 begin behind their header.
  const std::uint64_t after_header = unit.shape.offset_size == 8 ? 16 : 8;
  unit.str_offsets_base = unit.version >= 5 ? after_header : 0;
  unit.addr_base = unit.version >= 5 ? after_header : 0;
  unit.rnglists_base = unit.version >= 5 ? after_header + 4 : 0;
  const auto base_of = [&](Want want, std::uint64_t& base) {
    if (facts.has(want)) base = facts.value(want).number;
  };
  base_of(Want::str_offsets_base, unit.str_offsets_base);
  base_of(Want::addr_base, unit.addr_base);
  base_of(Want::rnglists_base, unit.rnglists_base);
  base_of(Want::gnu_ranges_base, unit.ranges_base);
  if (facts.has(Want::stmt_list)) unit.line_offset = facts.value(Want::stmt_list).number;
  if (facts.has(Want::low_pc))
    unit.low_pc = find_address(unit, facts.value(Want::low_pc)).value_or(0);
  if (facts.has(Want::comp_dir)) unit.comp_dir = string_of(unit, facts.value(Want::comp_dir));
  if (facts.has(Want::name)) unit.name = string_of(unit, facts.value(Want::name));
  if (facts.has(Want::dwo_name)) unit.dwo_name = string_of(unit, facts.value(Want::dwo_name));
  return {};
}

base::Reader DebugInfo::reader_of(const Unit& unit) const {
  base::Reader r(sections_.info.first(static_cast<std::size_t>(unit.end)), sections_.endian);
  r.seek(unit.first_die);
  return r;
}

void DebugInfo::read_facts(base::Reader& r, const Unit& unit, const Abbrev& abbrev,
                           Facts& facts) const {
  facts.clear();
  const Step* step = unit.abbrevs->steps(abbrev);
  for (std::uint32_t i = 0; i < abbrev.step_count; ++i, ++step) {
    if (step->form == 0) {
      r.skip(step->size);
      continue;
    }
    if (step->want == Want::nothing) {
      skip_value(r, step->form, unit.shape);
      continue;
    }
    Value value{0, step->form};
    switch (step->width) {
      case 1:
        value.number = r.u8();
        break;
      case 2:
        value.number = r.u16();
        break;
      case 4:
        value.number = r.u32();
        break;
      case 8:
        value.number = r.u64();
        break;
      case Step::kConstant:
        value.number = unit.abbrevs->constant_of(*step);
        break;
      default:
        value = read_value(r, step->form, unit);
    }
    facts.set(step->want, value);
  }
}

void DebugInfo::skip_entry(base::Reader& r, const Unit& unit, const Abbrev& abbrev) const {
  if (abbrev.fixed) [[likely]] {
    r.skip(abbrev.fixed_size);
    return;
  }
  const Step* step = unit.abbrevs->steps(abbrev);
  for (std::uint32_t i = 0; i < abbrev.step_count; ++i, ++step) {
    if (step->form == 0) {
      r.skip(step->size);
    } else {
      skip_value(r, step->form, unit.shape);
    }
  }
}

const Unit* DebugInfo::find_unit(std::uint64_t die_offset) const {
  const auto next = std::upper_bound(units_.begin(), units_.end(), die_offset,
                                     [](std::uint64_t o, const Unit& u) { return o < u.offset; });
  if (next == units_.begin()) return nullptr;
  const Unit& unit = *(next - 1);
  return die_offset >= unit.first_die && die_offset < unit.end ? &unit : nullptr;
}

bool DebugInfo::read_entry_at(std::uint64_t die_offset, const Unit*& unit, Facts& facts) const {
  if (unit == nullptr || die_offset < unit->first_die || die_offset >= unit->end) {
    unit = find_unit(die_offset);
  }
  if (unit == nullptr || !unit->usable) return false;
  base::Reader r = reader_of(*unit);
  r.seek(die_offset);
  const Abbrev* abbrev = unit->abbrevs->find(r.uleb());
  if (abbrev == nullptr || r.failed()) return false;
  if (abbrev->role != Role::subprogram && abbrev->role != Role::inlined) return false;
  read_facts(r, *unit, *abbrev, facts);
  return r.ok();
}

}  // namespace dwarf
