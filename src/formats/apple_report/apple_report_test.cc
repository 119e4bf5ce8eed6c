#include "formats/apple_report/apple_report.h"

#include <gtest/gtest.h>

namespace apple_report {
namespace {

// The form of reports on macOS, put together by hand.
constexpr std::string_view kMac = R"(Process:               Lantern [4711]
Path:                  /Apps/Lantern.app/Contents/MacOS/Lantern
Code Type:             X86-64 (Native)
Date/Time:             2019-01-09 17:42:22.753 +0100
OS Version:            Mac OS X 10.14.0 (18A391)
Hardware Model:        MacBookPro14,3
Exception Type:        SIGSEGV

Application Specific Information:
wick burnt down
  on all sides

Thread 0:
0   libsystem_kernel.dylib        	0x00007fff61bc6c2a 0x7fff61bc6000 + 3114
1   Lantern Core                  	0x0000000108b7092b OilWick::burn() + 4 (wick.cc:12)
2   ???                           	0x0000000054485244 0 + 1414025796

Thread 1 name:  Dispatch queue: the keeper's
Thread 1 Crashed:
0   Lantern                       	0x0000000108b702a6 0x10864e000 + 5382822

Thread 2:: worker
0   libsystem_kernel.dylib        	0x00007fff61bc85be 0x7fff61bc6000 + 9662

Thread 1 crashed with X86 Thread State (64-bit):
  rax: 0x20261bb4775b008f   rbx: 0x0000000000000000
  rip: 0x00000001090a0132  rfl: 0x0000000000010206

Logical CPU:     6

Binary Images:
       0x10864e000 -        0x10ef0ffff +Lantern (1.0 - 1) <2D903291-397D-3D14-BFCA-52C7FB8C5E00> /Apps/Lantern.app/Contents/MacOS/Lantern
0x112bb2000 - 0x112dc3fff Lantern Core arm64e  <6deccee4a0523ea4bb67957b06f53ad1> /Apps/Lantern Core
    0x7fff61bc6000 -     0x7fff61bedff7  libsystem_kernel.dylib (4903.201.2) <no uuid> /usr/lib/system/libsystem_kernel.dylib
)";

TEST(AppleReport, ReadsThreadsAndTheirNames) {
  const auto report = parse(kMac);
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->threads.size(), 3u);
  const Thread& first = report->threads[0];
  ASSERT_EQ(first.frames.size(), 3u);
  EXPECT_EQ(first.frames[0].address, 0x7fff61bc6c2au);
  EXPECT_EQ(first.frames[0].module, "libsystem_kernel.dylib");
  EXPECT_EQ(first.frames[1].module, "Lantern Core");
  EXPECT_EQ(first.frames[2].address, 0x54485244u);
  EXPECT_EQ(first.frames[2].module, "");
  EXPECT_FALSE(first.is_crashed);
  EXPECT_TRUE(report->threads[1].is_crashed);
  EXPECT_EQ(report->threads[1].name, "Dispatch queue: the keeper's");
  EXPECT_EQ(report->threads[2].name, "worker");
}

TEST(AppleReport, ReadsRegistersOfTheThreadThatCrashed) {
  const auto report = parse(kMac);
  ASSERT_TRUE(report.ok());
  const auto& registers = report->threads[1].registers;
  ASSERT_EQ(registers.size(), 4u);
  EXPECT_EQ(registers[0].first, "rax");
  EXPECT_EQ(registers[0].second, 0x20261bb4775b008fu);
  EXPECT_EQ(registers[3].first, "rfl");
  EXPECT_TRUE(report->threads[0].registers.empty());
}

TEST(AppleReport, ReadsImagesThatHaveAnId) {
  const auto report = parse(kMac);
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->images.size(), 2u);
  EXPECT_EQ(report->images[0].begin, 0x10864e000u);
  EXPECT_EQ(report->images[0].end, 0x10ef0ffffu);
  EXPECT_EQ(report->images[0].uuid, "2d903291397d3d14bfca52c7fb8c5e00");
  EXPECT_EQ(report->images[0].path, "/Apps/Lantern.app/Contents/MacOS/Lantern");
  EXPECT_EQ(report->images[1].arch, "arm64e");
  EXPECT_EQ(report->images[1].path, "/Apps/Lantern Core");
}

TEST(AppleReport, ReadsWhatTheHeadSays) {
  const auto report = parse(kMac);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->head.at("OS Version"), "Mac OS X 10.14.0 (18A391)");
  EXPECT_EQ(report->head.at("Exception Type"), "SIGSEGV");
  EXPECT_EQ(report->time, 1547055742 - 3600);
  EXPECT_EQ(report->application_information, "wick burnt down\n  on all sides");
}

TEST(AppleReport, TimesThatAreNone) {
  for (const char* time : {"", "yesterday", "2019-13-09 17:42:22 +0000", "2019-01-09 25:42:22",
                           "2019-01-09", "99999-01-09 17:42:22"}) {
    const auto report = parse(std::string("Date/Time: ").append(time).append("\nThread 0:\n"));
    ASSERT_TRUE(report.ok());
    EXPECT_FALSE(report->time) << time;
  }
}

TEST(AppleReport, LineEndsOfWindowsAndNoLastOne) {
  const auto report = parse("Thread 0 Crashed:\r\n0   a   0x10 0x0 + 16\r\n1   b   0x20 0x0 + 32");
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->threads[0].frames.size(), 2u);
  EXPECT_EQ(report->threads[0].frames[1].module, "b");
}

TEST(AppleReport, AnglesThatHoldNoIdArePassedOver) {
  const auto report = parse(
      "Binary Images:\n"
      "0x10 - 0x20 a <b <c> (1) <2D903291-397D-3D14-BFCA-52C7FB8C5E00> /a\n"
      "0x30 - 0x40 <<6deccee4a0523ea4bb67957b06f53ad1> /b<c>\n"
      "0x50 - 0x60 c <2D903291-397D-3D14-BFCA-52C7FB8C5E00-0000> /c\n");
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->images.size(), 2u);
  EXPECT_EQ(report->images[0].path, "/a");
  EXPECT_EQ(report->images[1].uuid, "6deccee4a0523ea4bb67957b06f53ad1");
  EXPECT_EQ(report->images[1].path, "/b<c>");
}

// Each '<' once looked, and copied, as far as the '>'.
TEST(AppleReport, ALineOfAnglesIsPassedOver) {
  const auto report = parse(
      std::string("Thread 0:\n\nBinary Images:\n0x10 - 0x20 ").append(1u << 20, '<').append(">\n"));
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->images.empty());
}

// Each state once looked at all threads.
TEST(AppleReport, ManyStatesOfManyThreads) {
  constexpr std::size_t kThreads = kThreadsMax - 1;
  std::string text;
  for (std::size_t i = 0; i < kThreads; ++i) {
    text.append("Thread ").append(std::to_string(i)).append(":\n");
  }
  const std::string last = std::to_string(kThreads - 1);
  for (std::size_t i = 0; i < 500'000; ++i) {
    text.append("Thread ").append(last).append(" crashed with\n");
  }
  text += "  rax: 0x1\n";
  const auto report = parse(text);
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->threads.size(), kThreads);
  EXPECT_EQ(report->threads.back().registers.size(), 1u);
}

TEST(AppleReport, RegistersAreTheFirstThreadsOfThatNumber) {
  const auto report = parse("Thread 0:\nThread 1:\nThread 0:\nThread 0 crashed with\n rax: 0x1\n");
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->threads.size(), 3u);
  EXPECT_EQ(report->threads[0].registers.size(), 1u);
  EXPECT_TRUE(report->threads[2].registers.empty());
}

TEST(AppleReport, WhatIsNoReportIsSaidToBeNone) {
  for (const char* text : {"", "\n\n", "MDMP", "{\"app_name\":\"Lantern\"}\n{}", "Thread x:\n"}) {
    const auto report = parse(text);
    ASSERT_FALSE(report.ok()) << text;
    EXPECT_EQ(report.error().fault, base::Fault::malformed);
  }
}

TEST(AppleReport, EveryBeginningIsAReportOrNone) {
  for (std::size_t size = 0; size <= kMac.size(); ++size) {
    const auto report = parse(kMac.substr(0, size));
    if (!report.ok()) continue;
    EXPECT_LE(report->threads.size(), 3u);
    EXPECT_LE(report->images.size(), 2u);
  }
}

}  // namespace
}  // namespace apple_report
