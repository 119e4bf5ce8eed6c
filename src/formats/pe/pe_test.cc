#include "formats/pe/pe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "testing/assembler.h"
#include "testing/pe_image.h"

namespace pe {
namespace {

using testing_support::Assembler;
using testing_support::make_pe;
using testing_support::rsds;
using Bytes = std::vector<std::uint8_t>;

TEST(Pe, PrintsTheCodeIdAsSymstoreDoes) {
  for (const bool wide : {true, false}) {
    const Bytes bytes = make_pe({}, wide);
    const auto file = File::parse(bytes);
    ASSERT_TRUE(file.ok()) << file.error().what;
    EXPECT_EQ(file->code_id(), "0A0B0C0D1a000");
    EXPECT_EQ(file->is_64(), wide);
    EXPECT_TRUE(file->code_views().empty());
    ASSERT_EQ(file->sections().size(), 1u);
    EXPECT_TRUE(file->sections()[0].is_code());
  }
}

TEST(Pe, ReadsEveryCodeViewEntry) {
  Assembler nb10;
  nb10.bytes(base::bytes_of("NB10")).u32(0).u32(0x3dd60cfb).u32(2).c_string("d:\\old.pdb");
  Assembler nb11;
  nb11.bytes(base::bytes_of("NB11")).u32(0).u32(1).u32(2);
  const Bytes bytes = make_pe({{kDebugCodeView, 7, 0, 0, rsds(1, 3, "C:\\x\\a.ni.pdb")},
                               {kDebugCodeView, 9, 0x100, 0x504d, rsds(2, 1, "a.pdb")},
                               {kDebugCodeView, 0, 0, 0, nb10.finish()},
                               {kDebugCodeView, 0, 0, 0, nb11.finish()},
                               {kDebugRepro, 0, 0, 0, {}}});
  const auto file = File::parse(bytes);
  ASSERT_TRUE(file.ok());
  const auto views = file->code_views();
  ASSERT_EQ(views.size(), 3u);
  EXPECT_EQ(views[0].guid[0], 1);
  EXPECT_EQ(views[0].age, 3u);
  EXPECT_EQ(views[0].path, "C:\\x\\a.ni.pdb");
  EXPECT_FALSE(views[0].portable);
  EXPECT_TRUE(views[1].portable);
  EXPECT_EQ(views[1].stamp, 9u);
  EXPECT_EQ(views[2].kind, CodeView::Kind::nb10);
  EXPECT_EQ(views[2].signature, 0x3dd60cfbu);
  EXPECT_EQ(views[2].age, 2u);
  EXPECT_TRUE(file->problems().empty());
}

TEST(Pe, ReadsChecksumsAndPerfMaps) {
  Assembler sum;
  sum.c_string("SHA256").repeat(0xab, 32);
  Assembler map;
  map.bytes(base::bytes_of("R2RM")).repeat(0x73, 16).u32(1).c_string("a.ni.r2rmap");
  const Bytes bytes =
      make_pe({{kDebugPdbChecksum, 0, 1, 0, sum.finish()}, {kDebugPerfMap, 0, 1, 0, map.finish()}});
  const auto file = File::parse(bytes);
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(file->pdb_checksums().size(), 1u);
  EXPECT_EQ(file->pdb_checksums()[0].algorithm, "SHA256");
  EXPECT_EQ(file->pdb_checksums()[0].checksum.size(), 32u);
  ASSERT_EQ(file->perf_maps().size(), 1u);
  EXPECT_EQ(file->perf_maps()[0].path, "a.ni.r2rmap");
  EXPECT_EQ(file->perf_maps()[0].version, 1u);
}

TEST(Pe, FindsAPortablePdbInside) {
  Assembler pdb;
  pdb.bytes(base::bytes_of("MPDB")).u32(1000).repeat(0x42, 30);
  const Bytes bytes = make_pe({{kDebugEmbeddedPortablePdb, 0, 0, 0, Bytes(40, 1)},
                               {kDebugEmbeddedPortablePdb, 0, 0x100, 0x100, pdb.finish()}});
  const auto file = File::parse(bytes);
  ASSERT_TRUE(file.ok());
  const auto found = file->find_embedded_pdb();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size, 1000u);
  EXPECT_EQ(found->packed.size(), 30u);
  const Bytes without = make_pe({{kDebugEmbeddedPortablePdb, 0, 0, 0, Bytes(7, 1)}});
  EXPECT_FALSE(File::parse(without)->find_embedded_pdb());
}

TEST(Pe, SeesThroughTheDisguiseOfReadyToRunImages) {
  const Bytes linux_image = make_pe({}, true, 0xfd1d);
  EXPECT_EQ(File::parse(linux_image)->arch(), "x86_64");
  const Bytes mac_image = make_pe({}, true, 0xaa64 ^ 0x4644);
  EXPECT_EQ(File::parse(mac_image)->arch(), "arm64");
  const Bytes strange = make_pe({}, true, 0x1234);
  EXPECT_EQ(File::parse(strange)->arch(), "unknown");
}

TEST(Pe, WithoutAnImagesHeaderIsRefused) {
  EXPECT_EQ(File::parse(base::bytes_of("MZ")).error().fault, base::Fault::malformed);
  Bytes dos = make_pe({});
  dos[0x40] = 'N';  // "NE"
  EXPECT_EQ(File::parse(dos).error().fault, base::Fault::malformed);
  Bytes rom = make_pe({});
  rom[0x40 + 24] = 7;
  EXPECT_EQ(File::parse(rom).error().fault, base::Fault::malformed);
}

TEST(Pe, EveryPrefixYieldsAnAnswerOrAFault) {
  const Bytes whole = make_pe({{kDebugCodeView, 7, 0, 0, rsds(1, 3, "a.pdb")}});
  bool cut_with_id = false;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto file = File::parse(bytes);
    if (!file.ok()) continue;
    EXPECT_EQ(file->code_id(), "0A0B0C0D1a000");
    cut_with_id |= file->code_views().empty() && !file->problems().empty();
    (void)file->find_file_version();
  }
  EXPECT_TRUE(cut_with_id);
}

}  // namespace
}  // namespace pe
