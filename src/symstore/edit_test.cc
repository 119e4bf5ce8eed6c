#include "symstore/edit.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <map>
#include <thread>

#include "formats/archive/cab.h"
#include "symstore/index_of.h"
#include "testing/corpus.h"

namespace symstore {
namespace {

using base::Fault;

struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("symstore-edit").value();
  std::string store = root.path() + "/store";

  Place() { ::setenv("TZ", "UTC", 1); }
  std::string write(const std::string& name, std::string_view text) const {
    std::string path = base::join_path(root.path(), name);
    EXPECT_TRUE(base::write_file_durably(path, base::bytes_of(text)).ok());
    return path;
  }
  std::string read(const std::string& name) const {
    return base::read_file(base::join_path(store, name)).value_or("(none)");
  }
  bool has(const std::string& name) const {
    return base::file_exists(base::join_path(store, name));
  }
  Editor editor(Editor::Create create = Editor::Create::one_tier) const {
    return Editor::open(store, create).value();
  }
};

// 2016-09-06 10:34:19 UTC
constexpr base::Time kThen{1'473'158'059'000'000};

NewTransaction wanted(const std::string& product, Kind kind = Kind::file, bool compress = false) {
  NewTransaction transaction;
  transaction.product = product;
  transaction.kind = kind;
  transaction.compress = compress;
  transaction.now = kThen;
  return transaction;
}

TEST(SymstoreEditor, AddsAsMicrosoftsToolDoes) {
  const Place place;
  const NewMember foo{"foo.pdb", "ABC1", "C:\\build\\foo.pdb", place.write("foo", "foo"),
                      Form::private_symbols};
  const NewMember bar{"bar.dll", "5A0BC0C6c83000", "C:\\build\\bar.dll", place.write("bar", "bar"),
                      Form::binary};
  const auto added = place.editor().add(wanted("prod"), {foo, bar});
  ASSERT_TRUE(added.ok()) << added.error().what;
  const std::string line = R"(0000000001,add,file,09/06/2016,10:34:19,"prod","","",)";
  EXPECT_EQ(place.read("000Admin/server.txt"), line + "\r\n");
  EXPECT_EQ(place.read("000Admin/history.txt"), line);
  EXPECT_EQ(place.read("000Admin/lastid.txt"), "0000000001");
  EXPECT_EQ(place.read("000Admin/0000000001"),
            "\"foo.pdb\\ABC1\",\"C:\\build\\foo.pdb\"\r\n"
            "\"bar.dll\\5A0BC0C6c83000\",\"C:\\build\\bar.dll\"\r\n");
  EXPECT_EQ(place.read("foo.pdb/ABC1/foo.pdb"), "foo");
  EXPECT_EQ(place.read("foo.pdb/ABC1/refs.ptr"), R"(0000000001,file,"C:\build\foo.pdb",pri,,N,,)");
  EXPECT_EQ(place.read("bar.dll/5A0BC0C6c83000/refs.ptr"),
            R"(0000000001,file,"C:\build\bar.dll",bin,,N,,)");
  EXPECT_EQ(place.read("pingme.txt"), "");
  EXPECT_FALSE(place.has("index2.txt"));
}

TEST(SymstoreEditor, AFileGoesWithItsLastTransaction) {
  const Place place;
  const std::string path = place.write("foo", "foo");
  const NewMember foo{"foo.pdb", "ABC1", "a", path, Form::public_symbols};
  const NewMember bar{"bar.pdb", "ABC1", "b", path, Form::public_symbols};
  ASSERT_TRUE(place.editor().add(wanted("one"), {foo, bar}).ok());
  ASSERT_TRUE(place.editor().add(wanted("two"), {foo}).ok());
  EXPECT_EQ(place.read("foo.pdb/ABC1/refs.ptr"),
            "0000000001,file,\"a\",pub,,N,,\r\n0000000002,file,\"a\",pub,,N,,");

  ASSERT_TRUE(place.editor().remove(1).ok());
  EXPECT_FALSE(place.has("bar.pdb"));
  EXPECT_EQ(place.read("foo.pdb/ABC1/foo.pdb"), "foo");
  EXPECT_EQ(place.read("foo.pdb/ABC1/refs.ptr"), "0000000002,file,\"a\",pub,,N,,");
  EXPECT_TRUE(place.has("000Admin/0000000001.deleted"));
  EXPECT_EQ(place.editor().remove(1).error().fault, Fault::not_found);

  const auto deletion = place.editor().remove(2);
  ASSERT_TRUE(deletion.ok());
  EXPECT_EQ(deletion->line(), "0000000004,del,0000000002");
  EXPECT_FALSE(place.has("foo.pdb"));
  EXPECT_EQ(place.read("000Admin/server.txt"), "");
  EXPECT_TRUE(place.read("000Admin/history.txt")
                  .ends_with(",\r\n0000000003,del,0000000001\r\n"
                             "0000000004,del,0000000002"));
  EXPECT_EQ(place.read("000Admin/lastid.txt"), "0000000004");
}

TEST(SymstoreEditor, CompressesAndReplacesTheOtherForm) {
  const Place place;
  const NewMember foo{"foo.pdb", "ABC1", "a", place.write("foo", "foo"), Form::public_symbols};
  ASSERT_TRUE(place.editor().add(wanted("one"), {foo}).ok());
  ASSERT_TRUE(place.editor().add(wanted("two", Kind::file, true), {foo}).ok());
  EXPECT_FALSE(place.has("foo.pdb/ABC1/foo.pdb"));
  std::string plain;
  const std::string cab = place.read("foo.pdb/ABC1/foo.pd_");
  const auto member = archive::expand_cab(base::bytes_of(cab), {}, [&](base::Bytes piece) {
    plain += base::text_of(piece);
    return base::Result<void>();
  });
  ASSERT_TRUE(member.ok());
  EXPECT_EQ(plain, "foo");
  EXPECT_TRUE(place.read("foo.pdb/ABC1/refs.ptr").ends_with("pub,,Y,,"));
}

TEST(SymstoreEditor, ThePointerThatIsLeftTakesOver) {
  const Place place;
  const NewMember one{"foo.pdb", "ABC1", "\\\\a\\b\\foo.pdb", "", Form::public_symbols};
  const NewMember two{"foo.pdb", "ABC1", "\\\\c\\d\\foo.pdb", "", Form::public_symbols};
  ASSERT_TRUE(place.editor().add(wanted("one", Kind::pointer), {one}).ok());
  ASSERT_TRUE(place.editor().add(wanted("two", Kind::pointer), {two}).ok());
  EXPECT_EQ(place.read("foo.pdb/ABC1/file.ptr"), "\\\\c\\d\\foo.pdb");
  ASSERT_TRUE(place.editor().remove(2).ok());
  EXPECT_EQ(place.read("foo.pdb/ABC1/file.ptr"), "\\\\a\\b\\foo.pdb");
  ASSERT_TRUE(place.editor().remove(1).ok());
  EXPECT_FALSE(place.has("foo.pdb"));
}

TEST(SymstoreEditor, ATreeKeepsItsTiers) {
  const Place place;
  const NewMember foo{"foo.pdb", "ABC1", "a", place.write("foo", "foo"), Form::public_symbols};
  ASSERT_TRUE(place.editor(Editor::Create::two_tiers).add(wanted("one"), {foo}).ok());
  ASSERT_TRUE(place.editor(Editor::Create::one_tier).add(wanted("two"), {foo}).ok());
  EXPECT_TRUE(place.has("index2.txt"));
  EXPECT_EQ(place.read("fo/foo.pdb/ABC1/foo.pdb"), "foo");
  EXPECT_FALSE(place.has("foo.pdb"));
}

TEST(SymstoreEditor, ATransactionThatFailsLeavesNothing) {
  const Place place;
  const NewMember good{"foo.pdb", "1", "a", place.write("foo", "foo"), Form::binary};
  const NewMember lost{"bar.pdb", "1", "b", place.root.path() + "/absent", Form::binary};
  EXPECT_FALSE(place.editor().add(wanted("one"), {good, lost}).ok());
  EXPECT_FALSE(place.has("foo.pdb"));
  EXPECT_FALSE(place.has("bar.pdb"));
  EXPECT_FALSE(place.has("000Admin/0000000001"));
  EXPECT_FALSE(place.has("000Admin/server.txt"));
  // Its number is spent, as with symstore.exe.
  EXPECT_EQ(place.editor().add(wanted("two"), {good})->id, 2u);
}

TEST(SymstoreEditor, RefusesNamesThatClimb) {
  const Place place;
  const std::string path = place.write("foo", "foo");
  for (const auto& [name, id] : std::map<std::string, std::string>{
           {"..", "1"}, {"a/b", "1"}, {"a\\b", "1"}, {"a", ".."}, {"b", "x y"}, {"", "1"}}) {
    const auto refused = place.editor().add(wanted("one"), {{name, id, "a", path, Form::binary}});
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_EQ(refused.error().fault, Fault::malformed);
  }
}

TEST(SymstoreEditor, AnotherWriterIsWaitedForOrReported) {
  const Place place;
  const NewMember foo{"foo.pdb", "1", "a", place.write("foo", "foo"), Form::binary};
  {
    const Editor first = place.editor();
    const auto second =
        Editor::open(place.store, Editor::Create::no, std::chrono::milliseconds(10));
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().fault, Fault::unavailable);
  }
  // A foreign writer that takes no lock: its number is not used again.
  ASSERT_TRUE(place.editor().add(wanted("one"), {foo}).ok());
  ASSERT_TRUE(base::write_file_durably(place.store + "/000Admin/0000000002", {}).ok());
  EXPECT_EQ(place.editor().add(wanted("two"), {foo})->id, 3u);
}

TEST(SymstoreEditor, ManyAtOnceGetNumbersOfTheirOwn) {
  const Place place;
  const std::string path = place.write("foo", "foo");
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&place, path, i] {
      const NewMember foo{"foo.pdb", std::to_string(i % 2), "a", path, Form::binary};
      EXPECT_TRUE(place.editor().add(wanted("p" + std::to_string(i)), {foo}).ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto current = Tree::open(place.store)->current().value();
  ASSERT_EQ(current.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(current[i].id, i + 1);
}

// What Microsoft's tool wrote, done again: the same transactions on the same files give the same
// bytes in 000Admin and refs.ptr.
struct Replay {
  std::string original;
  Place place;
  Tree tree = Tree::open(original).value();

  NewMember member_of(const Member& member, std::uint64_t id) const {
    NewMember added{member.name, member.id, member.source, "", Form::binary};
    const auto held = tree.find(member.name, member.id).value();
    if (!held) {
      added.path = place.write("gone", "gone");
      return added;
    }
    const std::string plain = original + "/" + held->directory + "/" + member.name;
    if (base::file_exists(plain)) added.path = plain;
    for (const Reference& reference : held->references) {
      if (reference.transaction == id) added.form = reference.form;
    }
    if (!added.path.empty() || held->problem != "") return added;
    const auto cab = base::MappedFile::open(held->path).value();
    std::string content;
    EXPECT_TRUE(archive::expand_cab(cab->bytes(), {}, [&](base::Bytes piece) {
                  content += base::text_of(piece);
                  return base::Result<void>();
                }).ok());
    added.path = place.write("expanded", content);
    return added;
  }
  void add(const Transaction& transaction) {
    const std::string file = tree.admin(digits_of(transaction.id));
    const std::string text =
        base::read_file(base::file_exists(file) ? file : file + ".deleted").value();
    const auto members = parse_members(text).value();
    NewTransaction again;
    again.kind = transaction.kind;
    again.product = transaction.product;
    again.version = transaction.version;
    again.comment = transaction.comment;
    again.now = time_of(transaction).value();
    std::vector<NewMember> added;
    for (const Member& member : members) {
      added.push_back(member_of(member, transaction.id));
      const auto held = tree.find(member.name, member.id).value();
      again.compress = again.compress || (held && held->compressed);
    }
    const auto create =
        tree.tiers() == Tiers::two ? Editor::Create::two_tiers : Editor::Create::one_tier;
    const auto done = place.editor(create).add(again, added);
    ASSERT_TRUE(done.ok()) << done.error().what;
    EXPECT_EQ(done->id, transaction.id);
  }
  void run() {
    const auto history = tree.history().value();
    for (const Transaction& transaction : history) {
      if (!transaction.is_delete) {
        add(transaction);
      } else {
        ASSERT_TRUE(place.editor().remove(transaction.deletes).ok());
      }
    }
  }
};

TEST(SymstoreEditor, WritesWhatMicrosoftsToolWrote) {
  REQUIRE_CORPUS(corpus);
  const std::vector<std::string> stores = {"single-tier", "single-tier-compressed",
                                           "single-tier-republished", "all-deleted", "two-tier"};
  for (const std::string& name : stores) {
    Replay replay{fmt::format("{}/symbols/store/{}", corpus, name), {}};
    replay.run();
    const auto originals = base::list_files(replay.original).value();
    for (const std::string& path : originals) {
      const std::string relative = path.substr(replay.original.size() + 1);
      std::string text = base::read_file(path).value();
      // A cabinet is packed by another program.
      if (relative.ends_with('_')) {
        EXPECT_TRUE(replay.place.has(relative)) << name << "/" << relative;
        continue;
      }
      // One of the trees has a prefix here that the others have not.
      if (relative.ends_with("file.ptr")) text = parse_pointer(text).text;
      std::string again = replay.place.read(relative);
      if (relative.ends_with("file.ptr")) again = parse_pointer(again).text;
      // Some versions of the tool end the last line of the history, some do not.
      if (relative.ends_with("history.txt") && text.ends_with("\r\n")) again += "\r\n";
      EXPECT_TRUE(again == text) << name << "/" << relative
                                 << (text.size() < 2000 ? fmt::format("\n{}\n{}", again, text)
                                                        : "");
    }
    const auto copies = base::list_files(replay.place.store).value();
    EXPECT_EQ(copies.size(), originals.size()) << name;
  }
}

}  // namespace
}  // namespace symstore
