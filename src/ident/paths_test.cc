#include "ident/paths.h"

#include <gtest/gtest.h>

#include <string>

namespace ident {
namespace {

constexpr const char* kDebugId = "0403020106050807090A0B0C0D0E0F101";

std::string keys_text(const SymbolRequest& request) {
  std::string text(name_of(request.artifact));
  for (const SymbolKey& key : request.keys) {
    text += " " + std::string(name_of(key.kind)) + ":" + key.name + ":" + key.id;
  }
  return text;
}

TEST(StorePath, TakesOneAndTwoTiersAndSloppySlashes) {
  struct Row {
    const char* path;
    const char* expected;  // null: no store path
  };
  const Row rows[] = {
      {"/foo.pdb/ABC1/foo.pdb", "foo.pdb/ABC1/foo.pdb"},
      {"//foo.pdb//ABC1/foo.pd_", "foo.pdb/ABC1/foo.pd_"},
      {"/fo/foo.pdb/ABC1/foo.pdb", "foo.pdb/ABC1/foo.pdb"},
      {"/FO/foo.pdb/ABC1/foo.pdb", "foo.pdb/ABC1/foo.pdb"},
      {"/xx/foo.pdb/ABC1/foo.pdb", nullptr},
      {"/symbols/foo.pdb/ABC1/foo.pdb", "foo.pdb/ABC1/foo.pdb"},
      {"/p/game/t/secret/try/foo.pdb/ABC1/foo.pdb", "foo.pdb/ABC1/foo.pdb"},
      {"/symbols/fo/foo.pdb/ABC1/foo.pdb", "foo.pdb/ABC1/foo.pdb"},
      {"/symbols/ABC1/symbols", "symbols/ABC1/symbols"},
      {"/a+b (1).so/ABC1/a+b (1).so", "a+b (1).so/ABC1/a+b (1).so"},
      {"/foo.pdb/AB C1/foo.pdb", nullptr},
      {"/foo.pdb/../foo.pdb", nullptr},
      {"/foo.pdb/ABC1", nullptr},
      {"/", nullptr},
      {"", nullptr},
      {"/a\x01/ABC1/a", nullptr},
      {"/a\\b/ABC1/a", nullptr},
  };
  for (const Row& row : rows) {
    const auto found = find_store_path(row.path);
    ASSERT_EQ(found.has_value(), row.expected != nullptr) << row.path;
    if (found) {
      EXPECT_EQ(found->text(), row.expected) << row.path;
    }
  }
}

TEST(StorePath, RefusesEndlessPaths) {
  EXPECT_FALSE(find_store_path(std::string(5000, 'a') + "/b/c"));
  EXPECT_FALSE(find_store_path(std::string(300, 'a') + "/b/c"));
}

TEST(StoreRequest, OfBreakpadAsksForTheDebugIdWithoutCase) {
  const auto request = request_of({"LibFoo.so", kDebugId, "LibFoo.so.sym"});
  EXPECT_EQ(keys_text(request),
            "sym path:libfoo.so/libfoo.so.sym:0403020106050807090a0b0c0d0e0f101"
            " debug_id:libfoo.so:0403020106050807090a0b0c0d0e0f101"
            " code_id:libfoo.so:0403020106050807090a0b0c0d0e0f101");
}

TEST(StoreRequest, OfSymsrvTriesEveryKindThatTheIdMayBe) {
  EXPECT_EQ(keys_text(request_of({"foo.dll", "5A2b3c4d1f000", "foo.dll"})),
            "file path:foo.dll/foo.dll:5a2b3c4d1f000 code_id:foo.dll:5a2b3c4d1f000");
  EXPECT_EQ(keys_text(request_of({"foo.so", "elf-buildid-AABB", "foo.so"})),
            "file path:foo.so/foo.so:elf-buildid-aabb build_id:foo.so:aabb");
  EXPECT_EQ(keys_text(request_of({"_.debug", "elf-buildid-sym-AABB", "_.debug"})),
            "debuginfo path:_.debug/_.debug:elf-buildid-sym-aabb build_id:_.debug:aabb");
}

TEST(StoreRequest, OfAnotherFileNameOnlyMatchesThePath) {
  EXPECT_EQ(keys_text(request_of({"foo.pdb", kDebugId, "file.ptr"})),
            "file path:foo.pdb/file.ptr:0403020106050807090a0b0c0d0e0f101");
}

TEST(StoreRequest, DropsTheNilDebugId) {
  const auto request = request_of({"foo", std::string(33, '0'), "foo.sym"});
  for (const SymbolKey& key : request.keys) EXPECT_NE(key.kind, KeyKind::debug_id);
}

TEST(BuildidRequest, TakesEitherCaseAndRefusesOddIds) {
  const auto found = find_buildid_request("AABBCCDD", "debuginfo");
  ASSERT_TRUE(found);
  EXPECT_EQ(keys_text(*found), "debuginfo build_id::aabbccdd");
  EXPECT_TRUE(find_buildid_request("aabb", "executable"));
  EXPECT_FALSE(find_buildid_request("aab", "debuginfo"));
  EXPECT_FALSE(find_buildid_request("xxyy", "debuginfo"));
  EXPECT_FALSE(find_buildid_request("", "debuginfo"));
  EXPECT_FALSE(find_buildid_request("aabb", "sources"));
}

TEST(Spelling, KnowsTheWaysToWriteAnId) {
  const std::uint8_t build_id[] = {0xaa, 0xbb, 0xcc, 0xdd};
  const auto key = SymbolKey::from_build_id("x", build_id);
  EXPECT_TRUE(spells("AABBCCDD", key));
  EXPECT_TRUE(spells("elf-buildid-aabbccdd", key));
  EXPECT_FALSE(spells("aabbccde", key));
  const auto debug_key = SymbolKey::from_debug_id("x", *DebugId::parse(kDebugId));
  EXPECT_TRUE(spells("0403020106050807090a0b0c0d0e0f1001", debug_key));
  EXPECT_FALSE(spells("0403020106050807090a0b0c0d0e0f102", debug_key));
}

TEST(Request, OfEveryShapeAsksForItsIds) {
  const std::string uuid = "0403020106050807090a0b0c0d0e0f10";
  const std::string uuid_keys = " uuid::" + uuid + " debug_id::" + uuid + "0";
  struct Row {
    std::string path;
    std::string expected;
  };
  const std::vector<Row> rows = {
      Row{"/buildid/AABB/debuginfo", "debuginfo build_id::aabb"},
      Row{"/p/game/buildid/AABB/executable", "executable build_id::aabb"},
      Row{"/buildid/aabb/section/.text", "section build_id::aabb"},
      Row{"/buildid/aabb/section", "none"},
      Row{"/buildid/aab/debuginfo", "none"},
      Row{"/buildid/" + uuid + "/debuginfo", "debuginfo build_id::" + uuid + uuid_keys},
      Row{"/buildid/" + uuid + "00000001/debuginfo",
          "debuginfo build_id::" + uuid + "00000001 debug_id::" + uuid + "1"},
      Row{"/aa/bbccdd.debug", "debuginfo build_id::aabbccdd"},
      Row{"/.build-id/aa/bbccdd.debug", "debuginfo build_id::aabbccdd"},
      Row{"/aa/bbccdd", "executable build_id::aabbccdd"},
      Row{"/aa/bbccdd/debuginfo", "debuginfo code_id::aabbccdd build_id::aabbccdd"},
      Row{"/0403/0201/0605/0807/090A/0B0C0D0E0F10", "debuginfo" + uuid_keys},
      Row{"/0403/0201/0605/0807/090A/0B0C0D0E0F10.app", "executable" + uuid_keys},
      Row{"/artifacts/dwp/aabb/x", "dwp code_id:x:aabb build_id:x:aabb"},
      Row{"/artifacts/dwo/0011223344556677/x",
          "dwo code_id:x:0011223344556677 build_id:x:0011223344556677 "
          "dwo_id:x:0011223344556677"},
      Row{"/artifacts/nonsense/aabb/x", "none"},
      Row{"/libx.dylib/mach-uuid-" + uuid + "/libx.dylib",
          "file path:libx.dylib/libx.dylib:mach-uuid-" + uuid + " uuid:libx.dylib:" + uuid +
              " debug_id:libx.dylib:" + uuid + "0"},
      Row{"/main.cs/sha1-AABB/main.cs",
          "file path:main.cs/main.cs:sha1-aabb checksum:main.cs:aabb"},
      Row{"/a.dll/12ab/a.dl_",
          "cabinet path:a.dll/a.dl_:12ab path:a.dll/a.dll:12ab code_id:a.dll:12ab "
          "build_id:a.dll:12ab"},
      Row{"/a.pdb/1/msfz0/a.pdb", "msfz path:a.pdb/msfz0/a.pdb:1 code_id:a.pdb:1"},
      Row{"/aa/bbccdd/sourcebundle",
          "file code_id::aabbccdd build_id::aabbccdd debug_id::ddccbbaa" + std::string(25, '0')},
      Row{"/aa/bbccdd/il2cpp",
          "file code_id::aabbccdd build_id::aabbccdd debug_id::ddccbbaa" + std::string(25, '0')},
      Row{"/aa/bbccdd/strange", "file path:aa/strange:bbccdd"},
      Row{"/aa/bbccdd.src.zip",
          "file build_id::aabbccdd debug_id::ddccbbaa" + std::string(25, '0')},
      Row{"/aa/bbccdd.debug.src.zip",
          "file build_id::aabbccdd debug_id::ddccbbaa" + std::string(25, '0')},
      Row{"/0403/0201/0605/0807/090A/0B0C0D0E0F10.src.zip", "file" + uuid_keys},
      Row{"/a.pdb/" + uuid + "1/a.pdb.src.zip", "file path:a.pdb/a.pdb.src.zip:" + uuid +
                                                    "1 debug_id:a.pdb:" + uuid +
                                                    "1 code_id:a.pdb:" + uuid + "1"},
      Row{"/artifacts/UuidMap/" + uuid + "/x", "file debug_id:x:" + uuid + "0 code_id:x:" + uuid +
                                                   " build_id:x:" + uuid + " uuid:x:" + uuid +
                                                   " debug_id:x:01020304050607080"
                                                   "90a0b0c0d0e0f100"},
      Row{"/crashes", "none"},
  };
  for (const Row& row : rows) {
    const auto found = find_request(row.path);
    EXPECT_EQ(found ? keys_text(*found) : "none", row.expected) << row.path;
  }
}

TEST(Request, ReadsAgesInHexThenInDecimal) {
  const std::string guid = "0403020106050807090a0b0c0d0e0f10";
  EXPECT_EQ(keys_text(*find_request("/a/" + guid + "10/a")),
            "file path:a/a:" + guid + "10 path:a/a:" + guid + "a debug_id:a:" + guid +
                "10 debug_id:a:" + guid + "a code_id:a:" + guid + "10 build_id:a:" + guid + "10");
}

TEST(Request, OfAPaddedBuildIdAsksForTheShorterOnes) {
  const auto found = find_request("/a/elf-buildid-" + std::string(34, 'a') + "000000/a");
  ASSERT_TRUE(found);
  std::vector<std::size_t> sizes;
  for (const SymbolKey& key : found->keys) {
    if (key.kind == KeyKind::build_id) sizes.push_back(key.id.size());
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{40, 38, 36, 34}));
}

TEST(CacheKey, DiffersWithTheScope) {
  const StorePath path{"a", "1", "a"};
  const std::string plain = request_of(path).cache_key();
  const std::string project = request_of(path, {"game", false}).cache_key();
  EXPECT_EQ(request_of(path, {"", false}).cache_key(), plain);
  EXPECT_NE(project, plain);
  EXPECT_NE(request_of(path, {"", true}).cache_key(), plain);
  EXPECT_NE(request_of(path, {"game", true}).cache_key(), project);
}

TEST(SymFileName, ReplacesPdbOnly) {
  EXPECT_EQ(sym_file_name("foo.PDB"), "foo.sym");
  EXPECT_EQ(sym_file_name("libfoo.so"), "libfoo.so.sym");
}

TEST(SymbolKey, KnowsWhichIdsNeedTheName) {
  EXPECT_FALSE(SymbolKey::from_text(KeyKind::code_id, "a.dll", "5A2B3C4D1F000").id_is_unique());
  EXPECT_TRUE(SymbolKey::from_text(KeyKind::code_id, "a.so", std::string(40, 'a')).id_is_unique());
  for (const auto kind : {KeyKind::debug_id, KeyKind::build_id, KeyKind::path}) {
    EXPECT_EQ(find_key_kind(name_of(kind)), kind);
  }
  EXPECT_FALSE(find_key_kind("nonsense"));
}

}  // namespace
}  // namespace ident
