#include "server/purged_answers.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "store/catalog.h"

namespace server {
namespace {

using ident::KeyKind;
using ident::SymbolKey;

constexpr std::string_view kGuid = "0123456789ABCDEF0123456789ABCDEF1";
constexpr std::string_view kBuildId = "0123456789abcdef0123456789abcdef01234567";

class Purged : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(database_->migrate(store::Catalog::migrations()).ok()); }
  // As a content that was refused when it came.
  void purge(const store::FileRecord& file, const std::vector<store::KeyRecord>& keys) {
    const auto put = database_->write([&](db::Session& session) {
      return store::Tombstones::put(session, {file.sha256, base::now(), "test", "", 0});
    });
    ASSERT_TRUE(put.ok()) << put.error().what;
    ASSERT_TRUE(stones_.learn(file, keys).ok());
  }
  static store::FileRecord file_of(const std::string& format) {
    store::FileRecord file;
    file.sha256 = base::sha256_of(base::bytes_of(format));
    file.format = format;
    return file;
  }
  static store::KeyRecord key_of(KeyKind kind, std::string_view name, std::string_view id) {
    return {SymbolKey::from_text(kind, name, id), true};
  }
  bool answers(const std::string& path) const {
    const auto request = ident::find_request(path);
    EXPECT_TRUE(request.has_value()) << path;
    return request && purged_.has(*request);
  }
  bool lies_at(const upstream::Place& place) const { return purged_.has(place); }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("purged").value();
  std::unique_ptr<db::Database> database_ =
      db::Database::open("sqlite:" + root_.path() + "/test.db").value();
  store::Tombstones stones_{*database_};
  const PurgedAnswers purged_{stones_};
};

TEST_F(Purged, NothingIsBarredWhereNothingWasPurged) {
  EXPECT_FALSE(answers("app.pdb/" + std::string(kGuid) + "/app.pdb"));
  EXPECT_FALSE(lies_at({"pingme.txt", "pingme.txt"}));
}

TEST_F(Purged, APdbIsBarredPlainPackedOrPointedAtAndWhatIsMadeOfItIsNot) {
  store::FileRecord pdb = file_of("pdb");
  pdb.has_debug = true;
  const std::string id(kGuid);
  purge(pdb, {key_of(KeyKind::debug_id, "app.pdb", kGuid),
              key_of(KeyKind::path, "app.pdb/app.pdb", kGuid)});
  EXPECT_TRUE(answers("app.pdb/" + id + "/app.pdb"));
  EXPECT_TRUE(answers("APP.PDB/" + id + "/App.pdb"));
  EXPECT_TRUE(answers("/p/games/app.pdb/" + id + "/app.pdb")) << "in every project";
  EXPECT_TRUE(answers("app.pdb/" + id + "/app.pd_"));
  EXPECT_FALSE(answers("app.pdb/" + id + "/app.sym"));
  EXPECT_FALSE(answers("app.exe/" + id + "/app.exe"));
  EXPECT_FALSE(answers("app.pdb/1" + id.substr(1) + "/app.pdb"));

  EXPECT_TRUE(lies_at({"App.pdb/" + id + "/App.pdb", "App.pdb"}));
  EXPECT_TRUE(lies_at({"ap/App.pdb/" + id + "/App.pdb", "App.pdb"}));
  EXPECT_TRUE(lies_at({"App.pdb/" + id + "/App.pd_", "App.pdb", true}));
  EXPECT_TRUE(lies_at({"App.pdb/" + id + "/file.ptr", "App.pdb", false, true}));
  EXPECT_FALSE(lies_at({"App.pdb/" + id + "/App.sym", "App.sym"}));
}

TEST_F(Purged, ADebugFileDoesNotBarTheProgramWithItsBuildId) {
  store::FileRecord debug = file_of("elf");
  debug.has_debug = debug.has_symbols = true;
  purge(debug, {key_of(KeyKind::build_id, "app.debug", kBuildId)});
  const std::string at = "buildid/" + std::string(kBuildId);
  EXPECT_TRUE(answers(at + "/debuginfo"));
  EXPECT_TRUE(answers(at + "/section/.debug_info"));
  EXPECT_FALSE(answers(at + "/executable"));
  EXPECT_TRUE(lies_at({at + "/debuginfo", "debuginfo"}));
  EXPECT_FALSE(lies_at({at + "/executable", "executable"}));
}

TEST_F(Purged, WhatNobodyCanReadIsBarredByItsPath) {
  purge(file_of(""), {{SymbolKey::from_text(KeyKind::path, "app.bin/app.bin", kGuid), false}});
  EXPECT_TRUE(answers("app.bin/" + std::string(kGuid) + "/app.bin"));
  EXPECT_FALSE(answers("app.bin/" + std::string(kGuid) + "/other.bin"));
}

TEST_F(Purged, WhatIsLiftedIsBarredNoMore) {
  const store::FileRecord file = file_of("pdb");
  purge(file, {key_of(KeyKind::debug_id, "app.pdb", kGuid)});
  const std::string path = "app.pdb/" + std::string(kGuid) + "/app.pdb";
  EXPECT_TRUE(answers(path));
  const auto ids = stones_.lift(file.sha256, {"test", ""});
  ASSERT_TRUE(ids.ok()) << ids.error().what;
  EXPECT_EQ(ids->size(), 1u);
  EXPECT_FALSE(answers(path));
  ASSERT_TRUE(stones_.reload().ok());
  EXPECT_FALSE(answers(path));
}

}  // namespace
}  // namespace server
