#include "symbols/flatten.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <tuple>

namespace symbols {
namespace {

constexpr std::uint64_t kMaxAddress = std::numeric_limits<std::uint64_t>::max();

bool covers_something(std::uint64_t rva, std::uint32_t size) {
  return size > 0 && rva <= kMaxAddress - (size - 1);
}

}  // namespace

std::vector<std::uint32_t> functions_in_order(const Model& model) {
  const std::vector<Function>& functions = model.functions;
  std::vector<std::uint32_t> order;
  order.reserve(functions.size());
  bool sorted = true;
  for (std::uint32_t i = 0; i < functions.size(); ++i) {
    const Function& f = functions[i];
    if (!covers_something(f.rva, f.size)) continue;
    if (!order.empty()) {
      const Function& before = functions[order.back()];
      sorted &= std::tie(before.rva, before.size) <= std::tie(f.rva, f.size);
    }
    order.push_back(i);
  }
  if (!sorted) {
    std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
      return std::tie(functions[a].rva, functions[a].size, a) <
             std::tie(functions[b].rva, functions[b].size, b);
    });
  }
  std::size_t kept = 0;
  for (const std::uint32_t index : order) {
    if (kept > 0) {
      const Function& before = functions[order[kept - 1]];
      if (functions[index].rva <= before.rva + (before.size - 1)) continue;
    }
    order[kept++] = index;
  }
  order.resize(kept);
  return order;
}

void Flattener::flatten(const Model& model, const Function& function) {
  rows_.clear();
  nodes_.clear();
  collect_lines(model, function);
  collect_calls(model, function);
  sweep(model, function);
}

void Flattener::collect_lines(const Model& model, const Function& function) {
  lines_.clear();
  bool sorted = true;
  for (std::uint32_t i = 0; i < function.line_count; ++i) {
    const Line& line = model.lines[function.first_line + i];
    if (!covers_something(line.rva, line.size)) continue;
    const Piece piece{line.rva, line.rva + (line.size - 1), function.first_line + i, false};
    if (!lines_.empty()) {
      sorted &=
          std::tie(lines_.back().start, lines_.back().last) <= std::tie(piece.start, piece.last);
    }
    lines_.push_back(piece);
  }
  if (!sorted) {
    std::sort(lines_.begin(), lines_.end(), [](const Piece& a, const Piece& b) {
      return std::tie(a.start, a.last, a.index) < std::tie(b.start, b.last, b.index);
    });
  }
  std::size_t kept = 0;
  for (const Piece& piece : lines_) {
    if (kept > 0 && piece.start <= lines_[kept - 1].last) continue;
    lines_[kept++] = piece;
  }
  lines_.resize(kept);
}

// Inlined calls are not held to the rule for lines. At each depth the one that starts last at or
// before an address decides: if it does not reach the address, nothing is inlined there at that
// depth, even where an earlier and longer one would.
void Flattener::collect_calls(const Model& model, const Function& function) {
  pieces_.clear();
  depth_at_.clear();
  sort_calls(model, function);
  depth_at_.push_back(0);
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    const Call& call = calls_[i];
    const std::size_t depth = depth_at_.size() - 1;
    if (call.depth > depth) {
      if (call.depth > depth + 1 || pieces_.size() == depth_at_.back()) break;  // unreachable
      depth_at_.push_back(static_cast<std::uint32_t>(pieces_.size()));
    }
    const bool hidden = i + 1 < calls_.size() && calls_[i + 1].depth == call.depth &&
                        calls_[i + 1].start == call.start;
    if (hidden) continue;
    const bool empty = call.size == 0 || call.start > kMaxAddress - call.size;
    pieces_.push_back(
        {call.start, empty ? call.start : call.start + (call.size - 1), call.site, empty});
  }
  depth_at_.push_back(static_cast<std::uint32_t>(pieces_.size()));
  cursor_.assign(depth_at_.begin(), depth_at_.end() - 1);
  levels_.clear();
  steps_left_ = kMaxStepsPerRange * (calls_.size() + lines_.size()) + kMaxStepsBase;
  if (!pieces_.empty()) clear_children(pieces_.size());
}

// Sites mostly come with their depths mixed, and each depth in the order of its addresses.
void Flattener::sort_calls(const Model& model, const Function& function) {
  const std::span<const InlineSite> sites(model.inlines.data() + function.first_inline,
                                          function.inline_count);
  call_ends_.clear();
  for (const InlineSite& site : sites) {
    if (site.depth >= kMaxInlineDepth) continue;
    if (site.depth >= call_ends_.size()) call_ends_.resize(site.depth + std::size_t{1});
    call_ends_[site.depth] += site.range_count;
  }
  std::size_t total = 0;
  for (std::size_t& end : call_ends_) {  // where each depth begins; filling makes ends of them
    const std::size_t count = end;
    end = total;
    total += count;
  }
  calls_.resize(total);
  for (std::uint32_t i = 0; i < sites.size(); ++i) {
    const InlineSite& site = sites[i];
    if (site.depth >= kMaxInlineDepth) continue;
    for (std::uint32_t r = 0; r < site.range_count; ++r) {
      const Range& range = model.inline_ranges[site.first_range + r];
      calls_[call_ends_[site.depth]++] = {site.depth,     range.size,
                                          range.rva,      function.first_inline + i,
                                          site.call_file, site.call_line};
    }
  }
  const auto less = [](const Call& a, const Call& b) {
    return std::tie(a.start, a.size, a.call_file, a.call_line, a.site) <
           std::tie(b.start, b.size, b.call_file, b.call_line, b.site);
  };
  auto from = calls_.begin();
  for (const std::size_t end : call_ends_) {
    const auto to = calls_.begin() + static_cast<std::ptrdiff_t>(end);
    if (!std::is_sorted(from, to, less)) std::sort(from, to, less);
    from = to;
  }
}

void Flattener::sweep(const Model& model, const Function& function) {
  const std::uint64_t end = function.rva + (function.size - 1);  // inclusive
  std::size_t line_at = 0;
  std::uint64_t rva = function.rva;
  while (true) {
    std::uint64_t last = end;
    FlatRow row;
    row.rva = rva;
    while (line_at < lines_.size() && lines_[line_at].last < rva) ++line_at;
    if (line_at < lines_.size()) {
      const Piece& piece = lines_[line_at];
      if (piece.start <= rva) {
        last = std::min(last, piece.last);
        row.has_line = true;
        row.file = model.lines[piece.index].file;
        row.line = model.lines[piece.index].line;
        row.record = piece.index;
      } else {
        last = std::min(last, piece.start - 1);
      }
    }
    if (!pieces_.empty()) row.node = node_at(model, rva, last);
    const bool same = !rows_.empty() && rows_.back().node == row.node &&
                      rows_.back().has_line == row.has_line && rows_.back().record == row.record;
    if (!same) rows_.push_back(row);
    if (last >= end) return;
    rva = last + 1;
  }
}

std::uint32_t Flattener::node_at(const Model& model, std::uint64_t rva, std::uint64_t& last) {
  while (!levels_.empty() && levels_.back().valid_to < rva) levels_.pop_back();
  std::uint32_t node = levels_.empty() ? 0 : levels_.back().node;
  std::uint64_t valid_to = levels_.empty() ? kMaxAddress : levels_.back().valid_to;
  for (std::size_t depth = levels_.size(); depth + 1 < depth_at_.size(); ++depth) {
    if (steps_left_ == 0) return 0;
    --steps_left_;
    std::uint32_t& at = cursor_[depth];
    const std::uint32_t end = depth_at_[depth + 1];
    if (pieces_[at].start > rva) {  // the first one of this depth is still to come
      last = std::min({last, valid_to, pieces_[at].start - 1});
      return node;
    }
    while (at + 1 < end && pieces_[at + 1].start <= rva) ++at;
    const Piece& piece = pieces_[at];
    if (at + 1 < end) valid_to = std::min(valid_to, pieces_[at + 1].start - 1);
    if (piece.empty || piece.last < rva) {
      last = std::min(last, valid_to);
      return node;
    }
    valid_to = std::min(valid_to, piece.last);
    node = child_of(node, model.inlines[piece.index]);
    levels_.push_back({node, valid_to});
  }
  last = std::min(last, valid_to);
  return node;
}

void Flattener::clear_children(std::size_t expected) {
  const std::size_t size = std::bit_ceil(expected * 2 + 16);
  children_.assign(size, 0);
}

std::uint32_t Flattener::child_of(std::uint32_t parent, const InlineSite& site) {
  const FlatNode wanted{parent, site.name, site.call_file, site.call_line};
  std::uint64_t hash = (std::uint64_t{parent} << 32 | site.name) * 0x9e3779b97f4a7c15ull;
  hash = (hash ^ (hash >> 29) ^ (std::uint64_t{site.call_line} << 20) ^ site.call_file) *
         0xbf58476d1ce4e5b9ull;
  if (nodes_.size() * 2 >= children_.size()) {
    std::vector<FlatNode> nodes;
    nodes.swap(nodes_);
    clear_children(children_.size());
    for (const FlatNode& node : nodes) {
      InlineSite again;
      again.name = node.name;
      again.call_file = node.call_file;
      again.call_line = node.call_line;
      child_of(node.parent, again);
    }
  }
  const std::size_t mask = children_.size() - 1;
  for (std::size_t at = (hash >> 32) & mask;; at = (at + 1) & mask) {
    const std::uint32_t number = children_[at];
    if (number == 0) {
      nodes_.push_back(wanted);
      children_[at] = static_cast<std::uint32_t>(nodes_.size());
      return children_[at];
    }
    const FlatNode& node = nodes_[number - 1];
    if (node.parent == wanted.parent && node.name == wanted.name &&
        node.call_file == wanted.call_file && node.call_line == wanted.call_line) {
      return number;
    }
  }
}

}  // namespace symbols
