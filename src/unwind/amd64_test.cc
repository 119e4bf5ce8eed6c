#include "unwind/walk_fixture.h"

namespace unwind {
namespace {

using testing_support::Assembler;
using testing_support::Label;
using Addresses = std::vector<std::uint64_t>;
using Trusts = std::vector<Trust>;

constexpr std::uint64_t kApp = 0x0000'7400'c000'0000;
constexpr std::uint64_t kLib = 0x0000'7500'b000'0000;

class Amd64 : public WalkFixture {
 protected:
  void SetUp() override {
    start(snapshot::Cpu::amd64, snapshot::Os::linux);
    add_module(kApp, 0x10000, "app");
    add_module(kLib, 0x10000, "lib");
    set("rip", kApp + 0x100).set("rsp", kStackBase);
  }
  Assembler stack_{base::Endian::little, kStackBase};
};

TEST_F(Amd64, WithoutStackMemoryThereIsTheContextFrame) {
  const Stack stack = walk_stack({});
  ASSERT_EQ(stack.frames.size(), 1u);
  EXPECT_EQ(stack.frames[0].instruction.value, kApp + 0x100);  // not adjusted
  EXPECT_EQ(stack.frames[0].trust, Trust::context);
  EXPECT_EQ(stack.frames[0].module, 0u);
}

TEST_F(Amd64, WithoutContextThereIsNoFrame) {
  snapshot::Thread thread;
  crash_.threads = {thread};
  EXPECT_TRUE(walk_all(crash_, *this, 1).threads.at(0).frames.empty());
}

TEST_F(Amd64, ScanTakesTheFirstWordInAModule) {
  stack_.u64(0).u64(0x1234).u64(0x0000'9000'0000'0000).u64(kLib + 0x50).u64(0).u64(kApp + 0x70);
  stack_.repeat(0, 64);
  const Stack stack = walk_stack(stack_.finish());
  EXPECT_EQ(instructions_of(stack), (Addresses{kApp + 0x100, kLib + 0x4f, kApp + 0x6f}));
  EXPECT_EQ(trusts_of(stack), (Trusts{Trust::context, Trust::scan, Trust::scan}));
  const auto caller = stack.registers(1);
  EXPECT_EQ(caller.find("rip"), kLib + 0x50);  // registers keep the return address
  EXPECT_EQ(caller.find("rsp"), kStackBase + 0x20);
  EXPECT_EQ(caller.find("rbp"), std::nullopt);
}

TEST_F(Amd64, ScanStartsAtTheStackPointerItself) {
  stack_.u64(kLib + 0x50).repeat(0, 64);
  EXPECT_EQ(walk_stack(stack_.finish()).frames.size(), 2u);
}

TEST_F(Amd64, ScanLooksFartherFromTheContextThanFromAScannedFrame) {
  struct Row {
    std::size_t zeros;
    std::size_t frames;
  };
  for (const Row row : {Row{159, 2}, Row{160, 1}}) {
    Assembler a;
    a.repeat(0, row.zeros * 8).u64(kLib + 0x50).repeat(0, 8);
    EXPECT_EQ(walk_stack(a.finish()).frames.size(), row.frames) << row.zeros;
  }
  for (const Row row : {Row{39, 3}, Row{40, 2}}) {
    Assembler a;
    a.u64(kLib + 0x50).repeat(0, row.zeros * 8).u64(kLib + 0x60).repeat(0, 8);
    EXPECT_EQ(walk_stack(a.finish()).frames.size(), row.frames) << row.zeros;
  }
}

TEST_F(Amd64, ScanWantsANameWhereThereAreSymbols) {
  add_symbols(1, SymbolSketch().function(0x1000, 0x100, "named"));
  stack_.u64(kLib + 0x50).u64(kLib + 0x1000).u64(kLib + 0x1001).repeat(0, 64);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_EQ(stack.frames.size(), 2u);
  EXPECT_EQ(stack.frames[1].instruction.value, kLib + 0x1000);
  ASSERT_TRUE(stack.frames[1].has_symbol);
  EXPECT_EQ(stack.frames[1].symbol.physical.function, "named");
  EXPECT_EQ(stack.frames[1].symbol.start.value, 0x1000u);
}

TEST_F(Amd64, ACallThatEndsItsModuleStillResolves) {
  stack_.u64(kLib).u64(kLib + 0x10000).repeat(0, 64);  // kLib - 1 is in no module
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_EQ(stack.frames.size(), 2u);
  EXPECT_EQ(stack.frames[1].instruction.value, kLib + 0xffff);
  EXPECT_EQ(stack.frames[1].module, 1u);
}

TEST_F(Amd64, ScanRecoversAPushedFramePointer) {
  const Label caller_bp;
  set("rbp", kStackBase + 8);
  // rbp points at the word below the return address, but what it saved is not above rsp + 16,
  // so the frame pointer step refuses and the scan looks.
  stack_.u64(0).u64(kStackBase + 0x18).u64(kLib + 0x50).u64(7).u64(8).repeat(0, 64);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 2u);
  EXPECT_EQ(stack.registers(1).find("rbp"), kStackBase + 0x18);
}

TEST_F(Amd64, ScanKeepsAFramePointerThatPointsIntoTheCaller) {
  set("rbp", kStackBase + 0x30);
  stack_.u64(0).u64(kLib + 0x50).repeat(0, 0x60);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 2u);
  EXPECT_EQ(stack.frames[1].trust, Trust::scan);
  EXPECT_EQ(stack.registers(1).find("rbp"), kStackBase + 0x30);
}

TEST_F(Amd64, ScanForgetsTheFramePointerWhenTheFirstWordFits) {
  set("rbp", kStackBase + 0x30);
  stack_.u64(kLib + 0x50).repeat(0, 0x60);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 2u);
  EXPECT_EQ(stack.registers(1).find("rbp"), std::nullopt);
}

TEST_F(Amd64, FramePointersMakeAChain) {
  const Label first, second;
  set("rbp", kStackBase + 0x10);
  stack_.repeat(0, 0x10).u64(first).u64(kLib + 0x50);
  stack_.repeat(0, 0x20).mark(first).u64(second).u64(kApp + 0x70);
  stack_.repeat(0, 0x10).mark(second).u64(0).u64(0).repeat(0, 0x20);
  const Stack stack = walk_stack(stack_.finish());
  EXPECT_EQ(instructions_of(stack), (Addresses{kApp + 0x100, kLib + 0x4f, kApp + 0x6f}));
  EXPECT_EQ(trusts_of(stack), (Trusts{Trust::context, Trust::frame_pointer, Trust::frame_pointer}));
  EXPECT_EQ(stack.registers(1).find("rsp"), kStackBase + 0x20);
  EXPECT_EQ(stack.registers(1).find("rbp"), first.must_value());
}

TEST_F(Amd64, FramePointerOfAWindowsFunctionMayBeBelowItsRecord) {
  for (const auto os : {snapshot::Os::windows, snapshot::Os::linux}) {
    Assembler a(base::Endian::little, kStackBase);
    const Label next;
    crash_.system.os = os;
    set("rbp", kStackBase);
    a.repeat(0, 0x30).u64(next).u64(kLib + 0x50).repeat(0, 0x20).mark(next).repeat(0, 0x20);
    const Stack stack = walk_stack(a.finish());
    ASSERT_EQ(stack.frames.size(), 2u);
    EXPECT_EQ(stack.frames[1].trust,
              os == snapshot::Os::windows ? Trust::frame_pointer : Trust::scan);
  }
}

TEST_F(Amd64, FramePointerMustBeReadableAndAbove) {
  struct Row {
    const char* name;
    std::uint64_t saved_bp;
    std::uint64_t ip;
  };
  const std::uint64_t good_bp = kStackBase + 0x40;
  for (const Row& row : {Row{"bp below its frame", kStackBase + 8, kLib + 0x50},
                         Row{"bp outside the stack", kStackBase + 0x10000, kLib + 0x50},
                         Row{"ip not canonical", good_bp, 0x9000'0000'0000'0000}}) {
    Assembler a(base::Endian::little, kStackBase);
    set("rbp", kStackBase + 0x10);
    a.repeat(0, 0x10).u64(row.saved_bp).u64(row.ip).repeat(0, 0x60);
    for (const Frame& frame : walk_stack(a.finish()).frames) {
      EXPECT_NE(frame.trust, Trust::frame_pointer) << row.name;
    }
  }
}

TEST_F(Amd64, CfiFindsTheCallerAndItsRegisters) {
  add_symbols(0, SymbolSketch()
                     .function(0x100, 0x100, "leaf")
                     .cfi(0x100, 0x100, ".cfa: $rsp 8 + .ra: .cfa -8 + ^",
                          {{0x110, ".cfa: $rsp 24 + $rbx: .cfa -16 + ^"},
                           {0x120, "$r12: .cfa 100000 + ^ $r13: .undef"}}));
  set("rip", kApp + 0x130).set("rbx", 1).set("r12", 2).set("r13", 3).set("r14", 4).set("rax", 5);
  stack_.u64(0).u64(0xb0b0).u64(kLib + 0x50).repeat(0, 0x40);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 2u);
  EXPECT_EQ(stack.frames[1].trust, Trust::cfi);
  const auto caller = stack.registers(1);
  EXPECT_EQ(caller.find("rip"), kLib + 0x50);
  EXPECT_EQ(caller.find("rsp"), kStackBase + 24);
  EXPECT_EQ(caller.find("rbx"), 0xb0b0u);
  EXPECT_EQ(caller.find("r12"), std::nullopt) << "a rule that fails clears the register";
  EXPECT_EQ(caller.find("r13"), std::nullopt) << "as does .undef";
  EXPECT_EQ(caller.find("r14"), 4u) << "callee-saved: forwarded";
  EXPECT_EQ(caller.find("rax"), std::nullopt) << "not callee-saved";
}

TEST_F(Amd64, CfiRowsAreChosenByTheCallNotTheReturnAddress) {
  // The call is the last instruction of "noreturn"; the return address is in "next".
  add_symbols(1, SymbolSketch()
                     .function(0x100, 0x50, "noreturn")
                     .function(0x150, 0x50, "next")
                     .cfi(0x100, 0x50, ".cfa: $rsp 16 + .ra: .cfa -8 + ^")
                     .cfi(0x150, 0x50, ".cfa: $rsp 8 + .ra: .cfa -8 + ^"));
  stack_.u64(kLib + 0x150).u64(0x1111).u64(kApp + 0x70).repeat(0, 0x40);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 3u);
  EXPECT_EQ(stack.frames[1].symbol.physical.function, "noreturn");
  EXPECT_EQ(stack.frames[2].instruction.value, kApp + 0x6f);
  EXPECT_EQ(stack.frames[2].trust, Trust::cfi);
}

TEST_F(Amd64, CfiWithoutReturnAddressGivesWayToTheScan) {
  add_symbols(0, SymbolSketch().function(0x100, 0x100, "leaf").cfi(0x100, 0x100, ".cfa: $rsp 8 +"));
  stack_.u64(0).u64(kLib + 0x50).repeat(0, 0x40);
  const Stack stack = walk_stack(stack_.finish());
  ASSERT_GE(stack.frames.size(), 2u);
  EXPECT_EQ(stack.frames[1].trust, Trust::scan);
}

TEST_F(Amd64, AReturnToTheFirstPageEndsTheStack) {
  add_symbols(0, SymbolSketch()
                     .function(0x100, 0x100, "start")
                     .cfi(0x100, 0x100, ".cfa: $rsp 8 + .ra: .cfa -8 + ^"));
  stack_.u64(4095).u64(kLib + 0x50).repeat(0, 0x40);
  EXPECT_EQ(walk_stack(stack_.finish()).frames.size(), 1u) << "no scan after CFI that worked";
}

TEST_F(Amd64, CfiThatDoesNotAdvanceEndsTheStack) {
  for (const char* rules : {".cfa: $rsp .ra: $rip", ".cfa: $rsp 8 - .ra: $rip"}) {
    add_symbols(0, SymbolSketch().function(0, 0x1000, "stuck").cfi(0, 0x1000, rules));
    EXPECT_EQ(walk_stack(std::vector<std::uint8_t>(0x100)).frames.size(), 1u) << rules;
  }
}

TEST_F(Amd64, OnlyTouchedModulesAreAsked) {
  add_module(0x6000'0000'0000, 0x1000, "never");
  stack_.u64(kLib + 0x50).repeat(0, 64);
  const Walk walked = walk(stack_.finish());
  EXPECT_EQ(asked_, (std::set<std::size_t>{0, 1}));
  EXPECT_EQ(walked.modules[0].state, SymbolState::missing);
  EXPECT_EQ(walked.modules[2].state, SymbolState::not_asked);
}

TEST_F(Amd64, AnOuterModuleHidesTheInnerOnes) {
  add_module(kApp - 0x1000, 0x100000, "outer");
  const Stack stack = walk_stack({});
  EXPECT_EQ(stack.frames.at(0).module, 2u);
}

TEST_F(Amd64, UnloadedModulesAreNamedWhereNoModuleIs) {
  const auto add = [&](std::uint64_t base, std::uint64_t size, const char* name) {
    snapshot::UnloadedModule module;
    module.base = {base};
    module.size = size;
    module.name = name;
    crash_.unloaded_modules.push_back(module);
  };
  add(0x5000, 0x1000, "b");
  add(0x4000, 0x8000, "a");
  add(0x5000, 0x2000, "b");  // the same name and offset again
  add(0x9000, 0x1000, "far");
  set("rip", 0x5010);
  const Stack stack = walk_stack({});
  const auto& hits = stack.frames.at(0).unloaded;
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(crash_.unloaded_modules[hits[0].module].name, "a");
  EXPECT_EQ(hits[0].offset, 0x1010u);
  EXPECT_EQ(crash_.unloaded_modules[hits[1].module].name, "b");
  EXPECT_EQ(hits[1].offset, 0x10u);
}

TEST_F(Amd64, TheStackMayBeInTheMemoryList) {
  Assembler a;
  a.u64(kLib + 0x50).repeat(0, 64);
  const auto bytes = a.finish();
  crash_.memory = {{{0x9000'0000}, bytes}};
  set("rsp", 0x9000'0000);
  EXPECT_EQ(walk_stack(std::vector<std::uint8_t>(64)).frames.size(), 2u);
}

TEST_F(Amd64, TheExceptionsContextReplacesTheThreads) {
  snapshot::Thread thread;
  thread.id = 7;
  thread.registers = context_;
  crash_.threads = {thread};
  crash_.exception.emplace();
  crash_.exception->thread_id = 7;
  crash_.exception->registers = context_;
  crash_.exception->registers->set("rip", kLib + 4);
  EXPECT_EQ(walk_all(crash_, *this, 1).threads.at(0).frames.at(0).instruction.value, kLib + 4);
  crash_.exception->registers.reset();
  EXPECT_EQ(walk_all(crash_, *this, 1).threads.at(0).frames.at(0).instruction.value, kApp + 0x100);
}

TEST_F(Amd64, TheThreadThatWroteTheDumpIsNotWalked) {
  snapshot::Thread thread;
  thread.id = 7;
  thread.registers = context_;
  crash_.threads = {thread};
  crash_.dump_thread_id = 7;
  EXPECT_TRUE(walk_all(crash_, *this, 1).threads.at(0).frames.empty());
}

// What strangers send: each of these must end, and soon.

TEST_F(Amd64, FramePointerCyclesEnd) {
  for (const std::uint64_t back : {0x10u, 0x00u}) {
    Assembler a(base::Endian::little, kStackBase);
    set("rbp", kStackBase + 0x10);
    a.repeat(0, 0x10).u64(kStackBase + back).u64(kLib + 0x50).repeat(0, 0x40);
    EXPECT_LE(walk_stack(a.finish()).frames.size(), 4u);
  }
}

TEST_F(Amd64, CfiThatCrawlsMeetsTheLimitOfFrames) {
  // One byte up each time, always returning to itself.
  add_symbols(
      0, SymbolSketch().function(0, 0x1000, "crawl").cfi(0, 0x1000, ".cfa: $rsp 1 + .ra: $rip"));
  const Stack stack = walk_stack(std::vector<std::uint8_t>(1 << 20));
  EXPECT_EQ(stack.frames.size(), Limits{}.frames_per_thread);
  EXPECT_TRUE(stack.truncated);
}

TEST_F(Amd64, AStackOfReturnAddressesMeetsTheLimitOfFrames) {
  Assembler a;
  for (int i = 0; i < (16 << 20) / 8; ++i) a.u64(kLib + 0x50);
  const Stack stack = walk_stack(a.finish());
  EXPECT_EQ(stack.frames.size(), Limits{}.frames_per_thread);
  EXPECT_TRUE(stack.truncated);
}

TEST_F(Amd64, AllThreadsTogetherHaveLimitsToo) {
  Assembler a;
  for (int i = 0; i < 100; ++i) a.u64(kLib + 0x50);
  const auto bytes = a.finish();
  snapshot::Thread thread;
  thread.registers = context_;
  thread.stack = {{kStackBase}, bytes};
  crash_.threads.assign(100, thread);
  Limits limits;
  limits.frames_total = 1000;
  std::size_t frames = 0;
  for (const Stack& stack : walk_all(crash_, *this, 2, limits).threads) {
    frames += stack.frames.size();
  }
  EXPECT_EQ(frames, 1000u);

  limits = {};
  limits.scanned_words_total = 0;
  for (const Stack& stack : walk_all(crash_, *this, 2, limits).threads) {
    EXPECT_EQ(stack.frames.size(), 1u);
  }
}

TEST_F(Amd64, AddressesAtTheEndOfTheSpaceDoNotWrap) {
  set("rsp", ~0ull - 7).set("rbp", ~0ull - 8).set("rip", ~0ull);
  EXPECT_EQ(walk_stack(std::vector<std::uint8_t>(64)).frames.size(), 1u);
}

}  // namespace
}  // namespace unwind
