#include "extract/inline_sweep.h"

#include <gtest/gtest.h>

#include <string>

namespace extract {
namespace {

using dwarf::AddressRange;
using dwarf::kNone;

// One function and its calls, each with a parent and ranges.
struct Call {
  std::uint32_t parent;
  std::vector<AddressRange> ranges;
};

dwarf::CodeTree make_tree(const std::vector<AddressRange>& ranges, const std::vector<Call>& calls) {
  dwarf::CodeTree tree;
  dwarf::CodeFunction function;
  function.range_count = static_cast<std::uint32_t>(ranges.size());
  function.site_count = static_cast<std::uint32_t>(calls.size());
  tree.ranges = ranges;
  for (const Call& call : calls) {
    dwarf::CodeSite site;
    site.parent = call.parent;
    site.first_range = static_cast<std::uint32_t>(tree.ranges.size());
    site.range_count = static_cast<std::uint32_t>(call.ranges.size());
    tree.ranges.insert(tree.ranges.end(), call.ranges.begin(), call.ranges.end());
    tree.sites.push_back(site);
  }
  tree.functions = {function};
  return tree;
}

// "0: 10-20 30-40 | 1: …" for each range of the function.
std::string swept(const std::vector<AddressRange>& ranges, const std::vector<Call>& calls) {
  const dwarf::CodeTree tree = make_tree(ranges, calls);
  Sweep sweep;
  sweep.run(tree, tree.functions[0]);
  std::string text;
  for (const SweptRange& range : sweep.ranges()) {
    text += "[" + std::to_string(range.start) + "," + std::to_string(range.end) + ")";
    for (std::uint32_t i = 0; i < range.site_count; ++i) {
      const SweptSite& site = sweep.sites()[range.first_site + i];
      text += " " + std::to_string(site.site) + ":";
      for (std::uint32_t k = 0; k < site.range_count; ++k) {
        const AddressRange& r = sweep.site_ranges()[site.first_range + k];
        text += std::to_string(r.start) + "-" + std::to_string(r.end) + ",";
      }
    }
    text += "\n";
  }
  return text;
}

TEST(Sweep, KeepsProperNesting) {
  EXPECT_EQ(swept({{0, 100}}, {{kNone, {{10, 50}}}, {0, {{20, 30}}}, {kNone, {{60, 70}}}}),
            "[0,100) 0:10-50, 1:20-30, 2:60-70,\n");
}

TEST(Sweep, GivesParentsWhatTheirChildrenCover) {
  EXPECT_EQ(swept({{0, 100}}, {{kNone, {{10, 20}}}, {0, {{15, 40}}}}),
            "[0,100) 0:10-40, 1:15-40,\n");
  EXPECT_EQ(swept({{0, 100}}, {{kNone, {}}, {0, {{15, 40}}}}), "[0,100) 0:15-40, 1:15-40,\n");
}

TEST(Sweep, LetsTheLaterSiblingWin) {
  EXPECT_EQ(swept({{0, 100}}, {{kNone, {{10, 50}}}, {kNone, {{30, 60}}}}),
            "[0,100) 0:10-30, 1:30-60,\n");
  EXPECT_EQ(swept({{0, 100}}, {{kNone, {{10, 50}}}, {kNone, {{20, 30}}}}),
            "[0,100) 0:10-20,30-50, 1:20-30,\n");
}

TEST(Sweep, CutsCallsAtTheRangesOfASplitFunction) {
  EXPECT_EQ(swept({{100, 200}, {0, 50}}, {{kNone, {{10, 20}, {150, 300}}}, {0, {{40, 110}}}}),
            "[0,50) 0:10-20,40-50, 1:40-50,\n[100,200) 0:100-110,150-200, 1:100-110,\n");
}

TEST(Sweep, JoinsTouchingRangesOfTheFunction) {
  EXPECT_EQ(swept({{0, 10}, {10, 20}, {15, 30}}, {{kNone, {{5, 25}}}}), "[0,30) 0:5-25,\n");
}

TEST(Sweep, DropsCallsWithoutBytes) {
  EXPECT_EQ(swept({{0, 10}}, {{kNone, {{20, 30}}}, {kNone, {}}}), "[0,10)\n");
}

}  // namespace
}  // namespace extract
