#include "symbolicate/trace_places.h"

#include <gtest/gtest.h>

namespace symbolicate {
namespace {

using Adjust = TraceFrame::Adjust;

TraceModule module_at(std::uint64_t address, std::optional<std::uint64_t> size) {
  TraceModule module;
  module.address = address;
  module.size = size;
  return module;
}

TracePlace find(const TraceQuestion& question, std::uint64_t address,
                std::uint32_t relative_to = TraceFrame::kAbsolute) {
  TraceFrame frame;
  frame.address = address;
  frame.relative_to = relative_to;
  return TraceModules(question).find(frame);
}

TEST(TraceModules, FindsTheModuleThatCoversAnAddress) {
  TraceQuestion question;
  question.modules = {module_at(0x3000, std::nullopt), module_at(0x1000, 0x100),
                      module_at(0x2000, 0), module_at(0, 0x100)};
  struct Row {
    std::uint64_t address;
    std::uint32_t module;
    std::uint64_t offset;
  };
  const std::uint32_t none = TracePlace::kNone;
  for (const Row& row :
       {Row{0xfff, none, 0}, Row{0x1000, 1, 0}, Row{0x10ff, 1, 0xff}, Row{0x1100, none, 0},
        Row{0x2fff, 2, 0xfff},                              // no size: to the next module
        Row{0x3000, 0, 0}, Row{0x99999999, 0, 0x99996999},  // and the last for ever
        Row{0x50, none, 0}}) {
    const TracePlace place = find(question, row.address);
    EXPECT_EQ(place.module, row.module) << std::hex << row.address;
    EXPECT_EQ(place.offset, row.offset) << std::hex << row.address;
  }
  EXPECT_EQ(find(question, 0x50, 3).module, 3u);  // at 0, so only by its number
  EXPECT_EQ(find(question, 0x50, 3).offset, 0x50u);
  EXPECT_EQ(find(question, 0x50, 4).module, none);
}

TEST(TraceModules, OnlyThoseWithFramesAreUsed) {
  TraceQuestion question;
  question.modules = {module_at(0x1000, 0x100), module_at(0x2000, 0x100), module_at(0x3000, 0x100)};
  question.frames.resize(2);
  question.frames[0].address = 0x3010;
  question.frames[1].address = 0x9000;
  EXPECT_EQ(TraceModules(question).used(), (std::vector<bool>{false, false, true}));
}

TEST(CallerAddress, FirstFramesStandAndOthersReturn) {
  Trace trace;
  trace.registers = {{"pc", 0x1004}, {"rip", 0x1004}};
  struct Row {
    const char* arch;
    bool is_first;
    Adjust adjust;
    std::optional<std::uint32_t> signal;
    std::uint64_t address, expected;
  };
  const Row rows[] = {
      {"x86_64", true, Adjust::unsaid, {}, 0x1004, 0x1004},
      {"x86_64", false, Adjust::unsaid, {}, 0x1004, 0x1003},
      {"x86", false, Adjust::unsaid, {}, 0x1004, 0x1003},
      {"", false, Adjust::unsaid, {}, 0x1004, 0x1003},
      {"arm64", false, Adjust::unsaid, {}, 0x1004, 0x1000},
      {"arm64e", true, Adjust::unsaid, {}, 0x1006, 0x1004},
      {"arm", false, Adjust::unsaid, {}, 0x1005, 0x1002},  // a return into Thumb code
      {"mips", false, Adjust::unsaid, {}, 0x1008, 0x1000},
      {"ppc64", false, Adjust::unsaid, {}, 0x1004, 0x1000},
      // Said so.
      {"x86_64", true, Adjust::yes, {}, 0x1004, 0x1003},
      {"x86_64", false, Adjust::no, {}, 0x1004, 0x1004},
      // A signal handler's frames stand first when the registers are elsewhere.
      {"x86_64", true, Adjust::unsaid, 11, 0x1004, 0x1004},
      {"x86_64", true, Adjust::unsaid, 11, 0x2004, 0x2003},
      {"x86_64", true, Adjust::unsaid, 4, 0x2004, 0x2003},
      {"x86_64", true, Adjust::unsaid, 10, 0x2004, 0x2003},
      {"x86_64", true, Adjust::unsaid, 6, 0x2004, 0x2004},  // an abort is no crash of the code
      {"arm64", true, Adjust::unsaid, 11, 0x2004, 0x2000},
      {"sparc", true, Adjust::unsaid, 11, 0x2004, 0x2004},  // whose register we do not know
      {"x86_64", false, Adjust::unsaid, {}, 0, 0},
  };
  for (const Row& row : rows) {
    const CallerHints hints{row.arch, row.is_first, row.adjust, row.signal, &trace};
    EXPECT_EQ(caller_address(row.address, hints), row.expected)
        << row.arch << " " << row.is_first << " " << row.signal.value_or(0);
  }
}

TEST(CallerAddress, OneFrameThatSaysSomethingSpeaksForTheOthers) {
  TraceQuestion question;
  question.frames.resize(3);
  Trace trace;
  trace.first_frame = 1;
  trace.frame_count = 2;
  question.frames[0].adjust = Adjust::no;  // another trace's
  EXPECT_EQ(default_adjust(question, trace), Adjust::unsaid);
  question.frames[2].adjust = Adjust::no;
  EXPECT_EQ(default_adjust(question, trace), Adjust::yes);
}

}  // namespace
}  // namespace symbolicate
