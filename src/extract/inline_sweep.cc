#include "extract/inline_sweep.h"

#include <algorithm>

namespace extract {

using dwarf::AddressRange;
using dwarf::kNone;

void Sweep::collect_function_ranges(const dwarf::CodeTree& tree,
                                    const dwarf::CodeFunction& function) {
  ranges_.clear();
  for (std::uint32_t i = 0; i < function.range_count; ++i) {
    const AddressRange& range = tree.ranges[function.first_range + i];
    ranges_.push_back({range.start, range.end, 0, 0});
  }
  std::sort(ranges_.begin(), ranges_.end(), [](const SweptRange& a, const SweptRange& b) {
    return a.start != b.start ? a.start < b.start : a.end < b.end;
  });
  std::size_t kept = 0;  // touching and overlapping ranges are one piece of code
  for (const SweptRange& range : ranges_) {
    if (kept != 0 && range.start <= ranges_[kept - 1].end) {
      ranges_[kept - 1].end = std::max(ranges_[kept - 1].end, range.end);
    } else {
      ranges_[kept++] = range;
    }
  }
  ranges_.resize(kept);
}

void Sweep::collect_events(const dwarf::CodeTree& tree, const dwarf::CodeFunction& function) {
  events_.clear();
  bool sorted = true;
  for (std::uint32_t i = 0; i < function.site_count; ++i) {
    const dwarf::CodeSite& site = tree.sites[function.first_site + i];
    for (std::uint32_t k = 0; k < site.range_count; ++k) {
      const AddressRange& range = tree.ranges[site.first_range + k];
      sorted = sorted && (events_.empty() || events_.back().start <= range.start);
      events_.push_back({range.start, range.end, i});
    }
  }
  if (sorted) return;
  std::sort(events_.begin(), events_.end(), [](const Event& a, const Event& b) {
    return a.start != b.start ? a.start < b.start : a.site < b.site;
  });
}

void Sweep::run(const dwarf::CodeTree& tree, const dwarf::CodeFunction& function) {
  tree_sites_ = tree.sites.data();
  first_site_ = function.first_site;
  range_at_ = 0;
  sites_.clear();
  site_ranges_.clear();
  pieces_.clear();
  collect_function_ranges(tree, function);
  if (function.site_count == 0 || ranges_.empty()) return;
  collect_events(tree, function);
  last_piece_.assign(function.site_count, kNone);
  counts_.assign(function.site_count, 0);

  const auto below = [](const Event& a, const Event& b) { return a.site < b.site; };
  active_.clear();
  std::uint64_t at = 0;
  const auto advance = [&](std::uint64_t until) {
    while (!active_.empty() && at < until) {
      const Event top = active_.front();
      if (top.end <= at) {
        std::pop_heap(active_.begin(), active_.end(), below);
        active_.pop_back();
        continue;
      }
      const std::uint64_t stop = std::min(top.end, until);
      own(at, stop, top.site);
      at = stop;
    }
  };
  for (const Event& event : events_) {
    advance(event.start);
    at = event.start;
    active_.push_back(event);
    std::push_heap(active_.begin(), active_.end(), below);
  }
  advance(~std::uint64_t{0});
  while (range_at_ < ranges_.size()) close_range(ranges_[range_at_++]);
}

// Cuts [start, end) at the edges of the function's ranges; what lies between them is dropped.
void Sweep::own(std::uint64_t start, std::uint64_t end, std::uint32_t site) {
  while (start < end && range_at_ < ranges_.size()) {
    SweptRange& range = ranges_[range_at_];
    if (start >= range.end) {
      close_range(range);
      ++range_at_;
      continue;
    }
    if (end <= range.start) return;
    start = std::max(start, range.start);
    const std::uint64_t stop = std::min(end, range.end);
    add_piece(start, stop, site);
    start = stop;
  }
}

void Sweep::add_piece(std::uint64_t start, std::uint64_t end, std::uint32_t site) {
  for (;;) {
    const std::uint32_t last = last_piece_[site];
    if (last != kNone && pieces_[last].end == start) {
      pieces_[last].end = end;
    } else {
      last_piece_[site] = static_cast<std::uint32_t>(pieces_.size());
      pieces_.push_back({start, end, site});
      ++counts_[site];
    }
    const std::uint32_t parent = tree_sites_[first_site_ + site].parent;
    if (parent == kNone) return;
    site = parent - first_site_;
  }
}

// Pieces of one range, in the order they were made → grouped by site, sites in preorder.
void Sweep::close_range(SweptRange& range) {
  range.first_site = static_cast<std::uint32_t>(sites_.size());
  if (pieces_.empty()) return;
  auto place = static_cast<std::uint32_t>(site_ranges_.size());
  for (std::uint32_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    sites_.push_back({first_site_ + i, place, counts_[i]});
    const std::uint32_t count = counts_[i];
    counts_[i] = place;  // from here on: where the next piece of this site goes
    place += count;
  }
  site_ranges_.resize(place);
  for (const Piece& piece : pieces_) {
    site_ranges_[counts_[piece.site]++] = {piece.start, piece.end};
  }
  range.site_count = static_cast<std::uint32_t>(sites_.size()) - range.first_site;
  std::fill(counts_.begin(), counts_.end(), 0u);
  std::fill(last_piece_.begin(), last_piece_.end(), kNone);
  pieces_.clear();
}

}  // namespace extract
