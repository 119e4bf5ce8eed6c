#include <algorithm>
#include <cstdio>

#include "base/text.h"
#include "extract/identify_parts.h"
#include "formats/dwarf/split.h"
#include "formats/elf/elf.h"

namespace extract {
namespace {

// Skeletons are small. A larger .debug_info has whole units, and is not expanded for a look.
constexpr std::uint64_t kMaxSkeletonInfo = 16ull << 20;
// Of a compressed section, whatever is in it: uploads are looked at where memory is everybody's.
constexpr std::uint64_t kMaxExpanded = 128ull << 20;

// The bytes as they stand, not read as a little-endian GUID.
ident::DebugId unswapped(base::Bytes id) {
  ident::DebugId debug_id;
  std::copy_n(id.begin(), std::min(id.size(), debug_id.guid.size()), debug_id.guid.begin());
  return debug_id;
}

// On big-endian files the peers differ. With a build id Breakpad reverses the GUID's fields as
// on any other file and symbolic does not; of a folded .text only symbolic's form is known.
void read_ids(const elf::File& file, Identity& identity) {
  const bool big = file.endian() == base::Endian::big;
  const auto add_other = [&](ident::DebugId id) {
    if (id != identity.debug_id) identity.other_debug_ids.push_back(id);
  };
  if (!file.build_id().empty()) {
    identity.build_id = base::hex_of(file.build_id());
    identity.code_id = identity.build_id;
    identity.debug_id = ident::DebugId::from_build_id(file.build_id());
    if (big) add_other(unswapped(file.build_id()));
    return;
  }
  const auto rounded = file.find_text_fold(elf::File::Fold::rounded_up);
  const auto exact = file.find_text_fold(elf::File::Fold::exact);
  if (!rounded || !exact) return;
  identity.debug_id = big ? unswapped(*exact) : ident::DebugId::from_build_id(*rounded);
  add_other(ident::DebugId::from_build_id(*exact));
  add_other(ident::DebugId::from_build_id(*rounded));
}

// What a compressed section says that it expands to: contents() fails where that is not so. 0 when
// it is not compressed.
std::uint64_t expanded_size(const elf::File& file, const elf::Section& section) {
  if ((section.flags & elf::kShfCompressed) != 0) {
    base::Reader r(file.raw(section), file.endian());
    r.skip(file.is_64() ? 8 : 4);  // method, reserved
    return r.sized(file.is_64() ? 8 : 4);
  }
  base::Reader r(file.raw(section), base::Endian::big);
  const bool is_old_form =
      section.name.starts_with(".zdebug") && base::text_of(r.bytes(4)) == "ZLIB";
  return is_old_form ? r.u64() : 0;
}

// Plain bytes of a section, at most `size_max`; empty when it is not there or larger.
elf::Contents small_contents(const elf::File& file, std::string_view name, std::uint64_t size_max) {
  const elf::Section* section = file.find_debug_section(name);
  if (section == nullptr || file.raw(*section).size() > size_max) return {};
  if (expanded_size(file, *section) > std::min(size_max, kMaxExpanded)) return {};
  auto contents = file.contents(*section);
  if (!contents.ok() || contents->bytes.size() > size_max) return {};
  return std::move(*contents);
}

std::vector<std::string> texts_of(const std::vector<std::uint64_t>& ids) {
  std::vector<std::string> texts;
  for (const std::uint64_t id : ids) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(id));
    texts.emplace_back(text);
  }
  return texts;
}

void read_split(const elf::File& file, Identity& identity) {
  if (file.find_section(".debug_cu_index") != nullptr) {
    const elf::Contents index = small_contents(file, ".debug_cu_index", ~0ull);
    identity.dwo_ids = texts_of(dwarf::find_package_ids(index.bytes, file.endian()));
    identity.split = Split::dwp;
    return;
  }
  const auto ids_of = [&](std::string_view info_name, std::string_view abbrev_name,
                          std::uint64_t size_max) {
    const elf::Contents info = small_contents(file, info_name, size_max);
    if (info.bytes.empty()) return std::vector<std::string>();
    const elf::Contents abbrev = small_contents(file, abbrev_name, size_max);
    return texts_of(dwarf::find_dwo_ids(info.bytes, abbrev.bytes, file.endian()));
  };
  if (file.find_debug_section(".debug_info.dwo") != nullptr) {
    identity.dwo_ids = ids_of(".debug_info.dwo", ".debug_abbrev.dwo", ~0ull);
    // -gsplit-dwarf=single leaves them in the object itself.
    if (file.find_debug_section(".debug_info") == nullptr) identity.split = Split::dwo;
  }
  // The addresses of units that were split off stay behind: without those there are no skeletons,
  // and a large .debug_info need not be expanded for nothing.
  if (file.find_debug_section(".debug_addr") == nullptr) return;
  identity.skeleton_ids = ids_of(".debug_info", ".debug_abbrev", kMaxSkeletonInfo);
  // In the order of a package's ids, so that a few of either are enough to match them.
  std::sort(identity.skeleton_ids.begin(), identity.skeleton_ids.end());
}

}  // namespace

void identify_elf(base::Bytes bytes, Identity& identity) {
  const auto parsed = elf::File::parse(bytes);
  if (!parsed.ok()) {
    identity.problem = parsed.error().what;
    return;
  }
  const elf::File& file = *parsed;
  identity.os = "Linux";
  identity.arch = file.arch();
  identity.name = std::string(file.soname());
  if (const auto link = file.find_debug_link()) identity.debug_link = link->name;
  if (const elf::Section* link = file.find_section(".gnu_debugaltlink")) {
    const std::string_view text = base::text_of(file.raw(*link));
    identity.alt_link = std::string(text.substr(0, std::min(text.find('\0'), text.size())));
  }
  if (!file.problems().empty()) identity.problem = file.problems().front();

  read_ids(file, identity);
  read_split(file, identity);
  for (const elf::Section& section : file.sections()) {
    const bool bytes_here = !file.raw(section).empty();
    if (!bytes_here) continue;
    identity.has_code |= section.is_code();
    identity.has_symbol_table |= section.type == elf::kShtSymtab;
    identity.has_debug_info |= section.name == ".debug_info" || section.name == ".zdebug_info" ||
                               section.name == ".debug_line" || section.name == ".zdebug_line";
    identity.has_unwind_info |= section.name == ".eh_frame" || section.name == ".debug_frame" ||
                                section.name == ".zdebug_frame";
  }
  if (file.sections().empty()) {  // headers stripped: the segments say whether code is there
    for (const elf::Segment& segment : file.segments()) {
      identity.has_code |= segment.type == elf::kPtLoad && segment.file_size != 0 &&
                           (segment.flags & elf::kPfExecute) != 0;
    }
  }
}

}  // namespace extract
