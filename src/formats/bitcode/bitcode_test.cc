#include <gtest/gtest.h>

#include "base/text.h"
#include "formats/bitcode/bcsymbolmap.h"
#include "formats/bitcode/uuid_map.h"

namespace bitcode {
namespace {

std::string version_of(std::string_view text) {
  const auto head = find_symbol_map_head(base::bytes_of(text));
  return head ? std::string(head->version) : "none";
}

TEST(SymbolMap, IsToldByItsFirstLine) {
  EXPECT_EQ(version_of("BCSymbolMap Version: 2.0\n_main\n_swift_x\n"), "2.0");
  EXPECT_EQ(version_of("BCSymbolMap Version: 2.0\r\nx"), "2.0");
  EXPECT_EQ(version_of("BCSymbolMap Version: 2.0"), "2.0");
  EXPECT_EQ(version_of("BCSymbolMap Version: two\n"), "none");
  EXPECT_EQ(version_of("BCSymbolMap Version:\n2.0"), "none");
  EXPECT_EQ(version_of("BCSymbolMap\n"), "none");
  EXPECT_EQ(version_of(" BCSymbolMap Version: 2.0\n"), "none");
  EXPECT_EQ(version_of("BCSymbolMap Version: " + std::string(100, '1')), std::string(15, '1'));
}

constexpr std::string_view kPlist =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"x.dtd\">\n"
    "<plist version=\"1.0\">\n<dict>\n\t<key>DBGArchitecture</key>\n\t<string>arm64</string>\n"
    "\t<key>DBGOriginalUUID</key>\n\t<string>C8374B6D-6E96-34D8-AE38-EFAA5FEC424F</string>\n"
    "</dict>\n</plist>\n";

std::string original_of(std::string_view text) {
  const auto map = find_uuid_map(base::bytes_of(text));
  return map ? base::hex_of(map->original) : "none";
}

TEST(UuidMap, SaysWhichUuidItsModuleHad) {
  EXPECT_EQ(original_of(kPlist), "c8374b6d6e9634d8ae38efaa5fec424f");
  EXPECT_EQ(original_of("<plist><dict><key>DBGOriginalUUID</key>"
                        "<string>c8374b6d6e9634d8ae38efaa5fec424f</string></dict></plist>"),
            "c8374b6d6e9634d8ae38efaa5fec424f");
}

TEST(UuidMap, OtherListsAreNone) {
  struct Row {
    const char* name;
    std::string text;
  };
  const std::string open = "<?xml?><plist><dict>";
  for (const Row& row : std::vector<Row>{
           {"no such key", open + "<key>CFBundleName</key><string>x</string></dict></plist>"},
           {"a number", open + "<key>DBGOriginalUUID</key><integer>7</integer>"
                               "<key>a</key><string>c8374b6d6e9634d8ae38efaa5fec424f</string>"},
           {"too short", open + "<key>DBGOriginalUUID</key><string>c837</string>"},
           {"in a comment", open + "<!-- <key>DBGOriginalUUID</key>"
                                   "<string>c8374b6d6e9634d8ae38efaa5fec424f</string> -->"},
           {"no list",
            "<key>DBGOriginalUUID</key><string>c8374b6d6e9634d8ae38efaa5fec424f</string>"},
           {"too large", std::string(kPlist) + std::string(kUuidMapSizeMax, ' ')},
       }) {
    EXPECT_EQ(original_of(row.text), "none") << row.name;
  }
}

TEST(UuidMap, EveryPrefixYieldsTheMapOrNone) {
  const std::size_t whole = kPlist.find("</string>\n</dict>") + 9;
  for (std::size_t size = 0; size <= kPlist.size(); ++size) {
    EXPECT_EQ(original_of(kPlist.substr(0, size)) != "none", size >= whole) << size;
  }
}

}  // namespace
}  // namespace bitcode
