#include "extract/beside.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "testing/stored_zip.h"

namespace extract {
namespace {

Identity identity_of(std::string_view text) { return identify(base::bytes_of(text)); }

std::string bundle_of(std::string_view manifest) {
  return std::string("SYSB\2\0\0\0", 8) +
         testing_support::StoredZip().add("manifest.json", manifest).finish();
}

TEST(Beside, ABundleOfAnElfHasItsBuildId) {
  const Identity identity = identity_of(bundle_of(
      R"({"files": {}, "arch": "x86_64", "code_id": "DDD6FB4DC1B7D3D58B1176AE1E634F35B082FE24",
          "debug_id": "4dfbd6dd-b7c1-d5d3-8b11-76ae1e634f35", "object_name": "/b/hello"})"));
  EXPECT_EQ(name_of(identity.kind), "sourcebundle");
  EXPECT_EQ(identity.debug_id.breakpad(), "4DFBD6DDB7C1D5D38B1176AE1E634F350");
  EXPECT_EQ(identity.build_id, "ddd6fb4dc1b7d3d58b1176ae1e634f35b082fe24");
  EXPECT_EQ(identity.uuid, "");
  EXPECT_EQ(identity.name, "hello");
  EXPECT_EQ(identity.arch, "x86_64");
  EXPECT_EQ(identity.problem, "");
  const auto paths = key_paths(module_names(identity, "hello.src.zip"));
  ASSERT_EQ(paths.size(), 1u);
  EXPECT_EQ(paths[0].path, "dd/d6fb4dc1b7d3d58b1176ae1e634f35b082fe24/sourcebundle");
}

TEST(Beside, ABundleOfAnotherFormatHasTheIdsOfThat) {
  const Identity mac = identity_of(bundle_of(
      R"({"code_id": "2d10c42f591d3265b14778ba0868073f",
          "debug_id": "2d10c42f-591d-3265-b147-78ba0868073f"})"));
  EXPECT_EQ(mac.uuid, "2d10c42f591d3265b14778ba0868073f");
  EXPECT_EQ(mac.build_id, "");
  const Identity windows = identity_of(bundle_of(
      R"({"code_id": "5AB380779000", "debug_id": "3249d99d-0c40-4931-8610-f4e4fb0b6936-1",
          "object_name": "C:\\b\\crash.pdb"})"));
  EXPECT_EQ(windows.code_id, "5ab380779000");
  EXPECT_EQ(windows.build_id + windows.uuid, "");
  EXPECT_EQ(windows.debug_id.breakpad(), "3249D99D0C4049318610F4E4FB0B69361");
  EXPECT_EQ(windows.name, "crash.pdb");
}

TEST(Beside, ABundleThatCannotBeReadSaysWhy) {
  EXPECT_EQ(identity_of("SYSB....").kind, FileKind::source_bundle);
  EXPECT_NE(identity_of("SYSB....").problem, "");
  EXPECT_NE(identity_of(bundle_of("{}")).problem.find("which module"), std::string::npos);
  EXPECT_TRUE(identity_of(bundle_of(R"({"debug_id": 7, "code_id": "x"})")).debug_id.is_nil());
}

TEST(Beside, TextsAreToldApart) {
  EXPECT_EQ(identity_of("BCSymbolMap Version: 2.0\n_main\n").kind, FileKind::bcsymbolmap);
  const Identity map = identity_of(
      "<?xml version=\"1.0\"?><plist><dict><key>DBGOriginalUUID</key>"
      "<string>C8374B6D-6E96-34D8-AE38-EFAA5FEC424F</string></dict></plist>");
  EXPECT_EQ(map.kind, FileKind::uuid_map);
  EXPECT_EQ(map.original_uuid, "c8374b6d6e9634d8ae38efaa5fec424f");
  EXPECT_TRUE(map.debug_id.is_nil()) << "the original's is not its own";
  const Identity lines = identity_of(
      R"({"a.cpp":{"A.cs":{"1":2}},"__debug-id__":{"74e6c2bb-610a-ef6e-ab9a-cc5560fd6aec":{}}})");
  EXPECT_EQ(lines.kind, FileKind::il2cpp);
  EXPECT_EQ(lines.debug_id.breakpad(), "74E6C2BB610AEF6EAB9ACC5560FD6AEC0");
  EXPECT_EQ(identity_of("{\"a\": 1}").kind, FileKind::unknown);
}

TEST(Beside, ANameMayBeAnId) {
  const auto id = find_id_in_name("2D10C42F-591D-3265-B147-78BA0868073F.plist");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->breakpad(), "2D10C42F591D3265B14778BA0868073F0");
  EXPECT_FALSE(find_id_in_name("Info.plist"));
  EXPECT_FALSE(find_id_in_name("2D10C42F-591D-3265-B147-78BA0868073F"));
}

}  // namespace
}  // namespace extract
