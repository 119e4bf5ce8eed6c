#include "extract/symbols_from_dwarf.h"

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

class Merge {
 public:
  Merge(const DwarfInput& input, const Options& options, symbols::Model& model, Report& report)
      : input_(input), options_(options), model_(model), report_(report),
        names_(input.info.sections().str) {}

  void run();

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
  void add_table_functions();
  void add_table_function(const NamedAddress& symbol, std::uint64_t limit, StringId name);
  std::uint64_t rva(std::uint64_t address) const { return address - input_.image_base; }
  std::string_view function_text(const Owned& owned) const {
    const UnitSymbols& unit = units_[owned.unit];
    return unit.names[unit.functions[owned.function].name].text;
  }

  const DwarfInput& input_;
  const Options& options_;
  symbols::Model& model_;
  Report& report_;
  NameTable names_;
  std::vector<UnitSymbols> units_;             // beside info.units()
  std::vector<std::vector<StringId>> ids_;     // of each unit's names
  std::vector<std::vector<FileId>> files_;     // of each unit's files
  std::vector<std::uint32_t> groups_;          // first group of each unit
  std::vector<Made> made_;
  std::vector<std::string_view> table_names_;  // names taken from the symbol table
  std::vector<StringId> table_ids_;
  std::vector<Line> orphans_;                  // file: already the model's
};

void Merge::run() {
  read_units();
  report_units();
  resolve_names();
  choose_functions();
  number_files();
  gather_orphans();
  copy_functions();
  // From here on units_ is empty; orphans_ and made_ hold what is left to say.
  add_table_functions();
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
    if (!units[i].usable || !units[i].line_offset) continue;
    const std::uint64_t size = dwarf::line_table_size(sections, *units[i].line_offset);
    with_lines[i] = size <= budget;
    if (size > budget) {
      report_.skipped.push_back({".debug_line", *units[i].line_offset,
                                 "too many units share this line table"});
    } else {
      budget -= size;
    }
  }
  base::parallel_for(order.size(), options_.threads, [&](std::size_t i) {
    const std::uint32_t at = order[i];
    const dwarf::Unit& unit = units[at];
    const bool of_types = unit.type == dwarf::kUnitType || unit.type == dwarf::kUnitSplitType;
    if (!unit.usable || of_types) return;
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
  for (const UnitSymbols& unit : units_) names_.collect(unit.names);
  names_.finish(options_.threads, model_.strings);
  ids_.resize(units_.size());
  for (std::size_t i = 0; i < units_.size(); ++i) {
    for (const dwarf::Name& name : units_[i].names) ids_[i].push_back(names_.id_of(name));
  }
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
  // Then the names of code that DWARF says nothing of: wanted only if it has lines.
  for (const NamedAddress& symbol : input_.names.best()) table_names_.push_back(symbol.name);
  table_ids_ = demangle_all(table_names_, options_.threads, model_.strings);
}

// The name in DWARF is kept when the symbol table has it at this place, or has nothing. A C name
// without a mangled one (-gline-tables-only), or a function that the linker folded away, is
// better called as the symbol table says.
void Merge::choose_name(Made& made) {
  const UnitFunction& function = units_[made.owned.unit].functions[made.owned.function];
  if (made.owned.start != function.start) return;
  const NamedAddress* best = input_.names.find_at(function.start);
  if (best == nullptr) return;
  const std::string_view text = symbols::without_clone_suffix(function_text(made.owned));
  for (const std::string_view name : input_.names.names_at(function.start)) {
    if (symbols::without_clone_suffix(name) == text) return;
  }
  made.override_name = static_cast<std::uint32_t>(table_names_.size());
  table_names_.push_back(best->name);
}

void Merge::number_files() {
  files_.resize(units_.size());
  std::unordered_map<std::string_view, FileId> known;
  for (std::size_t u = 0; u < units_.size(); ++u) {
    for (const std::string& path : units_[u].files) {
      auto found = known.find(path);
      if (found == known.end()) {
        const StringId id = model_.strings.intern(path);
        model_.files.push_back(id);
        const auto file = static_cast<FileId>(model_.files.size() - 1);
        found = known.emplace(model_.strings[id], file).first;
      }
      files_[u].push_back(found->second);
    }
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
    if (unit.names[from.name].linkage) to.mangled = model_.strings.intern(unit.names[from.name].text);
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
    Line line = unit.lines[function.first_line + i];
    const std::uint64_t start = std::max(owned.start, line.rva);
    const std::uint64_t end = std::min(owned.end, line.rva + line.size);
    if (start >= end) continue;
    line.rva = rva(start);
    line.size = static_cast<std::uint32_t>(end - start);
    if (line.file != kNoFile) line.file = files[line.file];
    model_.lines.push_back(line);
  }
}

void Merge::copy_sites(const UnitSymbols& unit, const UnitFunction& function, const Owned& owned,
                       std::vector<FileId>& files) {
  for (std::uint32_t i = 0; i < function.site_count; ++i) {
    symbols::InlineSite site = unit.sites[function.first_site + i];
    const auto first = static_cast<std::uint32_t>(model_.inline_ranges.size());
    for (std::uint32_t k = 0; k < site.range_count; ++k) {
      const symbols::Range& range = unit.ranges[site.first_range + k];
      const std::uint64_t start = std::max(owned.start, range.rva);
      const std::uint64_t end = std::min(owned.end, range.rva + range.size);
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

// Symbols that begin outside every function, in code that has lines.
void Merge::add_table_functions() {
  const std::vector<NamedAddress>& symbols = input_.names.best();
  const std::size_t first_id = table_ids_.size() - symbols.size();
  std::size_t next = 0;  // the first function that ends behind the symbol
  std::uint64_t covered = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const NamedAddress& symbol = symbols[i];
    while (next < made_.size() && made_[next].owned.end <= symbol.address) ++next;
    std::uint64_t limit = ~std::uint64_t{0};
    if (next < made_.size()) {
      if (made_[next].owned.start <= symbol.address) continue;
      limit = made_[next].owned.start;
    }
    if (symbol.address < covered) continue;
    if (symbol.size == 0 && i + 1 < symbols.size()) limit = std::min(limit, symbols[i + 1].address);
    if (symbol.size != 0) limit = std::min(limit, symbol.address + symbol.size);
    const std::size_t before = model_.functions.size();
    add_table_function(symbol, limit, table_ids_[first_id + i]);
    if (model_.functions.size() != before) {
      covered = symbol.address + model_.functions.back().size;
    }
  }
}

void Merge::add_table_function(const NamedAddress& symbol, std::uint64_t limit, StringId name) {
  auto line = std::upper_bound(orphans_.begin(), orphans_.end(), symbol.address,
                               [](std::uint64_t a, const Line& l) { return a < l.rva; });
  if (line != orphans_.begin() && (line - 1)->rva + (line - 1)->size > symbol.address) --line;
  Function function;
  function.rva = rva(symbol.address);
  function.name = name;
  function.mangled = model_.strings.intern(symbol.name);
  function.group = groups_.empty() ? 0 : 0xffffffff - static_cast<std::uint32_t>(model_.functions.size());
  function.first_line = static_cast<std::uint32_t>(model_.lines.size());
  std::uint64_t end = symbol.address;
  for (; line != orphans_.end() && line->rva < limit; ++line) {
    // Without a size the function ends where its lines do.
    if (symbol.size == 0 && line->rva > end) break;
    const std::uint64_t start = std::max(symbol.address, line->rva);
    const std::uint64_t stop = std::min(limit, line->rva + line->size);
    if (start >= stop) continue;
    Line made = *line;
    made.rva = rva(start);
    made.size = static_cast<std::uint32_t>(stop - start);
    model_.lines.push_back(made);
    end = stop;
  }
  function.line_count = static_cast<std::uint32_t>(model_.lines.size()) - function.first_line;
  if (function.line_count == 0) return;
  if (symbol.size != 0) end = limit;
  function.size = static_cast<std::uint32_t>(std::min<std::uint64_t>(end - symbol.address, 0xffffffff));
  model_.functions.push_back(function);
}

}  // namespace

void add_dwarf(const DwarfInput& input, const Options& options, symbols::Model& model,
               Report& report) {
  Merge(input, options, model, report).run();
}

void add_publics(const SymbolNames& names, std::uint64_t image_base,
                 const std::vector<elf::PltStub>& stubs, unsigned threads, symbols::Model& model) {
  std::vector<symbols::Range> covered;
  for (const Function& f : model.functions) covered.push_back({f.rva, f.size});
  std::sort(covered.begin(), covered.end(),
            [](const symbols::Range& a, const symbols::Range& b) { return a.rva < b.rva; });
  const auto is_covered = [&](std::uint64_t rva) {
    const auto next =
        std::upper_bound(covered.begin(), covered.end(), rva,
                         [](std::uint64_t a, const symbols::Range& r) { return a < r.rva; });
    return next != covered.begin() && rva - (next - 1)->rva < (next - 1)->size;
  };
  std::vector<NamedAddress> wanted;
  for (const NamedAddress& name : names.best()) {
    if (name.address >= image_base && !is_covered(name.address - image_base)) wanted.push_back(name);
  }
  for (const elf::PltStub& stub : stubs) {
    const bool named = names.find_at(stub.address) != nullptr;
    if (stub.address < image_base || named || is_covered(stub.address - image_base)) continue;
    wanted.push_back({stub.address, stub.size, stub.name, false});
  }
  std::sort(wanted.begin(), wanted.end(), [](const NamedAddress& a, const NamedAddress& b) {
    return a.address != b.address ? a.address < b.address : a.name < b.name;
  });
  std::vector<std::string_view> texts;
  for (const NamedAddress& name : wanted) texts.push_back(name.name);
  const std::vector<StringId> ids = demangle_all(texts, threads, model.strings);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const StringId mangled =
        model.strings[ids[i]] == wanted[i].name ? 0 : model.strings.intern(wanted[i].name);
    model.publics.push_back(
        {wanted[i].address - image_base, 0, ids[i], mangled, wanted[i].multiple});
  }
}

}  // namespace extract
