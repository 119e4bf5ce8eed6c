// STACK CFI ranges → unwind segments, rule sets and rules of an index; STACK WIN → its tables.
// Rules are parsed and merged here, once, so that a lookup only copies.
// Pure functions of the Model.
// Format: docs/formats/symbol-index.md, "Unwind"
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "symbols/model.h"

namespace symbols {

class IndexStrings;

struct UnwindSections {
  std::vector<std::uint8_t> segments;       // kUnwind
  std::vector<std::uint8_t> rows;           // kUnwindRows
  std::vector<std::uint8_t> rule_sets;      // kRuleSets
  std::vector<std::uint8_t> rule_set_data;  // kRuleSetData
  std::vector<std::uint8_t> rules;          // kRules
  std::vector<std::uint8_t> rule_data;      // kRuleData
};

UnwindSections write_unwind(const Model& model);

// The records of one type (4 or 0) in the Model's order, overlaps resolved: one that starts
// inside the record before it shortens that, any other overlap drops the later one.
std::vector<StackWin> stack_win_in_order(const Model& model, std::uint32_t type);
std::vector<std::uint8_t> write_stack_win(std::span<const StackWin> records,
                                          const IndexStrings& strings);

}  // namespace symbols
