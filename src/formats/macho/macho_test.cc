#include "formats/macho/macho.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "testing/assembler.h"

namespace macho {
namespace {

using base::Endian;
using testing_support::Assembler;
using Bytes = std::vector<std::uint8_t>;

struct Spec {
  bool wide = true;
  Endian endian = Endian::little;
  std::uint32_t cpu = kCpuArm64;
  std::uint32_t subtype = 0;
  std::uint8_t uuid = 0x5a;
};

Bytes make_thin(const Spec& spec) {
  Assembler a(spec.endian);
  a.u32(spec.wide ? 0xfeedfacf : 0xfeedface).u32(spec.cpu).u32(spec.subtype).u32(kDylib);
  const std::uint32_t segment = spec.wide ? 72 + 80 : 56 + 68;
  a.u32(3).u32(24 + 40 + segment).u32(0);
  if (spec.wide) a.u32(0);
  a.u32(kUuid).u32(24).repeat(spec.uuid, 16);
  a.u32(kIdDylib).u32(40).u32(24).u32(0).u32(0).u32(0).c_string("@rpath/libA.dy").align(1).u8(0);
  const auto word = [&](std::uint64_t v) { spec.wide ? a.u64(v) : a.u32(v); };
  a.u32(spec.wide ? kSegment64 : kSegment32).u32(segment).bytes(base::bytes_of("__TEXT"));
  a.repeat(0, 10);
  for (int i = 0; i < 4; ++i) word(0);
  a.u32(0).u32(0).u32(1).u32(0);
  a.bytes(base::bytes_of("__text")).repeat(0, 10).bytes(base::bytes_of("__TEXT")).repeat(0, 10);
  word(0x1000);
  word(4);
  a.u32(16).u32(0).u32(0).u32(0).u32(0).u32(0).u32(0);
  if (spec.wide) a.u32(0);
  return a.finish();
}

Bytes make_fat(const std::vector<Bytes>& slices, bool wide) {
  Assembler a(Endian::big);
  a.u32(wide ? 0xcafebabf : 0xcafebabe).u32(slices.size());
  std::uint64_t at = 4096;
  for (const Bytes& s : slices) {
    a.u32(0).u32(0);
    wide ? a.u64(at).u64(s.size()) : a.u32(at).u32(s.size());
    a.u32(12);
    if (wide) a.u32(0);
    at += 4096;
  }
  for (const Bytes& s : slices) a.align(4096).bytes(s);
  return a.finish();
}

TEST(MachO, ReadsThinFilesOfEitherWidthAndByteOrder) {
  for (const bool wide : {true, false}) {
    for (const Endian endian : {Endian::little, Endian::big}) {
      const Bytes bytes = make_thin({wide, endian, kCpuPpc, 0, 7});
      ASSERT_TRUE(File::has_magic(bytes));
      const auto file = File::parse(bytes);
      ASSERT_TRUE(file.ok()) << file.error().what;
      ASSERT_EQ(file->slices().size(), 1u);
      const Slice& slice = file->slices()[0];
      EXPECT_EQ(slice.problem(), "");
      EXPECT_EQ(base::hex_of(*slice.uuid()), "07070707070707070707070707070707");
      EXPECT_EQ(slice.install_name(), "@rpath/libA.dy");
      EXPECT_EQ(slice.arch(), "ppc");
      ASSERT_EQ(slice.sections().size(), 1u);
      EXPECT_EQ(slice.sections()[0].address, 0x1000u);
      EXPECT_TRUE(slice.has_code());
    }
  }
}

TEST(MachO, EverySliceOfAFatFileHasItsOwnUuid) {
  for (const bool wide : {true, false}) {
    const Bytes bytes = make_fat({make_thin({true, Endian::little, kCpuArm64, 2u | 0x80000000u, 1}),
                                  make_thin({true, Endian::little, kCpuX86_64, 3, 2}),
                                  make_thin({false, Endian::little, kCpuArm, 11, 3})},
                                 wide);
    ASSERT_TRUE(File::has_magic(bytes));
    const auto file = File::parse(bytes);
    ASSERT_TRUE(file.ok()) << file.error().what;
    ASSERT_EQ(file->slices().size(), 3u);
    EXPECT_TRUE(file->is_fat());
    EXPECT_EQ(file->slices()[0].arch(), "arm64e");
    EXPECT_EQ(file->slices()[1].arch(), "x86_64");
    EXPECT_EQ(file->slices()[2].arch(), "armv7s");
    EXPECT_EQ((*file->slices()[2].uuid())[0], 3);
  }
}

TEST(MachO, ASliceThatCannotBeReadIsLeftOut) {
  const Bytes bytes = make_fat({{'!', '<', 'a', 'r', 'c', 'h', '>', '\n'}, make_thin({})}, false);
  const auto file = File::parse(bytes);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->slices().size(), 1u);
  EXPECT_EQ(file->problems().size(), 1u);
}

TEST(MachO, AJavaClassIsNone) {
  Assembler a(Endian::big);
  a.u32(0xcafebabe).u16(0).u16(52).repeat(0, 64);
  EXPECT_FALSE(File::has_magic(a.finish()));
}

TEST(MachO, EveryPrefixYieldsAnAnswerOrAFault) {
  for (const Bytes& whole : {make_thin({}), make_fat({make_thin({}), make_thin({})}, true)}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const auto file = File::parse(bytes);
      if (file.ok()) EXPECT_FALSE(file->slices().empty());
    }
  }
}

TEST(MachO, KnowsTheShapeOfABundlesPath) {
  EXPECT_EQ(find_dsym_binary("x/A.dSYM/Contents/Resources/DWARF/A"), "A");
  EXPECT_EQ(find_dsym_binary("A.framework.DSYM/Contents/Resources/DWARF/My A"), "My A");
  EXPECT_FALSE(find_dsym_binary("A.dSYM/Contents/Info.plist"));
  EXPECT_FALSE(find_dsym_binary(".dSYM/Contents/Resources/DWARF/A"));
  EXPECT_FALSE(find_dsym_binary("A/Contents/Resources/DWARF/A"));
}

}  // namespace
}  // namespace macho
