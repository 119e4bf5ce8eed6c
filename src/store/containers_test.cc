#include "store/containers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "ident/pointer_place.h"
#include "store/blobs.h"
#include "store/transactions.h"
#include "store/uploads.h"
#include "testing/corpus.h"
#include "testing/on_each_engine.h"

namespace store {
namespace {

using ident::KeyKind;
using ident::SymbolKey;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

base::Sha256 hash_of(const std::string& content) {
  return base::sha256_of(base::bytes_of(content));
}

class ContainersOn : public testing_support::OnEachEngine {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(
        open({Catalog::migrations(), Transactions::migrations(), Containers::migrations()}));
    if (IsSkipped()) return;
    catalog_ = std::make_unique<Catalog>(*database_);
    catalog_->add_removal_listener(
        [this](const std::vector<std::string>& ids) { lost_.insert(ids.begin(), ids.end()); });
    containers_ = std::make_unique<Containers>(*database_, *catalog_);
  }

  // A file whose content and build id are `text`.
  static NewFile file_of(const std::string& text) {
    NewFile file;
    file.file.sha256 = hash_of(text);
    file.file.name = text;
    file.file.format = "elf";
    file.keys.push_back({SymbolKey::from_text(KeyKind::build_id, text, id_of(text)), true});
    return file;
  }
  static std::string id_of(const std::string& text) { return hash_of(text).hex().substr(0, 40); }
  static NewContainer package_of(const std::string& path, const std::vector<std::string>& texts) {
    NewContainer package;
    package.container.path = path;
    package.container.kind = Container::Kind::package;
    package.container.stamp = {10, 20, 30, 40};
    std::uint64_t ordinal = 7;
    for (const std::string& text : texts) {
      package.members.push_back({file_of(text), "/usr/bin/" + text, ordinal++});
    }
    return package;
  }
  std::vector<base::Sha256> must_commit(const std::vector<NewContainer>& containers) {
    const auto contents = containers_->commit(containers);
    EXPECT_TRUE(contents.ok()) << (contents.ok() ? "" : contents.error().what);
    return contents.ok() ? *contents : std::vector<base::Sha256>{};
  }
  std::vector<base::Sha256> must_remove(const std::string& path) {
    const auto contents = containers_->remove({containers_->list().value().at(path).id});
    EXPECT_TRUE(contents.ok()) << (contents.ok() ? "" : contents.error().what);
    return contents.ok() ? *contents : std::vector<base::Sha256>{};
  }
  void must_upload(const std::string& text) {
    Upload upload;
    upload.way = "put";
    upload.created_at = base::now();
    ASSERT_TRUE(catalog_->commit(upload, {file_of(text)}).ok());
  }
  bool finds(const std::string& text) {
    return !catalog_->find({file_of(text).keys.front().key})->at(0).empty();
  }
  std::vector<std::string> paths_below(const std::string& path) {
    std::vector<std::string> paths;
    const auto all = containers_->list(path).value();
    paths.reserve(all.size());
    for (const auto& [name, container] : all) paths.push_back(name);
    return paths;
  }

  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Containers> containers_;
  std::set<std::string> lost_;  // ids that the removal listener heard
};

INSTANTIATE_TEST_SUITE_P(Engines, ContainersOn, testing_support::engines());

TEST_P(ContainersOn, MembersAreFoundByTheirIdsAndTheirOrigin) {
  EXPECT_THAT(must_commit({package_of("/w/a.deb", {"one", "two"})}), IsEmpty());
  EXPECT_TRUE(finds("one"));
  const auto origins = containers_->origins_of(hash_of("two")).value();
  ASSERT_EQ(origins.size(), 1u);
  EXPECT_EQ(origins[0].container.path, "/w/a.deb");
  EXPECT_EQ(origins[0].container.kind, Container::Kind::package);
  EXPECT_EQ(origins[0].container.stamp, (FileStamp{10, 20, 30, 40}));
  EXPECT_EQ(origins[0].member, "/usr/bin/two");
  EXPECT_EQ(origins[0].ordinal, 8u);
}

TEST_P(ContainersOn, WhatIsCommittedAgainReplacesWhatWasThere) {
  must_commit({package_of("/w/a.deb", {"one", "two"})});
  EXPECT_THAT(must_commit({package_of("/w/a.deb", {"two", "three"})}), ElementsAre(hash_of("one")));
  EXPECT_FALSE(finds("one"));
  EXPECT_TRUE(finds("two"));
  EXPECT_TRUE(finds("three"));
  EXPECT_TRUE(lost_.contains(id_of("one")));
  EXPECT_FALSE(lost_.contains(id_of("two")));
}

TEST_P(ContainersOn, AFileGoesWithItsLastContainer) {
  must_commit({package_of("/w/a.deb", {"one"}), package_of("/w/b.deb", {"one"})});
  EXPECT_THAT(must_remove("/w/a.deb"), IsEmpty());
  EXPECT_TRUE(finds("one"));
  EXPECT_THAT(must_remove("/w/b.deb"), ElementsAre(hash_of("one")));
  EXPECT_FALSE(finds("one"));
  EXPECT_THAT(containers_->list().value(), IsEmpty());
}

TEST_P(ContainersOn, WhatWasUploadedAsWellStays) {
  must_commit({package_of("/w/a.deb", {"one"})});
  must_upload("one");
  EXPECT_THAT(must_remove("/w/a.deb"), IsEmpty());
  EXPECT_TRUE(finds("one"));
}

// In the store, too; deleted there, it is the directory's alone again and goes with it.
TEST_P(ContainersOn, ADeletedTransactionKeepsNoWatchedFile) {
  Transactions transactions(*database_, *catalog_);
  must_commit({package_of("/w/a.deb", {"one", "two"})});
  std::vector<std::int64_t> ids;
  for (const std::string& text : std::vector<std::string>{"one", "two"}) {
    Upload upload;
    upload.way = kTransactionWay;
    ASSERT_TRUE(catalog_->commit(upload, {file_of(text)}).ok());
    TransactionRecord record;
    record.files.push_back({text, "1", text, text, "bin", hash_of(text).hex()});
    ids.push_back(transactions.add(record).value());
  }
  ASSERT_TRUE(transactions.remove(ids[0]).ok());
  EXPECT_TRUE(finds("one"));
  EXPECT_THAT(must_remove("/w/a.deb"), ElementsAre(hash_of("one")));
  EXPECT_FALSE(finds("one"));
  EXPECT_TRUE(finds("two")) << "its transaction is there";
}

// Whoever asks whether his file is here, and is told yes, does not send it: so only what stays
// when a package goes may be called known.
// A pointer's text is no key: the same in two directories is one content with two keys.
TEST_P(ContainersOn, APointersKeyGoesWithItsFile) {
  const std::string text = "MSG: withdrawn";
  const auto pointer_at = [&](const std::string& path) {
    NewContainer one;
    one.container.path = path;
    NewFile file;
    file.file.sha256 = hash_of(text);
    file.file.name = "file.ptr";
    file.keys.push_back({ident::path_key(*ident::find_pointer_place(path)), false});
    one.members.push_back({file, "", 0});
    return one;
  };
  const auto finds_key = [&](const std::string& path) {
    return !catalog_->find({ident::path_key(*ident::find_pointer_place(path))})->at(0).empty();
  };
  const std::string one = "/w/a.pdb/AA1/file.ptr";
  const std::string other = "/w/b.pdb/BB1/file.ptr";
  const std::string twin = "/w/tree/b.pdb/BB1/file.ptr";
  must_commit({pointer_at(one), pointer_at(other), pointer_at(twin)});
  EXPECT_TRUE(finds_key(one));
  EXPECT_THAT(must_remove(one), IsEmpty());
  EXPECT_FALSE(finds_key(one));
  EXPECT_TRUE(lost_.contains("aa1"));
  EXPECT_TRUE(finds_key(other));
  must_remove(other);
  EXPECT_TRUE(finds_key(twin)) << "the same key lies elsewhere, too";
  EXPECT_THAT(must_remove(twin), ElementsAre(hash_of(text)));
  EXPECT_FALSE(finds_key(twin));

  // Written anew with other words.
  must_commit({pointer_at(one), pointer_at(other)});
  NewContainer changed;
  changed.container.path = one;
  must_commit({changed});
  EXPECT_FALSE(finds_key(one));
  EXPECT_TRUE(finds_key(other));
}

TEST_P(ContainersOn, WhatOnlyAPackageHasIsNotKnownToUploaders) {
  Transactions transactions(*database_, *catalog_);
  Uploads uploads(*database_);
  must_commit({package_of("/w/a.deb", {"one", "two"})});
  must_upload("two");
  for (const std::string& text : std::vector<std::string>{"one", "two"}) {
    ASSERT_TRUE(uploads.keep_digest("sha1", "digest of " + text, hash_of(text)).ok());
  }
  EXPECT_THAT(transactions.known({hash_of("one").hex(), hash_of("two").hex()}).value(),
              ElementsAre(hash_of("two").hex()));
  const auto known = uploads.find_known({{hash_of("one").hex(), ""}, {hash_of("two").hex(), ""}});
  EXPECT_FALSE(known->at(0).has_value());
  EXPECT_TRUE(known->at(1).has_value());
  EXPECT_FALSE(uploads.find_by_digest("sha1", "digest of one", {}).value().has_value());
  EXPECT_TRUE(uploads.find_by_digest("sha1", "digest of two", {}).value().has_value());
}

TEST_P(ContainersOn, ListsOneFileOrWhatIsBelowADirectory) {
  for (const std::string& path :
       std::vector<std::string>{"/w/a", "/w/a/x.deb", "/w/a/ü/y.deb", "/w/ab.deb", "/w/A/z.deb",
                                "/w/%/x.deb", "/w/ü/v.deb"}) {
    must_commit({package_of(path, {path.substr(3)})});
  }
  EXPECT_THAT(paths_below("/w/a"), UnorderedElementsAre("/w/a", "/w/a/x.deb", "/w/a/ü/y.deb"));
  EXPECT_THAT(paths_below("/w/ab.deb"), ElementsAre("/w/ab.deb"));
  EXPECT_THAT(paths_below("/w/%"), ElementsAre("/w/%/x.deb"));
  EXPECT_THAT(paths_below("/w/ü"), ElementsAre("/w/ü/v.deb"));
  EXPECT_THAT(paths_below("/nowhere"), IsEmpty());
  EXPECT_EQ(containers_->list().value().size(), 7u);
}

TEST_P(ContainersOn, ListsEveryContentAndEveryPack) {
  NewContainer package = package_of("/w/a.deb", {"one", "two"});
  package.container.pack = hash_of("pack");
  must_commit({package});
  std::set<std::string> all;
  ASSERT_TRUE(
      containers_->list_hashes([&](const base::Sha256& hash) { all.insert(hash.hex()); }).ok());
  EXPECT_THAT(
      all, UnorderedElementsAre(hash_of("one").hex(), hash_of("two").hex(), hash_of("pack").hex()));
  EXPECT_THAT(must_remove("/w/a.deb"),
              UnorderedElementsAre(hash_of("one"), hash_of("two"), hash_of("pack")));
}

TEST_P(ContainersOn, ASourceComesFromThePackageMostLikeTheModules) {
  must_commit({package_of("/w/hello-dbg_1.0.deb", {"hello"})});
  std::uint64_t at = 1;
  for (const std::string& path :
       std::vector<std::string>{"/w/other-src_2.0.deb", "/w/hello-src_1.0.deb"}) {
    NewContainer sources = package_of(path, {});
    sources.sources.push_back({"/usr/src/hello/hello.c", at++, 10, 20, 3, 4});
    must_commit({sources});
  }
  const auto found = containers_->find_source(id_of("hello"), "/usr/src/hello/hello.c").value();
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->container.path, "/w/hello-src_1.0.deb");
  EXPECT_EQ(found->source.at, 2u);
  EXPECT_EQ(found->source.packed_size, 10u);
  EXPECT_EQ(found->source.plain_size, 20u);
  EXPECT_EQ(found->source.skip, 3u);
  EXPECT_EQ(found->source.size, 4u);
  EXPECT_FALSE(containers_->find_source(id_of("hello"), "/etc/passwd").value().has_value());
  EXPECT_FALSE(containers_->find_source(id_of("x"), "/usr/src/hello/hello.c").value().has_value());
}

// As ingest does it: the file and its package's sources in one transaction.
class UploadedPackagesOn : public ContainersOn {
 protected:
  std::int64_t must_keep(const std::string& package, const std::string& file,
                         const Upload& scoped = {}) {
    Upload upload = scoped;
    upload.file_name = package;
    upload.created_at = {1000};
    std::vector<NewFile> files;
    if (!file.empty()) {
      files.push_back(file_of(file));
      files.back().member = "/usr/bin/" + file;
    }
    Container container;
    container.pack = hash_of("pack of " + package);
    const auto committed = catalog_->commit(
        upload, files, [&](db::Session& session, std::int64_t upload_id) -> base::Result<void> {
          return containers_->keep_uploaded(session, upload_id, upload, container,
                                            {{"/usr/src/hello.c", 1, 10, 20, 3, 4}});
        });
    EXPECT_TRUE(committed.ok()) << (committed.ok() ? "" : committed.error().what);
    return committed.ok() ? committed->upload_id : 0;
  }
  std::string source_for(const std::string& file, const ident::Scope& scope = {}) {
    const auto found = containers_->find_source(id_of(file), "/usr/src/hello.c", scope).value();
    return found ? found->container.path : "";
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, UploadedPackagesOn, testing_support::engines());

TEST_P(UploadedPackagesOn, AreSeenByTheirProjectAlone) {
  Upload secret;
  secret.project = "secret";
  const std::int64_t id = must_keep("hello.rpm", "hello", secret);
  EXPECT_EQ(source_for("hello", {"secret", false}), std::to_string(id) + "/hello.rpm");
  EXPECT_EQ(source_for("hello"), "");
  const auto origin = containers_->uploaded_origin_of(hash_of("hello"), {"secret", false}).value();
  ASSERT_TRUE(origin.has_value());
  EXPECT_EQ(origin->archive, "hello.rpm");
  EXPECT_EQ(origin->member, "/usr/bin/hello");
  EXPECT_FALSE(containers_->uploaded_origin_of(hash_of("hello"), {}).value().has_value());
  // The same symbols in everybody's project do not open the other's sources.
  must_keep("mine.rpm", "hello");
  EXPECT_TRUE(source_for("hello").ends_with("/mine.rpm"));
}

TEST_P(UploadedPackagesOn, GiveTheSourceOfTheSameUploadOrOfTheLikestName) {
  must_keep("other-debugsource-1.rpm", "");
  must_keep("hello-debugsource-1.rpm", "");
  must_commit({package_of("/w/hello-debuginfo-1.rpm", {"hello"})});
  EXPECT_TRUE(source_for("hello").ends_with("/hello-debugsource-1.rpm"));
  const std::int64_t own = must_keep("zzz.rpm", "hello");
  EXPECT_EQ(source_for("hello"), std::to_string(own) + "/zzz.rpm");
  EXPECT_THAT(paths_below(""), ElementsAre("/w/hello-debuginfo-1.rpm"));  // the scan's matter
}

TEST_P(UploadedPackagesOn, SourcesOfATryBuildExpire) {
  Upload of_try;
  of_try.is_try = true;
  of_try.expires_at = {5000};
  must_keep("try.rpm", "hello", of_try);
  EXPECT_NE(source_for("hello", {"", true}), "");
  EXPECT_EQ(source_for("hello"), "");
  EXPECT_THAT(containers_->expire_try({4999}).value(), IsEmpty());
  EXPECT_THAT(containers_->expire_try({5000}).value(),
              UnorderedElementsAre(hash_of("pack of try.rpm")));
  EXPECT_EQ(source_for("hello", {"", true}), "");
}

}  // namespace
}  // namespace store
