#include "snapshot/modules_from_minidump.h"

#include <gtest/gtest.h>

#include <functional>

#include "snapshot/snapshot_from_minidump.h"
#include "testing/assembler.h"

namespace {

using testing_support::Assembler;
using testing_support::Label;

constexpr std::uint32_t kWindows = 2, kMac = 0x8101, kLinux = 0x8201;

using Fill = std::function<void(Assembler&)>;

// A dump of one module "/path/name.so" with the CodeView record that `code_view` puts down.
snapshot::Crash must_read(std::uint32_t platform, const Fill& code_view, const Fill& name = {}) {
  Assembler a;
  Label system, threads, modules, name_at, record, record_size;
  a.u32(0x504d444d).u32(0xa793).u32(3).u32(32).u32(0).u32(0x50000000).u64(0);
  a.u32(7).u32(56).u32(system).u32(3).u32(4).u32(threads).u32(4).u32(112).u32(modules);
  a.mark(system).u16(9).u16(6).u16(0).u8(1).u8(1).u32(10).u32(0).u32(0).u32(platform);
  a.u32(0).u32(0).repeat(0, 24);
  a.mark(threads).u32(0);
  a.mark(modules).u32(1).u64(0x140000000).u32(0x1f000).u32(0x77).u32(0x0d35f6c).u32(name_at);
  a.u32(0xfeef04bd).u32(0x10000).u32(0x00010002).u32(0x00030004).u32(5).u32(6).repeat(0, 28);
  a.u32(record_size).u32(record).u64(0).u64(0).u64(0);
  a.mark(name_at);
  if (name) {
    name(a);
  } else {
    a.u32(26).utf16("/path/name.so");
  }
  a.mark(record);
  const std::uint64_t before = a.here();
  code_view(a);
  record_size.set(a.here() - before);
  const auto crash = snapshot::snapshot_from_minidump(a.finish());
  EXPECT_TRUE(crash.ok()) << crash.error().what;
  return *crash;
}

void pdb70(Assembler& a, std::uint32_t age) {
  a.u32(0x53445352);
  for (std::uint64_t i = 1; i <= 16; ++i) a.u8(i);
  a.u32(age).c_string("c:\\x\\name.pdb");
}

TEST(ModulesFromMinidump, NameADebugFileByGuidAndAge) {
  const auto crash = must_read(kWindows, [](Assembler& a) { pdb70(a, 0x1abc); });
  ASSERT_EQ(1u, crash.modules.size());
  const snapshot::Module& module = crash.modules.front();
  EXPECT_EQ("0403020106050807090A0B0C0D0E0F101abc", module.debug_id_text);
  EXPECT_EQ("c:\\x\\name.pdb", module.debug_file);
  EXPECT_EQ("00d35f6c1f000", module.code_id);
  EXPECT_EQ("1.2.3.4", module.version.value());
}

TEST(ModulesFromMinidump, MacImagesAreNamedByTheGuidAlone) {
  const auto crash = must_read(kMac, [](Assembler& a) { pdb70(a, 0); });
  EXPECT_EQ("0403020106050807090a0b0c0d0e0f10", crash.modules.front().code_id);
}

TEST(ModulesFromMinidump, ABuildIdOfAnyLengthNamesAnElf) {
  const auto crash = must_read(kLinux, [](Assembler& a) {
    a.u32(0x4270454c);
    for (std::uint64_t i = 0x10; i < 0x24; ++i) a.u8(i);
  });
  const snapshot::Module& module = crash.modules.front();
  EXPECT_EQ("131211101514171618191A1B1C1D1E1F0", module.debug_id_text);
  EXPECT_EQ("101112131415161718191a1b1c1d1e1f20212223", module.code_id);
  EXPECT_EQ("/path/name.so", module.debug_file);
  EXPECT_EQ("65538.196612.5.6", module.version.value());
  const auto short_id =
      must_read(kLinux, [](Assembler& a) { a.u32(0x4270454c).u8(0xaa).u8(0xbb).u8(0xcc); });
  EXPECT_EQ("00CCBBAA0000000000000000000000000", short_id.modules.front().debug_id_text);
}

TEST(ModulesFromMinidump, Pdb20HasATimeStampAndAnAge) {
  const auto crash = must_read(kWindows, [](Assembler& a) {
    a.u32(0x3031424e).u32(0).u32(0x12345678).u32(0xb).c_string("old.pdb");
  });
  EXPECT_EQ("12345678b", crash.modules.front().debug_id_text);
}

TEST(ModulesFromMinidump, WithoutARecordOnlyWindowsHasACodeId) {
  EXPECT_EQ("00d35f6c1f000", must_read(kWindows, [](Assembler&) {}).modules.front().code_id);
  EXPECT_EQ("", must_read(kLinux, [](Assembler&) {}).modules.front().code_id);
  const auto unknown = must_read(kWindows, [](Assembler& a) { a.u32(0x41414141); });
  EXPECT_EQ("", unknown.modules.front().code_id);
  EXPECT_EQ("000000000000000000000000000000000", unknown.modules.front().debug_id_text);
}

TEST(ModulesFromMinidump, OneUnreadableRecordEmptiesTheList) {
  struct Row {
    const char* name;
    Fill code_view, module_name;
  };
  const Row rows[] = {
      {"short CodeView", [](Assembler& a) { a.u32(0x53445352).u16(0).u8(0); }, {}},
      {"odd name", [](Assembler&) {}, [](Assembler& a) { a.u32(3).utf16("ab"); }},
      {"lone surrogate", [](Assembler&) {}, [](Assembler& a) { a.u32(2).u16(0xd800); }},
      {"endless name", [](Assembler&) {}, [](Assembler& a) { a.u32(0x7fffffff); }}};
  for (const Row& row : rows) {
    const auto crash = must_read(kWindows, row.code_view, row.module_name);
    EXPECT_TRUE(crash.modules.empty()) << row.name;
    EXPECT_EQ(1u, crash.notes.size()) << row.name;
  }
}

}  // namespace
