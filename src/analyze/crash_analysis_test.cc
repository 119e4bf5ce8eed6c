// Expected answers are minidump-stackwalk's to dumps made by hand: one amd64 thread at
// 0x140001000 with its stack at 0x10000, on Windows unless said.
#include "analyze/crash_analysis.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "analyze/crash_reason.h"
#include "base/text.h"

namespace {

using analyze::AdjustedAddress;
using snapshot::Os;

constexpr std::uint64_t kIp = 0x140001000, kNoAddress = 0xffffffffffffffff;

struct Case {
  const char* code;
  std::vector<std::pair<const char*, std::uint64_t>> registers = {{"rax", 0x5555000}};
  std::vector<snapshot::MemoryInfo> regions = {};
  std::uint32_t exception = 0xc0000005, flags = 0;
  std::vector<std::uint64_t> parameters = {0, 0x1234};
  std::uint64_t address = kIp;
  Os os = Os::windows;
};

snapshot::MemoryInfo region(std::uint64_t base, std::uint64_t size, bool accessible) {
  return {{base}, size, accessible, accessible, false, true, false, ""};
}

analyze::CrashInfo explain(const Case& given) {
  static const std::vector<std::uint8_t> stack(256);
  auto code = base::bytes_from_hex(given.code).value();
  code.resize(code.size() + 16, 0x90);
  snapshot::Crash crash;
  crash.system.cpu = snapshot::Cpu::amd64;
  crash.system.os = given.os;
  snapshot::Registers registers;
  registers.cpu = snapshot::Cpu::amd64;
  for (const std::string_view name : snapshot::register_names(registers.cpu).names) {
    registers.set(name, 0);
  }
  registers.set("rip", kIp);
  registers.set("rsp", 0x10000);
  for (const auto& [name, value] : given.registers) registers.set(name, value);
  crash.threads.resize(1);
  crash.threads[0].id = 7;
  crash.threads[0].stack = {{0x10000}, stack};
  crash.memory.push_back({{kIp}, code});
  crash.memory_info = given.regions;
  crash.exception.emplace();
  crash.exception->thread_id = 7;
  crash.exception->code = given.exception;
  crash.exception->flags = given.flags;
  crash.exception->address = given.address;
  crash.exception->parameters = given.parameters;
  crash.exception->registers = registers;
  analyze::CrashInfo info;
  info.address = analyze::crash_address(crash);
  analyze::explain_crash(crash, info);
  return info;
}

std::string accesses_of(const analyze::CrashInfo& info) {
  if (!info.memory_accesses) return "unknown";
  std::string text;
  for (const analyze::MemoryAccess& access : *info.memory_accesses) {
    static constexpr const char* kTypes[] = {"?", "read", "write", "readwrite"};
    char line[80];
    std::snprintf(line, sizeof line, "%s@%llx/%u ", kTypes[static_cast<int>(access.type)],
                  static_cast<unsigned long long>(access.address), access.size.value_or(0));
    text += line;
  }
  return text;
}

TEST(CrashAnalysis, ListsWhatTheInstructionTouches) {
  EXPECT_EQ("read@140001010/4 ", accesses_of(explain({"8b0510000000"})));  // not the next one's
  EXPECT_EQ("read@30/8 ", accesses_of(explain({"65488b042530000000"})));
  EXPECT_EQ("unknown", accesses_of(explain({"678b00"})));
  EXPECT_EQ("read@5555000/8 write@fff8/8 ", accesses_of(explain({"ff10"})));
  EXPECT_EQ("write@5555000/8 read@10000/8 ", accesses_of(explain({"8f00"})));
  EXPECT_EQ("read@10000/8 ", accesses_of(explain({"c3"})));
  EXPECT_EQ("", accesses_of(explain({"488d0508000000"})));
  EXPECT_EQ("?@5555000/1 ", accesses_of(explain({"0fbe00"})));
  EXPECT_EQ("readwrite@5555000/4 ", accesses_of(explain({"f00100"})));
  EXPECT_EQ("unknown", accesses_of(explain({"06"})));
}

TEST(CrashAnalysis, FollowsJumpsReturnsAndNothingElse) {
  EXPECT_EQ(0x5555000u, explain({"ffe0"}).instruction_pointer_update.value());
  EXPECT_EQ(0u, explain({"c3"}).instruction_pointer_update.value());
  EXPECT_FALSE(explain({"ff10"}).has_pointer_update);  // the memory is not in the dump
  EXPECT_FALSE(explain({"74fe"}).has_pointer_update);
  const auto nop = explain({"90"});
  EXPECT_TRUE(nop.has_pointer_update && !nop.instruction_pointer_update);
}

TEST(CrashAnalysis, SeesNullPointersByTheirBaseRegister) {
  const auto plain = explain({"8b4308", {{"rbx", 0}}});
  EXPECT_EQ(AdjustedAddress::Kind::null_pointer, plain.adjusted_address->kind);
  EXPECT_EQ(8u, plain.adjusted_address->value);
  EXPECT_FALSE(explain({"8b042544000000"}).adjusted_address.has_value());
  // A wild index behind a null base is called null, too: so the field does.
  const auto wild = explain({"8b0418", {{"rax", 0}, {"rbx", 0x0004000000000000}}});
  EXPECT_EQ(0x0004000000000000u, wild.adjusted_address->value);
}

TEST(CrashAnalysis, FindsTheAddressOfAProtectionFault) {
  Case given{"488b00", {{"rax", 0x0004000000010010}}, {region(0x10000, 0x10000, true)}};
  given.parameters = {0, kNoAddress};
  const auto info = explain(given);
  EXPECT_EQ(AdjustedAddress::Kind::non_canonical, info.adjusted_address->kind);
  EXPECT_EQ(0x0004000000010010u, info.adjusted_address->value);
  ASSERT_EQ(2u, info.bit_flips.size());
  EXPECT_EQ(0x10010u, info.bit_flips[0].address);
  EXPECT_EQ("rax", info.bit_flips[1].source_register);
  EXPECT_EQ(0.9624999761581421, static_cast<double>(info.bit_flips[0].confidence));
  const auto by = [&](Os os, std::uint32_t code, std::uint32_t flags) {
    Case other = given;
    other.os = os;
    other.exception = code;
    other.flags = flags;
    other.parameters = {};
    other.address = 0;
    return explain(other).adjusted_address.has_value();
  };
  EXPECT_TRUE(by(Os::macos, 1, 13));
  EXPECT_TRUE(by(Os::linux, 11, 0x80));
  EXPECT_FALSE(by(Os::android, 11, 0x80));
  EXPECT_FALSE(by(Os::linux, 11, 1));
}

TEST(BitFlips, WeighCandidates) {
  const auto confidence = [](std::uint64_t fault,
                             std::vector<std::pair<const char*, std::uint64_t>> registers,
                             std::vector<snapshot::MemoryInfo> regions) {
    Case given{"90", std::move(registers), std::move(regions)};
    given.parameters = {0, fault};
    const auto flips = explain(given).bit_flips;
    return flips.empty() ? 0.0 : static_cast<double>(flips.front().confidence);
  };
  const std::vector<snapshot::MemoryInfo> region1{region(0x100000001000, 0x1000, true)};
  EXPECT_EQ(0.25, confidence(0x500000001000, {}, region1));
  EXPECT_EQ(
      0.6625000238418579,
      confidence(0x500000001000, {{"rbx", 0x100000001800}, {"rcx", 0x100000000001}}, region1));
  EXPECT_EQ(0.4375, confidence(0x1000, {}, {}));
  EXPECT_EQ(0.625, confidence(0x40000000, {}, {}));
  EXPECT_EQ(0.3125, confidence(0x40000000, {{"rbx", 0xe5e5e5e5e5e5e5e5}}, {}));
}

TEST(BitFlips, AreNotSoughtOneStepBehindARegion) {
  Case given{"488b00", {{"rax", 0x20000}}, {region(0x10000, 0x10000, true)}};
  given.parameters = {0, 0x20000};
  EXPECT_TRUE(explain(given).bit_flips.empty());
}

TEST(CrashAnalysis, GuessesGuardPages) {
  const auto is_guard = [](std::uint64_t size) {
    Case given{"488b00",
               {{"rax", 0x20010}},
               {region(0x10000, 0x10000, true), region(0x20000, size, false)}};
    given.parameters = {0, 0x20010};
    return explain(given).memory_accesses->front().is_likely_guard_page;
  };
  EXPECT_TRUE(is_guard(0x1000));
  EXPECT_TRUE(is_guard(0x8000));
  EXPECT_FALSE(is_guard(0x8001));
}

TEST(CrashInconsistencies, AreNamed) {
  const auto names = [](const Case& given) {
    std::string text;
    const auto info = explain(given);
    for (const std::string& name : *info.inconsistencies) text += name + " ";
    return text;
  };
  Case divide{"4889c8"};
  divide.exception = 0xc0000094;
  EXPECT_EQ("int_div_by_zero_not_possible ", names(divide));
  divide.code = "48f7f1";
  EXPECT_EQ("", names(divide));
  Case privilege{"90"};
  privilege.exception = 0xc0000096;
  EXPECT_EQ("priv_instruction_crash_without_priv_instruction ", names(privilege));
  privilege.code = "f4";
  EXPECT_EQ("", names(privilege));
  Case canonical{"488b00"};
  canonical.parameters = {0, kNoAddress};
  EXPECT_EQ("non_canonical_address_falsely_reported ", names(canonical));
  EXPECT_EQ("crashing_access_not_found_in_memory_accesses ", names({"488b00"}));
  Case allowed{"488b00", {{"rax", 0x10010}}, {region(0x10000, 0x10000, true)}};
  allowed.parameters = {0, 0x10010};
  EXPECT_EQ("access_violation_when_access_allowed ", names(allowed));
}

}  // namespace
