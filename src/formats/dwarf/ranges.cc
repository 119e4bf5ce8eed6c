#include "formats/dwarf/ranges.h"

namespace dwarf {
namespace {

class List {
 public:
  List(const DebugInfo& info, const Unit& unit, std::uint64_t& budget,
       std::vector<AddressRange>& out)
      : info_(info), unit_(unit), budget_(budget), out_(out), base_(unit.low_pc) {}

  void read_ranges(std::uint64_t offset);
  void read_rnglists(std::uint64_t offset);

 private:
  void add(std::uint64_t start, std::uint64_t end) {
    if (start < end) out_.push_back({start, end});
  }
  std::uint64_t address(base::Reader& r) { return r.sized(unit_.shape.address_size); }
  std::uint64_t indexed(base::Reader& r) {
    return info_.find_address(unit_, {r.uleb(), kFormAddrx}).value_or(0);
  }
  bool read_entry(base::Reader& r);

  const DebugInfo& info_;
  const Unit& unit_;
  std::uint64_t& budget_;
  std::vector<AddressRange>& out_;
  std::uint64_t base_;
};

void List::read_ranges(std::uint64_t offset) {
  base::Reader r(info_.sections().ranges, info_.sections().endian);
  r.seek(offset);
  const std::uint64_t select_base = unit_.shape.address_size == 8 ? ~std::uint64_t{0} : 0xffffffff;
  while (!r.at_end() && budget_ > 0) {
    --budget_;
    const std::uint64_t start = address(r), end = address(r);
    if (r.failed() || (start == 0 && end == 0)) return;
    if (start == select_base) {
      base_ = end;
    } else {
      add(base_ + start, base_ + end);
    }
  }
}

void List::read_rnglists(std::uint64_t offset) {
  base::Reader r(info_.sections().rnglists, info_.sections().endian);
  r.seek(offset);
  while (!r.at_end() && budget_ > 0 && read_entry(r)) --budget_;
}

bool List::read_entry(base::Reader& r) {
  std::uint64_t start = 0, end = 0;
  switch (r.u8()) {
    case kRleBaseAddressx:
      base_ = indexed(r);
      return r.ok();
    case kRleBaseAddress:
      base_ = address(r);
      return r.ok();
    case kRleStartxEndx:
      start = indexed(r);
      end = indexed(r);
      break;
    case kRleStartxLength:
      start = indexed(r);
      end = start + r.uleb();
      break;
    case kRleOffsetPair:
      start = base_ + r.uleb();
      end = base_ + r.uleb();
      break;
    case kRleStartEnd:
      start = address(r);
      end = address(r);
      break;
    case kRleStartLength:
      start = address(r);
      end = start + r.uleb();
      break;
    default:
      return false;  // the end, or what nobody knows
  }
  if (r.ok()) add(start, end);
  return r.ok();
}

}  // namespace

void append_ranges(const DebugInfo& info, const Unit& unit, const Facts& facts,
                   std::uint64_t& budget, std::vector<AddressRange>& out) {
  if (facts.has(Want::ranges)) {
    const Value value = facts.value(Want::ranges);
    List list(info, unit, budget, out);
    if (unit.version < 5) return list.read_ranges(unit.ranges_base + value.number);
    if (value.form != kFormRnglistx) return list.read_rnglists(value.number);
    const unsigned width = unit.shape.offset_size;
    if (value.number > info.sections().rnglists.size()) return;
    const auto place = base::find_slice(info.sections().rnglists,
                                        unit.rnglists_base + value.number * width, width);
    if (!place) return;
    const std::uint64_t offset = base::Reader(*place, info.sections().endian).sized(width);
    return list.read_rnglists(unit.rnglists_base + offset);
  }
  if (!facts.has(Want::low_pc) || !facts.has(Want::high_pc)) return;
  const auto low = info.find_address(unit, facts.value(Want::low_pc));
  if (!low) return;
  const Value high = facts.value(Want::high_pc);
  // An address by its form class, else a length from low pc.
  if (const auto end = info.find_address(unit, high)) {
    if (*low < *end) out.push_back({*low, *end});
  } else if (const auto size = info.find_number(high); size && *low + *size > *low) {
    out.push_back({*low, *low + *size});
  }
}

}  // namespace dwarf
