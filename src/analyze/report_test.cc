#include "analyze/report.h"

#include <gtest/gtest.h>

namespace {

using snapshot::Cpu;
using snapshot::Os;

std::string version_of(Os os, std::uint32_t major, const char* service_pack) {
  snapshot::SystemInfo system;
  system.os = os;
  system.os_major = major;
  system.service_pack = service_pack;
  return analyze::os_version(system);
}

TEST(OsVersion, LinuxWithoutNumbersTakesThemFromUname) {
  EXPECT_EQ("3.13.0-53-generic #89-Ubuntu SMP",
            version_of(Os::linux, 0, "Linux 3.13.0-53-generic #89-Ubuntu SMP x86_64"));
  EXPECT_EQ("3.1 #1", version_of(Os::linux, 0, "Linux 3.1 #1 x86_64 Linux/GNU"));
  EXPECT_EQ("3.1 ", version_of(Os::linux, 0, "Linux 3.1"));  // the blank stays
  EXPECT_EQ("0.0.0 Linux", version_of(Os::linux, 0, "Linux"));
  EXPECT_EQ("0.0.0", version_of(Os::linux, 0, ""));
  EXPECT_EQ("0.0.0 Linux 4.9 aarch64", version_of(Os::android, 0, "Linux 4.9 aarch64"));
  EXPECT_EQ("5.0.0 Service Pack 2", version_of(Os::windows, 5, " Service Pack 2 "));
}

TEST(OsName, AnUnknownSystemHasItsPrefixTwice) {
  snapshot::SystemInfo system;
  system.raw_os = 0x8206;
  system.os = Os::fuchsia;
  EXPECT_EQ("0x0x008206", analyze::os_name(system));
}

TEST(CpuDetails, DependOnTheCpu) {
  snapshot::SystemInfo system;
  system.cpu = Cpu::amd64;
  system.cpu_level = 6;
  system.cpu_revision = 0x8e0a;
  EXPECT_EQ("family 6 model 142 stepping 10", analyze::cpu_details(system).value());
  system.cpu = Cpu::x86;
  const std::string_view vendor = "Genu\xe9";
  std::copy(vendor.begin(), vendor.end(), system.cpu_data.begin());
  EXPECT_EQ(std::string("Genu\xc3\xa9\0\0\0\0\0\0\0 family 6 model 142 stepping 10", 44),
            analyze::cpu_details(system).value());
  system.cpu = Cpu::arm64;
  EXPECT_FALSE(analyze::cpu_details(system).has_value());
}

TEST(CpuDetails, ArmNamesVendorPartAndFeatures) {
  snapshot::SystemInfo system;
  system.cpu = Cpu::arm;
  system.cpu_level = 7;
  EXPECT_EQ("ARMv7", analyze::cpu_details(system).value());
  system.cpu_data = {0x80, 0xc0, 0x00, 0x41, 0x03};
  EXPECT_EQ("ARMv7 ARM Cortex-A8 features: swp,half", analyze::cpu_details(system).value());
  system.cpu_data = {0x30, 0x12, 0x0f, 0x77};
  EXPECT_EQ("ARMv7 vendor(0x77) part(0x77001230)", analyze::cpu_details(system).value());
  system.cpu_data = {0, 0, 0, 0, 0, 0, 0x08};  // a feature that is known, but has no name
  EXPECT_EQ("ARMv7 features: ", analyze::cpu_details(system).value());
}

TEST(LastError, IsTheFourteenthWordOfTheTeb) {
  const std::uint8_t block[64] = {0xff, 0xff, 0xff, 0xff, 5};
  snapshot::Crash crash;
  crash.system.cpu = Cpu::amd64;
  crash.memory.push_back({{0x1000 + 13 * 8 - 4}, block});
  crash.threads.resize(2);
  crash.threads[0].teb = 0x1000;
  crash.threads[1].teb = ~std::uint64_t{0};
  EXPECT_EQ("ERROR_ACCESS_DENIED", analyze::last_error_text(crash, 0).value());
  EXPECT_FALSE(analyze::last_error_text(crash, 1).has_value());
}

TEST(Microcode, OnlyTheFirstLineCounts) {
  auto crash = std::make_shared<snapshot::Crash>();
  analyze::Report report;
  report.crash = crash;
  EXPECT_FALSE(analyze::microcode_text(report).has_value());
  crash->linux_cpu_info = "processor : 0\nmicrocode\t: 0x00DE\nmicrocode : 0xff\n";
  EXPECT_EQ("0xde", analyze::microcode_text(report).value());
  crash->linux_cpu_info = "microcode : 12\nmicrocode : 0xff\n";
  EXPECT_FALSE(analyze::microcode_text(report).has_value());
  report.extra.cpu_microcode = 0x2e;
  EXPECT_EQ("0x2e", analyze::microcode_text(report).value());
}

}  // namespace
