#include "formats/dwarf/abbrev.h"

#include <algorithm>
#include <string>

namespace dwarf {
namespace {

Want want_of(std::uint64_t attribute) {
  switch (attribute) {
    case kAtName:
      return Want::name;
    case kAtLinkageName:
    case kAtMipsLinkageName:
      return Want::linkage_name;
    case kAtLowPc:
      return Want::low_pc;
    case kAtHighPc:
      return Want::high_pc;
    case kAtRanges:
      return Want::ranges;
    case kAtAbstractOrigin:
      return Want::abstract_origin;
    case kAtSpecification:
      return Want::specification;
    case kAtCallFile:
      return Want::call_file;
    case kAtCallLine:
      return Want::call_line;
    case kAtDeclaration:
      return Want::declaration;
    case kAtSibling:
      return Want::sibling;
    case kAtStmtList:
      return Want::stmt_list;
    case kAtCompDir:
      return Want::comp_dir;
    case kAtStrOffsetsBase:
      return Want::str_offsets_base;
    case kAtAddrBase:
    case kAtGnuAddrBase:
      return Want::addr_base;
    case kAtRnglistsBase:
      return Want::rnglists_base;
    case kAtGnuRangesBase:
      return Want::gnu_ranges_base;
    case kAtDwoName:
    case kAtGnuDwoName:
      return Want::dwo_name;
    default:
      return Want::nothing;
  }
}

Role role_of(std::uint64_t tag) {
  switch (tag) {
    case kTagCompileUnit:
    case kTagPartialUnit:
    case kTagSkeletonUnit:
    case kTagTypeUnit:
      return Role::unit;
    case kTagSubprogram:
      return Role::subprogram;
    case kTagInlinedSubroutine:
      return Role::inlined;
    case kTagEnumerationType:
    case kTagArrayType:
    case kTagSubroutineType:
      return Role::leave_out;
    default:
      return Role::pass;
  }
}

std::uint8_t width_of(std::uint64_t form, std::optional<std::uint32_t> size) {
  if (form == kFormImplicitConst || form == kFormFlagPresent) return Step::kConstant;
  if (!size || (*size != 1 && *size != 2 && *size != 4 && *size != 8)) return 0;
  return static_cast<std::uint8_t>(*size);
}

}  // namespace

std::optional<std::uint32_t> find_fixed_size(std::uint64_t form, Shape shape) {
  switch (form) {
    case kFormFlagPresent:
    case kFormImplicitConst:
      return 0;
    case kFormData1:
    case kFormFlag:
    case kFormRef1:
    case kFormStrx1:
    case kFormAddrx1:
      return 1;
    case kFormData2:
    case kFormRef2:
    case kFormStrx2:
    case kFormAddrx2:
      return 2;
    case kFormStrx3:
    case kFormAddrx3:
      return 3;
    case kFormData4:
    case kFormRef4:
    case kFormStrx4:
    case kFormAddrx4:
    case kFormRefSup4:
      return 4;
    case kFormData8:
    case kFormRef8:
    case kFormRefSig8:
    case kFormRefSup8:
      return 8;
    case kFormData16:
      return 16;
    case kFormAddr:
      return shape.address_size;
    case kFormRefAddr:
      return shape.ref_addr_size;
    case kFormStrp:
    case kFormSecOffset:
    case kFormLineStrp:
    case kFormStrpSup:
    case kFormGnuRefAlt:
    case kFormGnuStrpAlt:
      return shape.offset_size;
    default:
      return std::nullopt;
  }
}

void skip_value(base::Reader& r, std::uint64_t form, Shape shape) {
  switch (form) {
    case kFormUdata:
    case kFormSdata:
    case kFormRefUdata:
    case kFormStrx:
    case kFormAddrx:
    case kFormLoclistx:
    case kFormRnglistx:
    case kFormGnuAddrIndex:
    case kFormGnuStrIndex:
      r.uleb();
      return;
    case kFormString:
      r.c_string();
      return;
    case kFormBlock1:
      r.skip(r.u8());
      return;
    case kFormBlock2:
      r.skip(r.u16());
      return;
    case kFormBlock4:
      r.skip(r.u32());
      return;
    case kFormBlock:
    case kFormExprloc:
      r.skip(r.uleb());
      return;
    case kFormIndirect: {
      const std::uint64_t real = r.uleb();
      // An indirect form that is indirect again, or implicit, has no meaning.
      if (real == kFormIndirect || real == kFormImplicitConst) return r.fail();
      return skip_value(r, real, shape);
    }
    default:
      if (const auto size = find_fixed_size(form, shape)) return r.skip(*size);
      r.fail();
  }
}

base::Result<AbbrevTable> AbbrevTable::compile(base::Bytes section, std::uint64_t offset,
                                               std::uint64_t end, Shape shape,
                                               base::Endian endian) {
  AbbrevTable table;
  end = std::min<std::uint64_t>(end, section.size());
  if (offset >= end) {
    return base::Error{base::Fault::malformed, "abbreviations at offset " + std::to_string(offset) +
                                                   " of .debug_abbrev, which has " +
                                                   std::to_string(section.size()) + " bytes"};
  }
  base::Reader r(section.first(static_cast<std::size_t>(end)), endian);
  r.seek(offset);
  bool sorted = true;
  while (!r.at_end()) {
    const std::uint64_t code = r.uleb();
    if (code == 0) break;
    if (!table.abbrevs_.empty() && code <= table.abbrevs_.back().code) sorted = false;
    TRY(table.compile_one(r, code, shape));
  }
  TRY(r.check("abbreviations"));
  table.abbrevs_.shrink_to_fit();
  table.steps_.shrink_to_fit();
  table.constants_.shrink_to_fit();
  if (!sorted) {
    std::sort(table.abbrevs_.begin(), table.abbrevs_.end(), [](const Abbrev& a, const Abbrev& b) {
      return a.code != b.code ? a.code < b.code : a.first_step < b.first_step;
    });
  }
  return table;
}

base::Result<void> AbbrevTable::compile_one(base::Reader& r, std::uint64_t code, Shape shape) {
  Abbrev abbrev;
  if (code > 0xffffffff) {
    return base::Error{base::Fault::malformed, "abbreviation code " + std::to_string(code)};
  }
  abbrev.code = static_cast<std::uint32_t>(code);
  const std::uint64_t tag = r.uleb();
  abbrev.tag = static_cast<std::uint16_t>(tag > 0xffff ? 0 : tag);
  abbrev.role = role_of(abbrev.tag);
  abbrev.children = r.u8() != 0;
  abbrev.first_step = static_cast<std::uint32_t>(steps_.size());
  abbrev.fixed = true;
  const bool read_all =
      abbrev.role == Role::unit || abbrev.role == Role::subprogram || abbrev.role == Role::inlined;
  std::uint32_t run = 0;  // bytes to pass over before the next step
  for (;;) {
    const std::uint64_t attribute = r.uleb();
    const std::uint64_t form = r.uleb();
    const std::int64_t constant = form == kFormImplicitConst ? r.sleb() : 0;
    if (r.failed() || (attribute == 0 && form == 0)) break;
    const Want want = want_of(attribute);
    const auto size = find_fixed_size(form, shape);
    if (abbrev.fixed && want == Want::sibling && form == kFormRef4) {
      abbrev.sibling_offset = static_cast<std::int32_t>(abbrev.fixed_size);
    }
    if (size) {
      abbrev.fixed_size += abbrev.fixed ? *size : 0;
    } else {
      abbrev.fixed = false;
    }
    if (size && !(read_all && want != Want::nothing)) {
      run += *size;
      continue;
    }
    if (run != 0) steps_.push_back({0, Want::nothing, 0, run});
    run = 0;
    Step step{static_cast<std::uint16_t>(form > 0xffff ? 0xffff : form), want, width_of(form, size),
              0};
    if (step.width == Step::kConstant) {
      step.size = static_cast<std::uint32_t>(constants_.size());
      constants_.push_back(form == kFormFlagPresent ? 1 : static_cast<std::uint64_t>(constant));
    }
    steps_.push_back(step);
  }
  if (run != 0) steps_.push_back({0, Want::nothing, 0, run});
  abbrev.step_count = static_cast<std::uint32_t>(steps_.size()) - abbrev.first_step;
  abbrevs_.push_back(abbrev);
  return {};
}

const Abbrev* AbbrevTable::find_slow(std::uint64_t code) const {
  const auto found = std::lower_bound(abbrevs_.begin(), abbrevs_.end(), code,
                                      [](const Abbrev& a, std::uint64_t c) { return a.code < c; });
  return found != abbrevs_.end() && found->code == code ? &*found : nullptr;
}

}  // namespace dwarf
