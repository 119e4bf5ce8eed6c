#include "formats/dwarf/code_tree.h"

#include <algorithm>

#include "formats/dwarf/line_table.h"

namespace dwarf {
namespace {

class Walk {
 public:
  Walk(const DebugInfo& info, const Unit& unit, std::span<const AddressRange> code, Inlines inlines)
      : info_(info),
        unit_(unit),
        code_(code),
        inlines_(inlines),
        // So many list entries as no compiler writes for a unit of this size.
        budget_(1024 + 4 * (unit.end - unit.offset)) {}

  CodeTree run();

 private:
  // Which function and site the entries at a depth belong to.
  struct Scope {
    std::uint32_t depth = 0;  // of the entry that opened it
    std::uint32_t function = kNone;
    std::uint32_t site = kNone;
  };

  // Reads one entry. False when its children, if any, were jumped over.
  bool visit(base::Reader& r, std::uint64_t offset, const Abbrev& abbrev);
  bool visit_subprogram(base::Reader& r, std::uint64_t offset, const Abbrev& abbrev);
  void visit_inlined(base::Reader& r, const Abbrev& abbrev);
  bool jump_to_sibling(base::Reader& r, std::uint64_t reference) const;
  void append_function(std::uint64_t offset, std::size_t first_range);
  Scope scope() const { return scopes_.empty() ? Scope{} : scopes_.back(); }
  void stop(std::uint64_t offset, std::string what) {
    tree_.problem = std::move(what);
    tree_.problem_offset = offset;
  }
  // Sites of a nested function would interleave with those of the one around it: they are
  // collected apart and moved together at the end.
  void gather_sites();

  const DebugInfo& info_;
  const Unit& unit_;
  std::span<const AddressRange> code_;
  Inlines inlines_;
  std::uint64_t budget_;
  CodeTree tree_;
  std::vector<std::uint32_t> owners_;  // of each site: its function
  std::vector<Scope> scopes_;
  std::uint32_t depth_ = 0;
  bool interleaved_ = false;
  Facts facts_;
};

CodeTree Walk::run() {
  base::Reader r = info_.reader_of(unit_);
  while (!r.at_end()) {
    const std::uint64_t offset = r.offset();
    const std::uint64_t code = r.uleb();
    if (code == 0) {
      if (depth_ == 0) break;  // padding behind the unit's entry
      --depth_;
      while (!scopes_.empty() && scopes_.back().depth >= depth_) scopes_.pop_back();
      if (depth_ == 0) break;
      continue;
    }
    const Abbrev* abbrev = unit_.abbrevs->find(code);
    if (abbrev == nullptr) [[unlikely]] {
      stop(offset, "abbreviation " + std::to_string(code) + " is not in the unit's table");
      break;
    }
    const bool inside = visit(r, offset, *abbrev);
    if (r.failed()) [[unlikely]] {
      stop(offset, "an entry is cut short or has a form that nobody knows");
      break;
    }
    if (abbrev->children && inside) ++depth_;
  }
  gather_sites();
  return std::move(tree_);
}

bool Walk::visit(base::Reader& r, std::uint64_t offset, const Abbrev& abbrev) {
  switch (abbrev.role) {
    case Role::subprogram:
      return visit_subprogram(r, offset, abbrev);
    case Role::inlined:
      if (inlines_ == Inlines::leave_out) break;
      visit_inlined(r, abbrev);
      return true;
    case Role::leave_out:
      if (abbrev.children && abbrev.sibling_offset >= 0) {
        base::Reader peek = r;
        peek.skip(static_cast<std::uint64_t>(abbrev.sibling_offset));
        if (jump_to_sibling(r, peek.u32())) return false;
      }
      break;
    case Role::pass:
    case Role::unit:
      break;
  }
  info_.skip_entry(r, unit_, abbrev);
  return true;
}

// Only forwards and within the unit: a hostile file gains nothing by its siblings.
bool Walk::jump_to_sibling(base::Reader& r, std::uint64_t reference) const {
  if (reference > unit_.end - unit_.offset) return false;
  const std::uint64_t target = unit_.offset + reference;
  if (target <= r.offset() || target >= unit_.end) return false;
  r.seek(target);
  return true;
}

bool Walk::visit_subprogram(base::Reader& r, std::uint64_t offset, const Abbrev& abbrev) {
  info_.read_facts(r, unit_, abbrev, facts_);
  if (r.failed()) return true;
  if (facts_.has(Want::declaration) && facts_.has(Want::sibling) && abbrev.children) {
    const auto sibling = facts_.value(Want::sibling);
    if (sibling.form == kFormRef4 && jump_to_sibling(r, sibling.number)) return false;
  }
  const std::size_t first_range = tree_.ranges.size();
  append_ranges(info_, unit_, facts_, budget_, tree_.ranges);
  const auto outside = [&](AddressRange& range) {
    range.end = std::min(range.end, range.start + 0xffffffff);  // a model counts sizes in 32 bits
    return !is_in(code_, range.start);
  };
  tree_.ranges.erase(std::remove_if(tree_.ranges.begin() + static_cast<std::ptrdiff_t>(first_range),
                                    tree_.ranges.end(), outside),
                     tree_.ranges.end());
  Scope opened{depth_, kNone, kNone};
  if (tree_.ranges.size() != first_range) {
    append_function(offset, first_range);
    opened.function = static_cast<std::uint32_t>(tree_.functions.size()) - 1;
  }
  if (abbrev.children) scopes_.push_back(opened);
  return true;
}

void Walk::append_function(std::uint64_t offset, std::size_t first_range) {
  CodeFunction function;
  function.die_offset = offset;
  function.first_range = static_cast<std::uint32_t>(first_range);
  function.range_count = static_cast<std::uint32_t>(tree_.ranges.size() - first_range);
  function.first_site = static_cast<std::uint32_t>(tree_.sites.size());
  tree_.functions.push_back(function);
}

void Walk::visit_inlined(base::Reader& r, const Abbrev& abbrev) {
  info_.read_facts(r, unit_, abbrev, facts_);
  const Scope around = scope();
  if (r.failed() || around.function == kNone) return;
  if (around.site != kNone && tree_.sites[around.site].depth + 1 >= kMaxInlineDepth) return;
  CodeSite site;
  if (facts_.has(Want::abstract_origin)) {
    site.origin = info_.find_reference(unit_, facts_.value(Want::abstract_origin)).value_or(0);
  }
  site.parent = around.site;
  site.depth = around.site == kNone ? 0 : tree_.sites[around.site].depth + 1;
  if (facts_.has(Want::call_file)) {
    const auto file = info_.find_number(facts_.value(Want::call_file));
    site.has_call_file = file && *file < kNone;
    if (site.has_call_file) site.call_file = static_cast<std::uint32_t>(*file);
  }
  if (facts_.has(Want::call_line)) {
    site.call_line =
        static_cast<std::uint32_t>(info_.find_number(facts_.value(Want::call_line)).value_or(0));
  }
  const std::size_t first_range = tree_.ranges.size();
  append_ranges(info_, unit_, facts_, budget_, tree_.ranges);
  site.first_range = static_cast<std::uint32_t>(first_range);
  site.range_count = static_cast<std::uint32_t>(tree_.ranges.size() - first_range);
  tree_.sites.push_back(site);
  interleaved_ |= !owners_.empty() && around.function < owners_.back();
  owners_.push_back(around.function);
  if (abbrev.children) {
    scopes_.push_back(
        {depth_, around.function, static_cast<std::uint32_t>(tree_.sites.size()) - 1});
  }
}

void Walk::gather_sites() {
  if (interleaved_) {
    std::vector<std::uint32_t> order(tree_.sites.size()), place(tree_.sites.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return owners_[a] != owners_[b] ? owners_[a] < owners_[b] : a < b;
    });
    std::vector<CodeSite> sites;
    std::vector<std::uint32_t> owners;
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      place[order[i]] = i;
      sites.push_back(tree_.sites[order[i]]);
      owners.push_back(owners_[order[i]]);
    }
    for (CodeSite& site : sites) {
      if (site.parent != kNone) site.parent = place[site.parent];
    }
    tree_.sites = std::move(sites);
    owners_ = std::move(owners);
  }
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < tree_.functions.size(); ++i) {
    tree_.functions[i].first_site = static_cast<std::uint32_t>(at);
    while (at < owners_.size() && owners_[at] == i) ++at;
    tree_.functions[i].site_count = static_cast<std::uint32_t>(at) - tree_.functions[i].first_site;
  }
}

}  // namespace

CodeTree read_code_tree(const DebugInfo& info, const Unit& unit, std::span<const AddressRange> code,
                        Inlines inlines) {
  return Walk(info, unit, code, inlines).run();
}

}  // namespace dwarf
