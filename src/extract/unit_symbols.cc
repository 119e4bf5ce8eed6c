#include "extract/unit_symbols.h"

#include <algorithm>

#include "extract/flat_map.h"

namespace extract {
namespace {

using dwarf::AddressRange;
using dwarf::LineRow;
using dwarf::LineSequence;

constexpr std::uint32_t kFileUnknown = symbols::kNoFile;

class UnitReader {
 public:
  UnitReader(const dwarf::DebugInfo& info, const dwarf::Unit& unit, const UnitOptions& options)
      : info_(info), unit_(unit), options_(options) {}

  UnitSymbols read();

 private:
  void read_lines();
  void add_function(const dwarf::CodeTree& tree, const dwarf::CodeFunction& function);
  void add_sites(const dwarf::CodeTree& tree, const SweptRange& range);
  // Lines of [start, end), clipped to it, counted from `start`; equal neighbours become one.
  void append_lines(std::uint64_t start, std::uint64_t end, std::vector<UnitLine>& out);
  void append_orphans();
  std::uint32_t name_at(std::uint64_t die_offset);
  std::uint32_t file_at(std::uint64_t file);

  const dwarf::DebugInfo& info_;
  const dwarf::Unit& unit_;
  const UnitOptions& options_;
  UnitSymbols out_;
  dwarf::LineTable lines_;
  Sweep sweep_;
  FlatMap names_;                     // entry's offset → index into out_.names
  std::vector<std::uint32_t> files_;  // the unit's file number → index into out_.files
};

UnitSymbols UnitReader::read() {
  if (options_.lines) read_lines();
  const dwarf::CodeTree tree = dwarf::read_code_tree(info_, unit_, options_.code, options_.inlines);
  if (!tree.problem.empty()) {
    out_.problems.push_back({".debug_info", tree.problem_offset, tree.problem});
  }
  for (const dwarf::CodeFunction& function : tree.functions) add_function(tree, function);
  append_orphans();
  out_.lines.shrink_to_fit();
  out_.sites.shrink_to_fit();
  out_.ranges.shrink_to_fit();
  out_.names.shrink_to_fit();
  return std::move(out_);
}

void UnitReader::read_lines() {
  if (!unit_.line_offset) return;
  auto table = dwarf::LineTable::parse(info_.sections(), info_, unit_, options_.code);
  if (table.ok()) {
    lines_ = std::move(table).value();
  } else {
    out_.problems.push_back({".debug_line", *unit_.line_offset, table.error().what});
  }
}

std::uint32_t UnitReader::name_at(std::uint64_t die_offset) {
  const auto fresh = static_cast<std::uint32_t>(out_.names.size());
  const std::uint32_t index = names_.at(die_offset, fresh);
  if (index == fresh) {
    out_.names.push_back(die_offset == 0 ? dwarf::NameRef()
                                         : info_.find_subprogram_name(die_offset));
  }
  return index;
}

std::uint32_t UnitReader::file_at(std::uint64_t file) {
  constexpr std::uint64_t kFilesMax = 1u << 24;
  if (file > lines_.file_count() || file > kFilesMax) return kFileUnknown;
  if (file >= files_.size()) files_.resize(static_cast<std::size_t>(file) + 1, kFileUnknown - 1);
  std::uint32_t& index = files_[static_cast<std::size_t>(file)];
  if (index == kFileUnknown - 1) {
    std::string path = lines_.path_of(file);
    index = path.empty() ? kFileUnknown : static_cast<std::uint32_t>(out_.files.size());
    if (!path.empty()) out_.files.push_back(std::move(path));
  }
  return index;
}

void UnitReader::add_function(const dwarf::CodeTree& tree, const dwarf::CodeFunction& function) {
  sweep_.run(tree, function);
  const std::uint32_t name = name_at(function.die_offset);
  for (const SweptRange& range : sweep_.ranges()) {
    UnitFunction made;
    made.start = range.start;
    made.end = range.end;
    made.name = name;
    made.group = out_.group_count;
    made.first_line = static_cast<std::uint32_t>(out_.lines.size());
    append_lines(range.start, range.end, out_.lines);
    made.line_count = static_cast<std::uint32_t>(out_.lines.size()) - made.first_line;
    made.first_site = static_cast<std::uint32_t>(out_.sites.size());
    add_sites(tree, range);
    made.site_count = static_cast<std::uint32_t>(out_.sites.size()) - made.first_site;
    out_.functions.push_back(made);
  }
  ++out_.group_count;
}

void UnitReader::add_sites(const dwarf::CodeTree& tree, const SweptRange& range) {
  for (std::uint32_t i = 0; i < range.site_count; ++i) {
    const SweptSite& swept = sweep_.sites()[range.first_site + i];
    const dwarf::CodeSite& site = tree.sites[swept.site];
    symbols::InlineSite made;
    made.name = name_at(site.origin);
    made.call_file = site.has_call_file ? file_at(site.call_file) : kFileUnknown;
    made.call_line = site.call_line;
    made.depth = site.depth;
    made.first_range = static_cast<std::uint32_t>(out_.ranges.size());
    made.range_count = swept.range_count;
    for (std::uint32_t k = 0; k < swept.range_count; ++k) {
      const AddressRange& r = sweep_.site_ranges()[swept.first_range + k];
      out_.ranges.push_back({static_cast<std::uint32_t>(r.start - range.start),
                             static_cast<std::uint32_t>(r.end - r.start)});
    }
    out_.sites.push_back(made);
  }
}

void UnitReader::append_lines(std::uint64_t start, std::uint64_t end, std::vector<UnitLine>& out) {
  const std::uint64_t base = start;
  const std::size_t first = out.size();
  const auto& sequences = lines_.sequences();
  auto sequence = std::upper_bound(
      sequences.begin(), sequences.end(), start,
      [](std::uint64_t address, const LineSequence& s) { return address < s.start; });
  if (sequence != sequences.begin()) --sequence;
  for (; sequence != sequences.end() && sequence->start < end; ++sequence) {
    if (sequence->end <= start) continue;
    const LineRow* row = lines_.rows().data() + sequence->first;
    const LineRow* const last = row + sequence->count;
    if (row->address < start) {
      row = std::upper_bound(
                row, last, start,
                [](std::uint64_t address, const LineRow& r) { return address < r.address; }) -
            1;
    }
    for (; row != last && row->address < end; ++row) {
      const std::uint64_t from = std::max(start, row->address);
      const std::uint64_t to = std::min(end, row + 1 == last ? sequence->end : row[1].address);
      const std::uint32_t file = file_at(row->file);
      const auto offset = static_cast<std::uint32_t>(from - base);
      if (out.size() > first && out.back().line == row->line && out.back().file == file &&
          out.back().offset + out.back().size == offset) {
        out.back().size += static_cast<std::uint32_t>(to - from);
      } else if (from < to) {
        out.push_back({offset, static_cast<std::uint32_t>(to - from), row->line, file});
      }
      start = to;
    }
  }
}

// What the functions left of the line table: assembly, and with -gline-tables-only most code.
void UnitReader::append_orphans() {
  std::vector<AddressRange> covered;
  covered.reserve(out_.functions.size());
  for (const UnitFunction& f : out_.functions) covered.push_back({f.start, f.end});
  std::sort(covered.begin(), covered.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.start < b.start; });
  std::vector<UnitLine> lines;
  std::uint64_t done = 0;  // sequences may overlap: never the same byte twice
  auto next = covered.begin();
  for (const LineSequence& sequence : lines_.sequences()) {
    std::uint64_t at = std::max(sequence.start, done);
    while (next != covered.end() && next->end <= at) ++next;
    for (auto range = next; at < sequence.end; ++range) {
      const std::uint64_t stop =
          range == covered.end() ? sequence.end : std::min(sequence.end, range->start);
      if (at < stop) {
        lines.clear();
        append_lines(at, stop, lines);
        for (const UnitLine& l : lines) {
          out_.orphans.push_back({at + l.offset, l.size, l.line, l.file});
        }
      }
      if (range == covered.end()) break;
      at = std::max(at, range->end);
    }
    done = std::max(done, sequence.end);
  }
}

}  // namespace

UnitSymbols read_unit(const dwarf::DebugInfo& info, const dwarf::Unit& unit,
                      const UnitOptions& options) {
  return UnitReader(info, unit, options).read();
}

}  // namespace extract
