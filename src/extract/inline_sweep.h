// The inlined calls of one function, laid flat: which call owns each byte.
// Debug information may let ranges of siblings overlap or children stick out of their parents.
// Here every byte gets one owner, the call that stands last in preorder among those that cover
// it (as debuggers decide), and every call the bytes of its own and of its children. What comes
// out is nested and disjoint, so all readers of a symbol file answer the same.
// A Sweep keeps its memory from one function to the next; one thread each.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/dwarf/code_tree.h"

namespace extract {

// A contiguous range of the function, and the calls in it.
struct SweptRange {
  std::uint64_t start = 0, end = 0;
  std::uint32_t first_site = 0, site_count = 0;
};

struct SweptSite {
  std::uint32_t site = 0;  // index into CodeTree::sites
  std::uint32_t first_range = 0, range_count = 0;
};

class Sweep {
 public:
  // REQUIRES: function is one of tree.functions. Results are valid until the next call.
  void run(const dwarf::CodeTree& tree, const dwarf::CodeFunction& function);

  const std::vector<SweptRange>& ranges() const { return ranges_; }  // sorted, disjoint
  const std::vector<SweptSite>& sites() const { return sites_; }     // preorder within a range
  const std::vector<dwarf::AddressRange>& site_ranges() const { return site_ranges_; }

 private:
  struct Event {
    std::uint64_t start, end;
    std::uint32_t site;  // relative to the function's first
  };
  struct Piece {
    std::uint64_t start, end;
    std::uint32_t site;
  };
  void collect_function_ranges(const dwarf::CodeTree& tree, const dwarf::CodeFunction& function);
  void collect_events(const dwarf::CodeTree& tree, const dwarf::CodeFunction& function);
  void own(std::uint64_t start, std::uint64_t end, std::uint32_t site);
  void add_piece(std::uint64_t start, std::uint64_t end, std::uint32_t site);
  void close_range(SweptRange& range);

  const dwarf::CodeSite* tree_sites_ = nullptr;
  std::uint32_t first_site_ = 0;
  std::size_t range_at_ = 0;
  std::vector<Event> events_, active_;  // active_: a heap, the last in preorder on top
  std::vector<Piece> pieces_;
  std::vector<std::uint32_t> last_piece_, counts_;
  std::vector<SweptRange> ranges_;
  std::vector<SweptSite> sites_;
  std::vector<dwarf::AddressRange> site_ranges_;
};

}  // namespace extract
