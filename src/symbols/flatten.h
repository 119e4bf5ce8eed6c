// Functions with overlapping lines and nested inlined calls → rows: from this address on, until
// the next row, this line of this file, in this node of the function's inline tree.
// This is where the overlap rules of Breakpad's text live; see docs/formats/symbol-index.md.
// A Flattener is scratch memory for one thread; views of its results last until the next call.
// Nothing fails: what cannot be covered (an overflowing range) is left out. A function whose
// inline tree would take absurdly long (kMaxSteps…) keeps its lines and loses its inlinees.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "symbols/model.h"

namespace symbols {

constexpr std::uint32_t kMaxInlineDepth = 1024;
constexpr std::uint64_t kMaxStepsPerRange = 256;
constexpr std::uint64_t kMaxStepsBase = 1'000'000;

// The functions that count, in order of address: empty and overflowing ones are gone, and of two
// that overlap the one with the greater (start, end).
std::vector<std::uint32_t> functions_in_order(const Model& model);

struct FlatRow {
  std::uint64_t rva = 0;
  std::uint32_t node = 0;  // 0: the function itself; n: nodes[n - 1]
  FileId file = kNoFile;
  std::uint32_t line = 0;
  bool has_line = false;     // a line record covers this; its file may still be unknown
  std::uint32_t record = 0;  // which one; so that each record keeps its beginning
};

// One inlined call, seen from its parent; parents stand before their children.
struct FlatNode {
  std::uint32_t parent = 0;  // numbered like FlatRow::node
  StringId name = 0;         // kNoName: leaves no frame
  FileId call_file = kNoFile;
  std::uint32_t call_line = 0;
};

class Flattener {
 public:
  // REQUIRES: function.size > 0 and its end does not overflow.
  void flatten(const Model& model, const Function& function);
  std::span<const FlatRow> rows() const { return rows_; }
  std::span<const FlatNode> nodes() const { return nodes_; }

 private:
  struct Piece {  // of a line, or of an inlined call; `last` is inclusive
    std::uint64_t start;
    std::uint64_t last;
    std::uint32_t index;
    bool empty;  // covers nothing, but hides what started before it
  };
  struct Call {
    std::uint32_t depth;
    std::uint32_t size;
    std::uint64_t start;
    std::uint32_t site;
    FileId call_file;
    std::uint32_t call_line;
  };
  struct Level {
    std::uint32_t node;
    std::uint64_t valid_to;  // inclusive: this and the outer levels stay as they are
  };

  void collect_lines(const Model& model, const Function& function);
  void collect_calls(const Model& model, const Function& function);
  void sort_calls(const Model& model, const Function& function);
  void sweep(const Model& model, const Function& function);
  // The node at `rva`; lowers `last` to where it may change.
  std::uint32_t node_at(const Model& model, std::uint64_t rva, std::uint64_t& last);
  std::uint32_t child_of(std::uint32_t parent, const InlineSite& site);
  void clear_children(std::size_t expected);

  std::vector<FlatRow> rows_;
  std::vector<FlatNode> nodes_;
  std::vector<Piece> lines_;
  std::vector<Call> calls_;              // depth after depth
  std::vector<std::size_t> call_ends_;   // of each depth
  std::vector<Piece> pieces_;            // of calls, depth after depth
  std::vector<std::uint32_t> depth_at_;  // first piece of each depth, and the end
  std::vector<std::uint32_t> cursor_;    // piece under consideration, for each depth
  std::vector<Level> levels_;
  std::vector<std::uint32_t> children_;  // open hash table of node numbers, 0 is free
  std::uint64_t steps_left_ = 0;
};

}  // namespace symbols
