#include "store/tombstones.h"

#include <gtest/gtest.h>

#include "store/containers.h"
#include "store/content_rows.h"
#include "testing/on_each_engine.h"

namespace store {
namespace {

class TombstonesOn : public testing_support::OnEachEngine {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(open({Catalog::migrations(), Containers::migrations()}));
    if (IsSkipped()) return;
    catalog_ = std::make_unique<Catalog>(*database_);
    stones_ = std::make_unique<Tombstones>(*database_);
  }
  static base::Sha256 hash_of(const std::string& content) {
    return base::sha256_of(base::bytes_of(content));
  }
  static NewFile file_of(const std::string& content) {
    NewFile file;
    file.file.sha256 = hash_of(content);
    file.file.name = content;
    file.path = content;
    file.keys.push_back(
        {ident::SymbolKey::from_text(ident::KeyKind::build_id, content, hash_of(content).hex()),
         true});
    return file;
  }
  // As a purge does it.
  void must_purge(const std::string& content) {
    std::vector<std::string> ids;
    const auto purged = database_->write([&](db::Session& session) -> base::Result<void> {
      TRY(Tombstones::put(session, {hash_of(content), base::now(), "test", content, 3}));
      TRY(drop_content(session, hash_of(content), ids));
      return {};
    });
    ASSERT_TRUE(purged.ok()) << purged.error().what;
  }

  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Tombstones> stones_;
};

TEST_P(TombstonesOn, RefuseTheContentUntilTheyAreLifted) {
  ASSERT_TRUE(catalog_->commit({}, {file_of("secret"), file_of("good")}).ok());
  must_purge("secret");
  EXPECT_FALSE(catalog_->has(hash_of("secret")).value());
  EXPECT_TRUE(catalog_->has(hash_of("good")).value());

  // Another process' memory knows nothing yet: the transaction does.
  const auto again = catalog_->commit({}, {file_of("new"), file_of("secret")});
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().fault, base::Fault::denied);
  EXPECT_FALSE(catalog_->has(hash_of("new")).value()) << "all of an upload, or none";

  EXPECT_TRUE(stones_->refuse(hash_of("secret")).ok());
  ASSERT_TRUE(stones_->reload().ok());
  EXPECT_FALSE(stones_->refuse(hash_of("secret")).ok());
  EXPECT_TRUE(stones_->refuse(hash_of("good")).ok());
  ASSERT_EQ(stones_->list().value().size(), 1u);
  EXPECT_EQ(stones_->list().value().front().name, "secret");

  ASSERT_TRUE(stones_->lift(hash_of("secret"), {"test", ""}).ok());
  EXPECT_TRUE(stones_->refuse(hash_of("secret")).ok());
  EXPECT_TRUE(catalog_->commit({}, {file_of("secret")}).ok());
  EXPECT_EQ(stones_->lift(hash_of("secret"), {"test", ""}).error().fault, base::Fault::not_found);
}

TEST_P(TombstonesOn, KnowTheKeysOfWhatWasPurged) {
  NewFile secret = file_of("secret");
  secret.file.format = "elf";
  secret.file.has_debug = true;
  secret.keys.push_back(
      {ident::SymbolKey::from_text(ident::KeyKind::path, "secret/secret", "7"), false});
  const auto build_id = [](const std::string& name, const std::string& content) {
    return ident::SymbolKey::from_text(ident::KeyKind::build_id, name, hash_of(content).hex());
  };
  const auto path = [](const std::string& name) {
    return ident::SymbolKey::from_text(ident::KeyKind::path, name, "7");
  };
  ASSERT_TRUE(catalog_->commit({}, {secret, file_of("good")}).ok());
  Upload elsewhere;
  elsewhere.project = "games";
  ASSERT_TRUE(catalog_->commit(elsewhere, {secret}).ok());
  must_purge("secret");
  EXPECT_TRUE(stones_->find(build_id("secret", "secret")).empty()) << "it is not read yet";
  ASSERT_TRUE(stones_->reload().ok());
  const auto found = stones_->find(build_id("other name", "secret"));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found.front().file.sha256, hash_of("secret"));
  EXPECT_EQ(found.front().file.format, "elf");
  EXPECT_TRUE(found.front().file.has_debug);
  EXPECT_FALSE(found.front().file.has_code);
  EXPECT_TRUE(found.front().key.verified);
  ASSERT_EQ(stones_->find(path("secret/secret")).size(), 1u);
  EXPECT_FALSE(stones_->find(path("secret/secret")).front().key.verified);
  EXPECT_TRUE(stones_->find(path("other/other")).empty());
  EXPECT_TRUE(stones_->find(build_id("good", "good")).empty());
  EXPECT_EQ(stones_->find_stone(hash_of("secret")).value().value().size, 3u);
  EXPECT_FALSE(stones_->find_stone(hash_of("good")).value().has_value());
}

TEST_P(TombstonesOn, LearnTheKeysOfWhatWasNeverHere) {
  NewFile secret = file_of("secret");
  secret.file.size = 12;
  const auto& key = secret.keys.front().key;
  ASSERT_TRUE(stones_->learn(secret.file, secret.keys).ok());
  EXPECT_TRUE(stones_->find(key).empty()) << "it is not purged";
  must_purge("secret");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(stones_->learn(secret.file, secret.keys).ok());
  EXPECT_EQ(stones_->find(key).size(), 1u);
  EXPECT_EQ(stones_->find_stone(hash_of("secret")).value().value().size, 12u);
  const auto ids = stones_->lift(hash_of("secret"), {"test", ""});
  ASSERT_TRUE(ids.ok()) << ids.error().what;
  EXPECT_EQ(*ids, std::vector<std::string>{key.id});
  EXPECT_TRUE(stones_->find(key).empty());
}

TEST_P(TombstonesOn, LetThePackageAroundAPurgedFileIn) {
  must_purge("secret");
  Containers containers(*database_, *catalog_);
  NewContainer package;
  package.container.path = "/watched/a.deb";
  package.container.kind = Container::Kind::package;
  package.members.push_back({file_of("secret"), "/usr/bin/secret", 1});
  package.members.push_back({file_of("good"), "/usr/bin/good", 2});
  const auto kept = containers.commit({package});
  ASSERT_TRUE(kept.ok()) << kept.error().what;
  EXPECT_FALSE(catalog_->has(hash_of("secret")).value());
  EXPECT_EQ(containers.origins_of(hash_of("good")).value().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Engines, TombstonesOn, testing_support::engines());

}  // namespace
}  // namespace store
