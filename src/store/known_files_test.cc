#include <gtest/gtest.h>

#include "base/file.h"
#include "store/containers.h"
#include "store/transactions.h"
#include "store/uploads.h"
#include "testing/corpus.h"
#include "testing/on_each_engine.h"

namespace store {
namespace {

using ident::KeyKind;
using ident::SymbolKey;

constexpr const char* kBuildId = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

std::string hash_of(const std::string& content) {
  return base::sha256_of(base::bytes_of(content)).hex();
}

class KnownFilesOn : public testing_support::OnEachEngine {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(
        open({Catalog::migrations(), Transactions::migrations(), Containers::migrations()}));
    if (IsSkipped()) return;
    catalog_ = std::make_unique<Catalog>(*database_);
    uploads_ = std::make_unique<Uploads>(*database_);
    transactions_ = std::make_unique<Transactions>(*database_, *catalog_);
  }

  static NewFile file_of(const std::string& content, std::vector<SymbolKey> keys) {
    NewFile file;
    file.file.sha256 = base::sha256_of(base::bytes_of(content));
    file.file.name = content;
    file.path = content;
    for (SymbolKey& key : keys) file.keys.push_back({std::move(key), true});
    return file;
  }
  // A program whose time stamp and size mean nothing without its name, brought to a path.
  static NewFile dll_of(const std::string& name, const std::string& content) {
    NewFile file =
        file_of(content, {SymbolKey::from_text(KeyKind::code_id, name, "12AB34CD5000"),
                          SymbolKey::from_text(KeyKind::path, name + "/" + name, "12AB34CD5000")});
    file.path = name + "/12AB34CD5000/" + name;
    return file;
  }
  void must_upload(const NewFile& file, const Upload& upload = {}) {
    ASSERT_TRUE(catalog_->commit(upload, {file}).ok());
  }
  static Upload upload_to(const std::string& project, bool is_try = false) {
    Upload upload;
    upload.project = project;
    upload.is_try = is_try;
    if (is_try) upload.expires_at = {base::now().us + 1'000'000'000};
    return upload;
  }
  // As `store add` does it.
  std::int64_t must_add(const std::string& name, const std::string& content) {
    Upload upload;
    upload.way = kTransactionWay;
    must_upload(dll_of(name, content), upload);
    TransactionRecord record;
    record.kind = "file";
    record.files.push_back({name, "12AB34CD5000", name, name, "bin", hash_of(content)});
    return transactions_->add(record).value();
  }
  bool is_known(const std::string& content, const std::string& path,
                const ident::Scope& scope = {}) {
    const auto found = uploads_->find_known({{hash_of(content), path}}, scope);
    EXPECT_TRUE(found.ok()) << (found.ok() ? "" : found.error().what);
    return found.ok() && found->at(0).has_value();
  }

  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Uploads> uploads_;
  std::unique_ptr<Transactions> transactions_;
};

INSTANTIATE_TEST_SUITE_P(Engines, KnownFilesOn, testing_support::engines());

// Who is told that his file is here does not send it: what nobody finds must be sent again.
TEST_P(KnownFilesOn, WhatNobodyFindsIsNotKnown) {
  const std::int64_t id = must_add("foo.dll", "1");
  EXPECT_TRUE(is_known("1", ""));
  EXPECT_TRUE(is_known("1", "foo.dll/12AB34CD5000/foo.dll"));
  ASSERT_TRUE(transactions_->remove(id).ok());
  EXPECT_FALSE(is_known("1", ""));
  EXPECT_FALSE(is_known("1", "foo.dll/12AB34CD5000/foo.dll"));
  must_upload(dll_of("foo.dll", "1"));
  EXPECT_TRUE(is_known("1", "foo.dll/12AB34CD5000/foo.dll"));
}

// The bytes are here still: a transaction may name them without their being sent again.
TEST_P(KnownFilesOn, ATransactionMayNameWhatNobodyFinds) {
  ASSERT_TRUE(transactions_->remove(must_add("foo.dll", "1")).ok());
  EXPECT_EQ(transactions_->known({hash_of("1")}).value(), std::set<std::string>{hash_of("1")});
}

// A store upload whose transaction never came is found, but nobody has promised to keep it.
TEST_P(KnownFilesOn, AnUploadForATransactionAloneKeepsNothing) {
  Upload upload;
  upload.way = kTransactionWay;
  must_upload(dll_of("foo.dll", "1"), upload);
  EXPECT_FALSE(is_known("1", ""));
}

TEST_P(KnownFilesOn, EachProjectKnowsItsOwn) {
  must_upload(dll_of("foo.dll", "1"), upload_to("game"));
  EXPECT_TRUE(is_known("1", "", {"game", false}));
  EXPECT_FALSE(is_known("1", ""));
  EXPECT_FALSE(is_known("1", "", {"other", false}));
  must_add("bar.dll", "2");
  EXPECT_FALSE(is_known("2", "", {"game", false})) << "transactions are of the default project";
}

TEST_P(KnownFilesOn, TryBuildsAreKnownToThoseWhoLookThere) {
  must_upload(dll_of("foo.dll", "1"), upload_to("", true));
  EXPECT_FALSE(is_known("1", ""));
  EXPECT_TRUE(is_known("1", "", {"", true}));
  must_upload(dll_of("bar.dll", "2"));
  EXPECT_TRUE(is_known("2", "", {"", true}));
}

TEST_P(KnownFilesOn, ASecondNameIsAskedForByItself) {
  must_upload(dll_of("foo.dll", "1"));
  EXPECT_TRUE(is_known("1", "FOO.DLL/12ab34cd5000/foo.dll"));
  EXPECT_FALSE(is_known("1", "bar.dll/12AB34CD5000/bar.dll"));
  EXPECT_TRUE(is_known("1", "foo.dll"));
  EXPECT_FALSE(is_known("1", "bar.dll"));
  EXPECT_FALSE(is_known("1", "foo.dll/12AB34CD6000/foo.dll"));
  // An id that nothing else can have answers under any name.
  must_upload(file_of("2", {SymbolKey::from_text(KeyKind::build_id, "a.so", kBuildId)}));
  EXPECT_TRUE(is_known("2", std::string("b.so/") + kBuildId + "/b.so"));
  EXPECT_TRUE(is_known("2", "b.so"));
  // Text about a module goes by the module's name.
  NewFile text = dll_of("foo.dll", "3");
  text.file.format = "breakpad_sym";
  must_upload(text);
  EXPECT_TRUE(is_known("3", "foo.sym"));
}

TEST_P(KnownFilesOn, ManyAreAskedForAtOnce) {
  must_upload(dll_of("foo.dll", "1"));
  std::vector<AskedFile> asked(450);
  for (std::size_t i = 0; i < asked.size(); ++i) asked[i].sha256 = hash_of(std::to_string(i));
  const auto found = uploads_->find_known(asked).value();
  ASSERT_EQ(found.size(), asked.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].has_value(), i == 1) << i;
  EXPECT_EQ(found[1]->sha256.hex(), hash_of("1"));
  EXPECT_TRUE(uploads_->find_known({}).value().empty());
}

TEST_P(KnownFilesOn, SaysWhatWasBroughtSince) {
  constexpr std::int64_t kThen = 1'000;
  const auto upload_at = [](std::int64_t at, Upload upload) {
    upload.created_at = {at};
    return upload;
  };
  must_upload(dll_of("old.dll", "1"), upload_at(kThen - 1, {}));
  must_upload(dll_of("new.dll", "2"), upload_at(kThen, {}));
  must_upload(dll_of("old.dll", "1"), upload_at(kThen, upload_to("game")));
  must_upload(dll_of("old.dll", "1"), upload_at(kThen, upload_to("", true)));
  must_add("held.dll", "3");
  std::vector<std::int64_t> files;
  for (const char* content : {"1", "2", "3"}) {
    const auto found = uploads_->find_known({{hash_of(content), ""}}).value();
    ASSERT_TRUE(found.at(0).has_value()) << content;
    files.push_back(found.at(0)->id);
  }
  files.resize(450, 0);  // more than are asked for at once
  const auto since = [&](const ident::Scope& scope) {
    return uploads_->brought_since(files, scope, {kThen}).value();
  };
  EXPECT_EQ(since({}), std::set<std::int64_t>{files[1]}) << "a transaction's upload keeps nothing";
  EXPECT_EQ(since({"", true}), (std::set<std::int64_t>{files[0], files[1]}));
  EXPECT_EQ(since({"game", false}), std::set<std::int64_t>{files[0]});
  EXPECT_TRUE(uploads_->brought_since({}, {}, {kThen}).value().empty());
}

TEST_P(KnownFilesOn, AFileIsListedInItsProjectWhileItIsFound) {
  must_upload(dll_of("foo.dll", "1"), upload_to("game"));
  must_upload(dll_of("try.dll", "2"), upload_to("", true));
  const std::int64_t id = must_add("bar.dll", "3");
  ASSERT_EQ(catalog_->list_files(10)->size(), 1u);
  EXPECT_EQ(catalog_->list_files(10)->front().name, "3");
  EXPECT_EQ(catalog_->list_files(10, 0, {"game", false})->size(), 1u);
  EXPECT_EQ(catalog_->list_files(10, 0, {"", true})->size(), 2u);
  ASSERT_TRUE(transactions_->remove(id).ok());
  EXPECT_TRUE(catalog_->list_files(10)->empty());
}

}  // namespace
}  // namespace store
