#include "symbols/demangle.h"

#include <gtest/gtest.h>

#include <string>

namespace symbols {
namespace {

struct Row {
  const char* mangled;
  const char* expected;
};

TEST(Demangle, KeepsArgumentsAndDropsReturnTypes) {
  const Row rows[] = {
      {"_Z3fooi", "foo(int)"},
      {"_ZN1a1bIiEEvT_", "a::b<int>(int)"},
      {"_ZNK1a1bEv", "a::b() const"},
      {"_ZNSt6vectorIiSaIiEE9push_backEOi",
       "std::vector<int, std::allocator<int>>::push_back(int&&)"},
      {"_ZN12_GLOBAL__N_11fEv", "(anonymous namespace)::f()"},
      {"_Z1fIiEPFivET_", "f<int>(int)"},
      {"_ZZ1fIiEvvENKUlvE_clEv", "f<int>()::'lambda'()::operator()() const"},
      {"_ZTV3Foo", "vtable for Foo"},
      {"__Z3fooi", "foo(int)"},
      {"?foo@@YAHH@Z", "foo(int)"},
      {"?bar@Foo@@QEAAXPEBD@Z", "Foo::bar(char const *)"},
      {"_RNvC6_123foo3bar", "123foo::bar"},
      {"_D8demangle3abci", "demangle.abc"},
      {"_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"},
      {"_ZN60_$LT$alloc..vec..Vec$LT$T$GT$$u20$as$u20$core..ops..Drop$GT$4drop17h0123456789abcdefE",
       "<alloc::vec::Vec<T> as core::ops::Drop>::drop"},
  };
  for (const Row& row : rows) EXPECT_EQ(demangle(row.mangled), row.expected) << row.mangled;
}

TEST(Demangle, CutsCloneSuffixes) {
  const Row rows[] = {
      {"_Z3fooi.cold", "foo(int)"},
      {"_Z3fooi.cold.12", "foo(int)"},
      {"_Z3fooi.part.0.isra.0.constprop.3", "foo(int)"},
      {"_Z3fooi.llvm.1234567890", "foo(int)"},
      {"_Z3fooi.lto_priv.0", "foo(int)"},
      {"main.localalias", "main"},
      {"foo(int) [clone .cold] [clone .part.0]", "foo(int)"},
      {"helper.isra.0", "helper"},
  };
  for (const Row& row : rows) EXPECT_EQ(demangle(row.mangled), row.expected) << row.mangled;
}

TEST(Demangle, LeavesOtherNamesAlone) {
  for (const char* name :
       {"main", "", "_", "_Z", "_R", "?", "_D", "_start", "memcpy@@GLIBC_2.14", "foo.bar", ".text",
        ".cold", "_f@12", "$s4main3fooyyF", "a.1", "_Zzzz"}) {
    EXPECT_EQ(demangle(name), name);
  }
}

TEST(Demangle, BoundsHostileNames) {
  // Each pair<S_, S_> doubles what the one before it prints.
  std::string doubling = "_Z1f1aIS_S_E";
  for (int i = 0; i < 60; ++i) {
    const std::string last = i == 0 ? "S0_" : std::string{'S', char('A' + i % 26), '_'};
    doubling.append("S_I").append(last).append(last).append("E");
  }
  EXPECT_LE(demangle(doubling).size(), kMaxDemangledSize);
  EXPECT_LE(demangle("_Z1f" + std::string(16000, 'P') + "i").size(), kMaxDemangledSize);
  EXPECT_LE(demangle("_Z1f" + std::string(100000, 'P') + "i").size(), 100100u);
  std::string nested = "_Z1f";
  for (int i = 0; i < 4000; ++i) nested += "1aI";
  EXPECT_EQ(demangle(nested), nested);
  EXPECT_LE(demangle("?f@@YAX" + std::string(8000, 'P') + "@Z").size(), kMaxDemangledSize);
  std::string microsoft = "?f@@YAX";
  for (int i = 0; i < 10; ++i) microsoft += "P6AX" + std::string(50, char('0' + i)) + "@Z";
  EXPECT_EQ(demangle(microsoft), microsoft);
  EXPECT_EQ(demangle("_RNvB" + std::string(5000, 'B') + "_").size(), 5006u);
}

}  // namespace
}  // namespace symbols
