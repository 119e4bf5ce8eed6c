// Real files of every format, kept and found again under each of their names.
#include <gtest/gtest.h>

#include "base/file.h"
#include "ingest/place_fixture.h"
#include "testing/corpus.h"

namespace ingest {
namespace {

using ident::KeyKind;
using ident::SymbolKey;

struct IdentityPlace : Place {
  store::FileRecord keep(const std::string& path, const std::string& name = "") {
    const auto bytes = base::MappedFile::open(path);
    EXPECT_TRUE(bytes.ok()) << path;
    base::PendingFile file = blobs.create().value();
    EXPECT_TRUE(file.append((*bytes)->bytes()).ok());
    const std::string called = name.empty() ? std::string(base::basename_of(path)) : name;
    auto receipt = ingest.keep_file({}, {std::move(file), std::nullopt, called});
    EXPECT_TRUE(receipt.ok()) << receipt.error().what;
    return receipt->files.at(0).file.file;
  }
  // Names of the files that a key finds, verified ones only.
  std::string verified_names(KeyKind kind, std::string_view name, std::string_view id) {
    const auto all = catalog.find({SymbolKey::from_text(kind, name, id)}).value();
    std::string names;
    for (const store::Found& row : all.at(0)) {
      if (row.key.verified) names += (names.empty() ? "" : " ") + row.file.name;
    }
    return names;
  }
};

TEST(KeptFiles, AFatFileIsFoundByTheIdsOfEverySlice) {
  REQUIRE_CORPUS(corpus);
  IdentityPlace place;
  const auto row = place.keep(corpus + "/symbols/objects/macho/lantern-fat/liblantern.dylib");
  EXPECT_EQ(row.format, "macho");
  EXPECT_EQ(row.arch, "x86_64 arm64");
  EXPECT_EQ(row.debug_id, "4C4C447B55553144A167EAEB74AF3D290");
  EXPECT_TRUE(row.has_code);
  for (const char* uuid :
       {"4c4c447b55553144a167eaeb74af3d29", "4c4c441e55553144a1624a1d847f4071"}) {
    EXPECT_EQ(place.verified_names(KeyKind::uuid, "", uuid), "liblantern.dylib");
    EXPECT_EQ(place.verified_names(KeyKind::code_id, "", uuid), "liblantern.dylib");
    EXPECT_EQ(place.verified_names(KeyKind::debug_id, "", uuid + std::string("0")),
              "liblantern.dylib");
  }
}

TEST(KeptFiles, AnImageAndItsPdbAreOneModule) {
  REQUIRE_CORPUS(corpus);
  IdentityPlace place;
  const std::string folder = corpus + "/symbols/objects/pe-pdb/regtest64/dump_syms_regtest64";
  place.keep(folder + ".exe");
  const char* id = "72e103a85cb249078b76b2e7c06257b13";
  EXPECT_EQ(place.verified_names(KeyKind::code_id, "dump_syms_regtest64.exe", "589dfd111A000"),
            "dump_syms_regtest64.exe");
  EXPECT_EQ(place.verified_names(KeyKind::code_id, "other.exe", "589dfd111a000"), "");
  EXPECT_TRUE(place.verified_names(KeyKind::debug_id, "dump_syms_regtest64.pdb", id)
                  .starts_with("dump_syms_regtest64.exe"));
  const auto pdb = place.keep(folder + ".pdb");
  EXPECT_TRUE(pdb.has_debug);
  // The fuller comes first; the image is a part of the module too.
  EXPECT_TRUE(place.verified_names(KeyKind::debug_id, "dump_syms_regtest64.pdb", id)
                  .starts_with("dump_syms_regtest64.pdb dump_syms_regtest64.exe"));
}

TEST(KeptFiles, APortablePdbHasThreeAgesAndAChecksum) {
  REQUIRE_CORPUS(corpus);
  IdentityPlace place;
  const std::string name = "System.Threading.Thread.pdb";
  place.keep(corpus + "/symbols/objects/portable-pdb/threading-dir1/" + name);
  for (const char* age : {"ffffffff", "5cb7ac29", "1"}) {
    EXPECT_EQ(place.verified_names(KeyKind::debug_id, "",
                                   "a43b38726e6a4b3cb1691f35f0d6cc48" + std::string(age)),
              name);
  }
  EXPECT_EQ(
      place.verified_names(KeyKind::checksum, "",
                           "de0766d608c433b8f457e4bb91388afb480ea14747a31ff9d72f7938083bffbc"),
      name);
}

TEST(KeptFiles, APackageOfUnitsGetsTheBuildIdOfItsCompanionInEitherOrder) {
  REQUIRE_CORPUS(corpus);
  const std::string image = corpus + "/symbols/objects/elf/lantern-split/liblantern-split5.so";
  const char* build_id = "742b7d7dcee4b15da8a2e1f9d7bd6a9ae4dc46b0";
  for (const bool image_first : {true, false}) {
    IdentityPlace place;
    place.keep(image_first ? image : image + ".dwp");
    const auto row = place.keep(image_first ? image + ".dwp" : image);
    EXPECT_EQ(row.format, image_first ? "dwp" : "elf");
    EXPECT_EQ(place.verified_names(KeyKind::build_id, "", build_id),
              "liblantern-split5.so liblantern-split5.so.dwp");
    EXPECT_EQ(place.verified_names(KeyKind::debug_id, "", "7D7D2B74E4CE5DB1A8A2E1F9D7BD6A9A0"),
              "liblantern-split5.so liblantern-split5.so.dwp");
  }
}

TEST(KeptFiles, AStrangersPackageStaysAlone) {
  REQUIRE_CORPUS(corpus);
  IdentityPlace place;
  place.keep(corpus + "/symbols/objects/elf/lantern-split/liblantern-split5.so");
  place.keep(corpus + "/symbols/objects/elf/eu-dwp-5/testfile-dwp-5.dwp");
  EXPECT_EQ(place.verified_names(KeyKind::build_id, "", "742b7d7dcee4b15da8a2e1f9d7bd6a9ae4dc46b0"),
            "liblantern-split5.so");
}

TEST(KeptFiles, AUnitIsFoundByItsDwoId) {
  REQUIRE_CORPUS(corpus);
  IdentityPlace place;
  const auto row = place.keep(corpus + "/symbols/objects/elf/lantern-split/lantern.dwo");
  EXPECT_EQ(row.format, "dwo");
  EXPECT_FALSE(row.has_debug);
  std::size_t ids = 0;
  ASSERT_TRUE(place.catalog
                  .list_ids([&](KeyKind kind, std::string_view id) {
                    ids += kind == KeyKind::dwo_id && id.size() == 16 ? 1 : 0;
                  })
                  .ok());
  EXPECT_EQ(ids, 1u);
}

// Keys of a text that does not say whose it is: KIND:ID, those of bytes marked with "!".
std::string told_keys(std::string_view text, const std::optional<ident::StorePath>& path,
                      const std::string& name) {
  std::string keys;
  for (const store::KeyRecord& record : describe(base::bytes_of(text), path, name).keys) {
    if (record.key.kind == KeyKind::path) continue;
    keys += (keys.empty() ? "" : " ") + std::string(ident::name_of(record.key.kind)) + ":" +
            record.key.id + (record.verified ? "!" : "");
  }
  return keys;
}

TEST(ToldIds, AreThoseOfThePathOrOfTheName) {
  const std::string_view map = "BCSymbolMap Version: 2.0\n_main\n";
  const std::string by_name = "C8374B6D-6E96-34D8-AE38-EFAA5FEC424F.bcsymbolmap";
  const std::string id = "2d10c42f591d3265b14778ba0868073f";
  const std::string told = "debug_id:" + id + "0 uuid:" + id;
  EXPECT_EQ(told_keys(map, std::nullopt, by_name),
            "debug_id:c8374b6d6e9634d8ae38efaa5fec424f0 uuid:c8374b6d6e9634d8ae38efaa5fec424f");
  EXPECT_EQ(told_keys(map, ident::StorePath{"x", id, by_name}, by_name), told);
  EXPECT_EQ(told_keys(map, ident::StorePath{"2d", id.substr(2), "bcsymbolmap"}, "bcsymbolmap"),
            told);
  EXPECT_EQ(told_keys(map, std::nullopt, "x.bcsymbolmap"), "");
  const std::string lines =
      R"({"a.cpp":{"A.cs":{"1":2}},"__debug-id__":{"2d10c42f-591d-3265-b147-78ba0868073f":{}}})";
  EXPECT_EQ(told_keys(lines, std::nullopt, "LineNumberMappings.json"), "debug_id:" + id + "0!");
  EXPECT_EQ(told_keys(lines, ident::StorePath{"g", id, "g"}, "g"),
            "debug_id:" + id + "0! uuid:" + id);
  EXPECT_EQ(told_keys("something else", ident::StorePath{"x", id, "x"}, by_name), "");
}

TEST(ToldIds, AreNoneToAStrictProject) {
  IdentityPlace place;
  Bringer strict;
  strict.is_strict = true;
  base::PendingFile file = place.blobs.create().value();
  ASSERT_TRUE(file.append(base::bytes_of("BCSymbolMap Version: 2.0\n")).ok());
  const auto refused = place.ingest.keep_file(
      strict, {std::move(file), std::nullopt, "C8374B6D-6E96-34D8-AE38-EFAA5FEC424F.bcsymbolmap"});
  EXPECT_FALSE(refused.ok());
}

}  // namespace
}  // namespace ingest
