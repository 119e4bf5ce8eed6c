#include "symstore/tree.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "testing/corpus.h"

namespace symstore {
namespace {

using base::Fault;

std::string must_read(const base::Fd& fd) {
  return base::read_file("/proc/self/fd/" + std::to_string(fd.get())).value();
}

// A tree by hand, in a directory of its own with a secret beside it.
struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("symstore-test").value();
  std::string store = root.path() + "/store";

  Place() {
    write("store/000Admin/server.txt", "");
    write("secret.txt", "secret");
  }
  void write(const std::string& path, std::string_view text) const {
    ASSERT_TRUE(
        base::write_file_durably(base::join_path(root.path(), path), base::bytes_of(text)).ok());
  }
  Held find(const std::string& name, const std::string& id, const PointerRoots& roots = {}) const {
    const Tree tree = Tree::open(store).value();
    auto held = tree.find(name, id, roots);
    EXPECT_TRUE(held.ok());
    return held.ok() && *held ? std::move(**held) : Held{};
  }
};

TEST(SymstoreTree, NeedsItsAdministration) {
  const Place place;
  EXPECT_TRUE(Tree::open(place.store).ok());
  EXPECT_EQ(Tree::open(place.root.path()).error().fault, Fault::not_found);
}

TEST(SymstoreTree, FindsWithoutRegardToCase) {
  const Place place;
  place.write("store/Foo.PDB/ABCa/foo.pdb", "x");
  EXPECT_EQ(must_read(place.find("foo.pdb", "abcA").file), "x");
  EXPECT_FALSE(Tree::open(place.store)->find("foo.pdb", "abcb").value());
}

TEST(SymstoreTree, AFileIsReadOnlyBeneathTheTree) {
  const Place place;
  place.write("store/foo.pdb/1/refs.ptr", "");
  ASSERT_EQ(::symlink("../../../secret.txt", (place.store + "/foo.pdb/1/foo.pdb").c_str()), 0);
  const Held held = place.find("foo.pdb", "1");
  EXPECT_FALSE(held.file.valid());
  EXPECT_NE(held.problem.find("leads out"), std::string::npos) << held.problem;
}

TEST(SymstorePointer, IsFollowedInsideTheStore) {
  const Place place;
  place.write("store/files/foo.pdb", "inside");
  place.write("store/foo.pdb/1/file.ptr", "PATH:..\\..\\files\\foo.pdb\r\n");
  place.write("store/foo.pdb/2/file.ptr", place.store + "/files/foo.pdb");
  EXPECT_EQ(must_read(place.find("foo.pdb", "1").file), "inside");
  EXPECT_EQ(must_read(place.find("foo.pdb", "2").file), "inside");
}

TEST(SymstorePointer, LeadsOutOnlyWhereItMay) {
  const Place place;
  place.write("other/foo.pdb", "other");
  place.write("store/foo.pdb/1/file.ptr", "..\\..\\..\\other\\foo.pdb");
  EXPECT_FALSE(place.find("foo.pdb", "1").file.valid());
  PointerRoots roots;
  roots.directories.push_back(place.root.path() + "/other");
  EXPECT_EQ(must_read(place.find("foo.pdb", "1", roots).file), "other");
}

TEST(SymstorePointer, HostileTargetsAreRefused) {
  const Place place;
  place.write("other/foo.pdb", "other");
  ASSERT_EQ(::symlink("../../secret.txt", (place.store + "/link").c_str()), 0);
  ASSERT_EQ(::symlink("/etc", (place.store + "/etc").c_str()), 0);
  ASSERT_EQ(::mkfifo((place.store + "/pipe").c_str(), 0600), 0);
  PointerRoots roots;
  roots.shares.push_back({"\\\\files\\drop", place.root.path() + "/other"});
  for (const std::string target :
       {"../../../secret.txt", "/etc/passwd", "..\\..\\link", "..\\..\\etc\\passwd",
        "..\\..\\..\\..\\..\\..\\..\\..\\etc\\passwd", "C:\\Windows\\system.ini",
        "\\\\files\\drop\\..\\secret.txt", "//files/drop/../secret.txt", "\\\\files\\dropped\\x",
        "\\\\other\\share\\x", "..\\..\\pipe", "", "..\\..", "MSG: gone", "\\\\?\\C:\\x"}) {
    place.write("store/foo.pdb/1/file.ptr", target);
    const Held held = place.find("foo.pdb", "1", roots);
    EXPECT_FALSE(held.file.valid()) << target;
    EXPECT_NE(held.problem, "") << target;
  }
  place.write("store/foo.pdb/1/file.ptr", "\\\\FILES\\Drop\\foo.pdb");
  EXPECT_EQ(must_read(place.find("foo.pdb", "1", roots).file), "other");
}

TEST(SymstorePointer, TheLongestShareCounts) {
  const Place place;
  place.write("whole/foo.pdb", "of the whole");
  place.write("whole/deep/foo.pdb", "hidden by the part");
  place.write("part/foo.pdb", "of the part");
  PointerRoots roots;
  roots.shares.push_back({"\\\\files\\drop", place.root.path() + "/whole"});
  roots.shares.push_back({"\\\\files\\drop\\deep", place.root.path() + "/part"});
  for (int order = 0; order < 2; ++order) {
    place.write("store/foo.pdb/1/file.ptr", "\\\\files\\drop\\foo.pdb");
    place.write("store/foo.pdb/2/file.ptr", "\\\\files\\drop\\Deep\\foo.pdb");
    place.write("store/foo.pdb/3/file.ptr", "\\\\files\\drop\\deep");
    EXPECT_EQ(must_read(place.find("foo.pdb", "1", roots).file), "of the whole");
    EXPECT_EQ(must_read(place.find("foo.pdb", "2", roots).file), "of the part");
    EXPECT_FALSE(place.find("foo.pdb", "3", roots).file.valid()) << "a share is no file";
    std::swap(roots.shares.front(), roots.shares.back());
  }
}

TEST(SymstoreTree, ReadsTheCorpus) {
  REQUIRE_CORPUS(corpus);
  const std::string stores = corpus + "/symbols/store";
  const auto expected =
      base::JsonValue::parse(base::read_file(stores + "/expected.json").value()).value();
  for (const auto& [name, facts] : *expected.object()) {
    const Tree tree = Tree::open(fmt::format("{}/{}", stores, name)).value();
    EXPECT_EQ(tree.tiers() == Tiers::two, name == "two-tier");
    EXPECT_EQ(tree.last_id().value(), static_cast<std::uint64_t>(facts["last_id"].integer_or(0)));
    const auto current = tree.current().value();
    ASSERT_EQ(current.size(), facts["current_transactions"].size()) << name;
    for (std::size_t i = 0; i < current.size(); ++i) {
      EXPECT_EQ(current[i].id,
                static_cast<std::uint64_t>(facts["current_transactions"].at(i).integer_or(0)));
      EXPECT_TRUE(tree.members(current[i].id).ok());
    }
    PointerRoots roots;
    roots.directories.push_back(stores);
    for (std::size_t i = 0; i < facts["gets"].size(); ++i) {
      const base::JsonValue& get = facts["gets"].at(i);
      const auto parts = base::split(get["path"].text_or(""), '/');
      const std::string_view file = parts.at(2);
      const bool plain = base::equal_ignoring_case(file, parts[0]);
      if (!plain || get["note"].text_or("").starts_with("LLDB")) continue;
      const auto held = tree.find(std::string(parts[0]), std::string(parts[1]), roots).value();
      EXPECT_EQ(held && held->file.valid(), get["status"].integer_or(0) == 200)
          << name << " " << get["path"].text_or("") << (held ? held->problem : "none");
      const std::string_view hash = get["sha256"].text_or("");
      if (!held || hash.empty() || held->compressed) continue;
      EXPECT_EQ(base::sha256_of(base::bytes_of(must_read(held->file))).hex(), hash);
    }
  }
}

}  // namespace
}  // namespace symstore
