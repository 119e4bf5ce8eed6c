#include "extract/symbols_from_dwarf.h"

#include <malloc.h>

#include <algorithm>
#include <numeric>

#include "base/pool.h"
#include "extract/function_owners.h"
#include "extract/name_table.h"
#include "extract/unit_symbols.h"
#include "symbols/demangle.h"

namespace extract {
namespace {

using symbols::FileId;
using symbols::Function;
using symbols::kNoFile;
using symbols::Line;
using symbols::StringId;

// A FUNC to be: a range of code with its owner, and a name from the symbol table if that is the
// better one.
struct Made {
  Owned owned;
  std::uint32_t override_name = dwarf::kNone;  // index into Merge::table_names_
};

// Type units hold no code, and a thousand of them share one line table.
bool describes_types(const dwarf::Unit& unit) {
  return unit.type == dwarf::kUnitType || unit.type == dwarf::kUnitSplitType;
}

class Merge {
 public:
  Merge(const DwarfInput& input, const Options& options, FileTable& files, symbols::Model& model,
        Report& report)
      : input_(input), options_(options), out_files_(files), model_(model), report_(report) {}

  void run();
  std::vector<Line> take_orphans() { return std::move(orphans_); }

 private:
  void read_units();
  void report_units();
  void resolve_names();
  void choose_functions();
  void choose_name(Made& made);
  void number_files();
  void copy_functions();
  void copy_function(const Made& made);
  void copy_lines(const UnitSymbols& unit, const UnitFunction& function, const Owned& owned,
                  std::vector<FileId>& files);
  void copy_sites(const UnitSymbols& unit, const UnitFunction& function, const Owned& owned,
                  std::vector<FileId>& files);
  void gather_orphans();
  std::uint64_t rva(std::uint64_t address) const { return address - input_.image_base; }
  std::string_view function_text(const Owned& owned) const {
    const UnitSymbols& unit = units_[owned.unit];
    return input_.info.text_of(unit.names[unit.functions[owned.function].name]);
  }

  const DwarfInput& input_;
  const Options& options_;
  FileTable& out_files_;
  symbols::Model& model_;
  Report& report_;
  std::vector<UnitSymbols> units_;          // beside info.units()
  std::vector<std::vector<StringId>> ids_;  // of each unit's names
  std::vector<std::vector<FileId>> files_;  // of each unit's files
  std::vector<std::uint32_t> groups_;       // first group of each unit
  std::vector<Made> made_;
  std::vector<std::string_view> table_names_;  // names taken from the symbol table
  std::vector<StringId> table_ids_;
  std::vector<Line> orphans_;  // file: already the model's
};

void Merge::run() {
  read_units();
  report_units();
  // From here on only names are asked for.
  input_.info.drop_abbrevs();
  ::malloc_trim(0);
  resolve_names();
  choose_functions();
  number_files();
  gather_orphans();
  copy_functions();
}

void Merge::read_units() {
  const std::vector<dwarf::Unit>& units = input_.info.units();
  units_.resize(units.size());
  std::vector<std::uint32_t> order(units.size());
  std::iota(order.begin(), order.end(), 0u);
  // Largest first, so that no thread is left with a big one at the end.
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const std::uint64_t size_a = units[a].end - units[a].offset;
    const std::uint64_t size_b = units[b].end - units[b].offset;
    return size_a != size_b ? size_a > size_b : a < b;
  });
  UnitOptions unit_options;
  unit_options.code = input_.code;
  unit_options.inlines = options_.inlines ? dwarf::Inlines::read : dwarf::Inlines::leave_out;

  // Line programs that many units share would be decoded for each: their sum has a bound.
  const dwarf::Sections& sections = input_.info.sections();
  std::uint64_t budget = 8 * sections.line.size() + (1u << 20);
  std::vector<char> with_lines(units.size());
  for (std::size_t i = 0; i < units.size(); ++i) {
    if (!units[i].usable || !units[i].line_offset || describes_types(units[i])) continue;
    const std::uint64_t size = dwarf::line_table_size(sections, *units[i].line_offset);
    with_lines[i] = size <= budget;
    if (size > budget) {
      report_.skipped.push_back(
          {".debug_line", *units[i].line_offset, "too many units share this line table"});
    } else {
      budget -= size;
    }
  }
  base::parallel_for(order.size(), options_.threads, [&](std::size_t i) {
    const std::uint32_t at = order[i];
    const dwarf::Unit& unit = units[at];
    if (!unit.usable || describes_types(unit)) return;
    UnitOptions this_unit = unit_options;
    this_unit.lines = with_lines[at] != 0;
    units_[at] = read_unit(input_.info, unit, this_unit);
  });
}

void Merge::report_units() {
  report_.units += input_.info.units().size();
  for (const dwarf::Problem& problem : input_.info.problems()) {
    report_.skipped.push_back({problem.section, problem.offset, problem.what});
  }
  for (std::size_t i = 0; i < units_.size(); ++i) {
    const dwarf::Unit& unit = input_.info.units()[i];
    report_.units_read += unit.usable ? 1 : 0;
    if (!unit.dwo_name.empty()) report_.missing.emplace_back(unit.dwo_name);
    for (const dwarf::Problem& problem : units_[i].problems) {
      report_.skipped.push_back({problem.section, problem.offset, problem.what});
    }
  }
}

void Merge::resolve_names() {
  NameTable names(input_.info);
  for (const UnitSymbols& unit : units_) names.collect(unit.names);
  names.finish(options_.threads, model_.strings);
  ids_.resize(units_.size());
  base::parallel_for(units_.size(), options_.threads, [&](std::size_t i) {
    ids_[i].reserve(units_[i].names.size());
    for (const dwarf::NameRef name : units_[i].names) ids_[i].push_back(names.id_of(name));
  });
}

void Merge::choose_functions() {
  std::vector<Claim> claims;
  std::uint32_t group = 0;
  for (std::uint32_t u = 0; u < units_.size(); ++u) {
    groups_.push_back(group);
    group += units_[u].group_count;
    for (std::uint32_t f = 0; f < units_[u].functions.size(); ++f) {
      const UnitFunction& function = units_[u].functions[f];
      claims.push_back({function.start, function.end, u, f, ids_[u][function.name]});
    }
  }
  for (const Owned& owned : find_owners(std::move(claims))) made_.push_back({owned});
  for (Made& made : made_) choose_name(made);
  table_ids_ = demangle_all(table_names_, options_.threads, model_.strings);
}

// A function is called as the symbol table calls it, where it does: DWARF has the name in the
// source, which aliases (`__GI___mmap` for mmap), -gline-tables-only and folded functions make a
// worse one, and debuggers show the linker's.
void Merge::choose_name(Made& made) {
  const UnitFunction& function = units_[made.owned.unit].functions[made.owned.function];
  if (made.owned.start != function.start) return;
  const NamedAddress* best = input_.names.find_at(function.start);
  if (best == nullptr) return;
  if (symbols::without_clone_suffix(best->name) == function_text(made.owned)) return;
  made.override_name = static_cast<std::uint32_t>(table_names_.size());
  table_names_.push_back(best->name);
}

void Merge::number_files() {
  files_.resize(units_.size());
  for (std::size_t u = 0; u < units_.size(); ++u) {
    for (const std::string& path : units_[u].files) files_[u].push_back(out_files_.id_of(path));
  }
}

void Merge::copy_functions() {
  std::size_t lines = 0, sites = 0, ranges = 0;
  for (const UnitSymbols& unit : units_) {
    lines += unit.lines.size();
    sites += unit.sites.size();
    ranges += unit.ranges.size();
  }
  model_.functions.reserve(made_.size());
  model_.lines.reserve(lines);
  model_.inlines.reserve(sites);
  model_.inline_ranges.reserve(ranges);
  for (const Made& made : made_) copy_function(made);
  units_ = {};
  ids_ = {};
}

void Merge::copy_function(const Made& made) {
  const UnitSymbols& unit = units_[made.owned.unit];
  const UnitFunction& from = unit.functions[made.owned.function];
  Function to;
  to.rva = rva(made.owned.start);
  to.size = static_cast<std::uint32_t>(made.owned.end - made.owned.start);
  to.group = groups_[made.owned.unit] + from.group;
  to.multiple = made.owned.multiple;
  if (made.override_name != dwarf::kNone) {
    to.name = table_ids_[made.override_name];
    to.mangled = model_.strings.intern(table_names_[made.override_name]);
  } else {
    to.name = ids_[made.owned.unit][from.name];
    if (unit.names[from.name].linkage())
      to.mangled = model_.strings.intern(function_text(made.owned));
  }
  to.first_line = static_cast<std::uint32_t>(model_.lines.size());
  copy_lines(unit, from, made.owned, files_[made.owned.unit]);
  to.line_count = static_cast<std::uint32_t>(model_.lines.size()) - to.first_line;
  to.first_inline = static_cast<std::uint32_t>(model_.inlines.size());
  copy_sites(unit, from, made.owned, files_[made.owned.unit]);
  to.inline_count = static_cast<std::uint32_t>(model_.inlines.size()) - to.first_inline;
  model_.functions.push_back(to);
}

void Merge::copy_lines(const UnitSymbols& unit, const UnitFunction& function, const Owned& owned,
                       std::vector<FileId>& files) {
  for (std::uint32_t i = 0; i < function.line_count; ++i) {
    const UnitLine& line = unit.lines[function.first_line + i];
    const std::uint64_t place = function.start + line.offset;
    const std::uint64_t start = std::max(owned.start, place);
    const std::uint64_t end = std::min(owned.end, place + line.size);
    if (start >= end) continue;
    model_.lines.push_back({rva(start), static_cast<std::uint32_t>(end - start), line.line,
                            line.file == kNoFile ? kNoFile : files[line.file]});
  }
}

void Merge::copy_sites(const UnitSymbols& unit, const UnitFunction& function, const Owned& owned,
                       std::vector<FileId>& files) {
  for (std::uint32_t i = 0; i < function.site_count; ++i) {
    symbols::InlineSite site = unit.sites[function.first_site + i];
    const auto first = static_cast<std::uint32_t>(model_.inline_ranges.size());
    for (std::uint32_t k = 0; k < site.range_count; ++k) {
      const UnitRange& range = unit.ranges[site.first_range + k];
      const std::uint64_t place = function.start + range.offset;
      const std::uint64_t start = std::max(owned.start, place);
      const std::uint64_t end = std::min(owned.end, place + range.size);
      if (start >= end) continue;
      model_.inline_ranges.push_back({rva(start), static_cast<std::uint32_t>(end - start)});
    }
    site.first_range = first;
    site.range_count = static_cast<std::uint32_t>(model_.inline_ranges.size()) - first;
    if (site.range_count == 0) continue;
    site.name = ids_[owned.unit][site.name];
    if (site.call_file != kNoFile) site.call_file = files[site.call_file];
    model_.inlines.push_back(site);
  }
}

void Merge::gather_orphans() {
  for (std::size_t u = 0; u < units_.size(); ++u) {
    for (Line line : units_[u].orphans) {
      if (line.file != kNoFile) line.file = files_[u][line.file];
      orphans_.push_back(line);
    }
    units_[u].orphans = {};
  }
  std::vector<std::uint32_t> order(orphans_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return orphans_[a].rva != orphans_[b].rva ? orphans_[a].rva < orphans_[b].rva : a < b;
  });
  std::vector<Line> sorted;
  std::uint64_t end = 0;
  for (const std::uint32_t i : order) {
    const Line& line = orphans_[i];
    if (line.rva < end) continue;  // another unit says the same of this code
    end = line.rva + line.size;
    sorted.push_back(line);
  }
  orphans_ = std::move(sorted);
}

}  // namespace

std::vector<Line> add_dwarf(const DwarfInput& input, const Options& options, FileTable& files,
                            symbols::Model& model, Report& report) {
  Merge merge(input, options, files, model, report);
  merge.run();
  return merge.take_orphans();
}

}  // namespace extract
