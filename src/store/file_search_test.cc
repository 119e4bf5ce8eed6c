#include "store/file_search.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "store/catalog.h"
#include "store/containers.h"

namespace store {
namespace {

TEST(FilePattern, MatchesAsAShellButAcrossSlashes) {
  struct Row {
    const char* name;
    const char* pattern;
    bool fits;
  };
  for (const Row& row : {
           Row{"/usr/bin/hello", "/usr/bin/hello", true},
           Row{"/usr/bin/hello", "*hello", true},
           Row{"/usr/bin/hello", "*hell", false},
           Row{"/usr/bin/hello", "/usr*", true},
           Row{"/usr/bin/hello", "/usr/?in/hello", true},
           Row{"/usr/bin/hello", "/usr?bin?hello", true},
           Row{"/usr/bin/hello", "*[a-h]ello", true},
           Row{"/usr/bin/hello", "*[^a-h]ello", false},
           Row{"/usr/bin/]", "*[]]", true},
           Row{"/usr/bin/-", "*[a-]", true},
           Row{"/usr/bin/x", "*[x", false},
           Row{"", "*", true},
           Row{"", "", true},
           Row{"x", "", false},
           Row{"", "?", false},
           Row{"aab", "*ab", true},
           Row{"Hello", "hello", false},
       }) {
    EXPECT_EQ(fits_pattern(row.name, row.pattern), row.fits) << row.name << " " << row.pattern;
  }
  // Many stars are no trap.
  EXPECT_FALSE(fits_pattern(std::string(2000, 'a'), std::string(500, '*') + "b"));
  std::string stars;
  for (int i = 0; i < 500; ++i) stars += "*a";
  EXPECT_FALSE(fits_pattern(std::string(2000, 'a'), stars + "b"));
}

class FileSearchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<db::Migration> all = Catalog::migrations();
    const auto& more = Containers::migrations();
    all.insert(all.end(), more.begin(), more.end());
    ASSERT_TRUE(database_->migrate(all).ok());
  }
  static NewFile file(const std::string& name, const std::string& build_id, bool has_code) {
    NewFile added;
    added.file.sha256 = base::sha256_of(base::bytes_of(name + build_id));
    added.file.format = "elf";
    added.file.name = name;
    added.file.has_code = has_code;
    added.file.has_debug = !has_code;
    for (const char* key_name : {"one", "two"}) {
      added.keys.push_back(
          {ident::SymbolKey::from_text(ident::KeyKind::build_id, key_name, build_id), true, false});
    }
    return added;
  }
  void add_container(const std::string& path, Container::Kind kind, const std::string& member,
                     NewFile added) {
    NewContainer container;
    container.container.path = path;
    container.container.kind = kind;
    container.members.push_back({std::move(added), member, 0});
    ASSERT_TRUE(containers_.commit({container}).ok());
  }
  std::string search(FileSearch::By by, const std::string& value,
                     std::chrono::seconds time = std::chrono::seconds(60),
                     const ident::Scope& scope = {}) {
    const auto result =
        search_files(*database_, {by, value, scope}, std::chrono::steady_clock::now() + time);
    if (!result.ok()) return result.error().what;
    std::string text;
    for (const FoundFile& found : result->files) {
      text += found.archive + ":" + found.name + (found.has_code ? "+" : "-") + " ";
    }
    return text + (result->complete ? "" : "...");
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("search").value();
  std::unique_ptr<db::Database> database_ =
      db::Database::open("sqlite:" + root_.path() + "/db").value();
  Catalog catalog_{*database_};
  Containers containers_{*database_, catalog_};
};

TEST_F(FileSearchTest, FindsWatchedFilesMembersAndUploads) {
  add_container("/pool/hello.rpm", Container::Kind::package, "/usr/bin/hello",
                file("hello", "aabb", true));
  add_container("/pool/debug.rpm", Container::Kind::package, "/usr/lib/debug/hello.debug",
                file("hello.debug", "aabb", false));
  add_container("/build/hello", Container::Kind::file, "", file("hello", "ccdd", true));
  ASSERT_TRUE(catalog_.commit({}, {file("hello", "eeff", true)}).ok());
  Upload secret;
  secret.project = "game";
  ASSERT_TRUE(catalog_.commit(secret, {file("hello-secret", "0011", true)}).ok());

  using By = FileSearch::By;
  EXPECT_EQ(search(By::name, "/usr/bin/hello"), "/pool/hello.rpm:/usr/bin/hello+ ");
  EXPECT_EQ(search(By::name, "/build/hello"), ":/build/hello+ ");
  EXPECT_EQ(search(By::name, "hello"), ":hello+ ");
  EXPECT_EQ(search(By::pattern, "*hello"),
            ":/build/hello+ /pool/hello.rpm:/usr/bin/hello+ :hello+ ");
  EXPECT_EQ(search(By::build_id, "AABB"),
            "/pool/hello.rpm:/usr/bin/hello+ /pool/debug.rpm:/usr/lib/debug/hello.debug- ");
  EXPECT_EQ(search(By::build_id, "0011"), "");
  EXPECT_EQ(search(By::pattern, "*secret*"), "");
  EXPECT_EQ(search(By::pattern, "*", std::chrono::seconds(-1)), "...");
}

TEST_F(FileSearchTest, FindsTheFilesOfOneProject) {
  add_container("/pool/hello.rpm", Container::Kind::package, "/usr/bin/hello",
                file("hello", "aabb", true));
  Upload upload;
  upload.project = "game";
  ASSERT_TRUE(catalog_.commit(upload, {file("hello", "aabb", true)}).ok());
  upload.is_try = true;
  ASSERT_TRUE(catalog_.commit(upload, {file("hello-try", "ccdd", true)}).ok());

  using By = FileSearch::By;
  const std::chrono::seconds time(60);
  const ident::Scope game{"game", false};
  EXPECT_EQ(search(By::name, "hello", time, game), ":hello+ ");
  EXPECT_EQ(search(By::build_id, "AABB", time, game), ":hello+ ");
  EXPECT_EQ(search(By::pattern, "*", time, game), ":hello+ ");
  EXPECT_EQ(search(By::pattern, "*", time, {"game", true}), ":hello+ :hello-try+ ");
  EXPECT_EQ(search(By::pattern, "*", time, {"other", true}), "");
  EXPECT_EQ(search(By::pattern, "*"), "/pool/hello.rpm:/usr/bin/hello+ ");
}

}  // namespace
}  // namespace store
