#include "symstore/history.h"

#include <gtest/gtest.h>

#include "testing/corpus.h"

namespace symstore {
namespace {

// A tree's texts, by hand.
struct Place {
  base::TemporaryDirectory root = base::TemporaryDirectory::create("symstore-history").value();

  Place(std::string_view server, std::string_view history) {
    write("server.txt", server);
    write("history.txt", history);
  }
  void write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(
        base::write_file_durably(root.path() + "/000Admin/" + name, base::bytes_of(text)).ok());
  }
  Lives lives() const { return lives_of(Tree::open(root.path()).value()).value(); }
};

TEST(SymstoreHistory, SaysWhatWasDeletedAndByWhichNumber) {
  const Place place("0000000002,add,file,03/02/2026,09:15:40,\"b\",\"\",\"\",\r\n",
                    "0000000001,add,file,03/02/2026,09:15:04,\"a\",\"\",\"\",\r\n"
                    "0000000002,add,file,03/02/2026,09:15:40,\"b\",\"\",\"\",\r\n"
                    "0000000003,del,0000000001\r\n"
                    "0000000004,add,ptr,03/02/2026,09:15:40,\"lost\",\"\",\"\",\r\n"
                    "0000000005,del,0000000077\r\n"
                    "0000000006,del,0000000009\r\n"
                    "0000000009,add,file,03/02/2026,09:15:40,\"c\",\"\",\"\",");
  const Lives lives = place.lives();
  ASSERT_EQ(lives.all.size(), 2u);
  EXPECT_EQ(lives.all[0].transaction.product, "a");
  EXPECT_EQ(lives.all[0].deleted_by, 3u);
  EXPECT_EQ(lives.all[1].transaction.product, "b");
  EXPECT_EQ(lives.all[1].deleted_by, 0u);
  // Nobody deletes what will be added: that is no deletion of it.
  ASSERT_EQ(lives.lost.size(), 2u);
  EXPECT_EQ(lives.lost[0].product, "lost");
  EXPECT_EQ(lives.lost[1].product, "c");
}

TEST(SymstoreHistory, ATreeWithoutHistoryHasItsTransactions) {
  const Place place("0000000002,add,file,03/02/2026,09:15:40,\"b\",\"\",\"\",\n", "");
  ASSERT_EQ(place.lives().all.size(), 1u);
  EXPECT_TRUE(place.lives().lost.empty());
}

// Microsoft's own texts, read and written again.
TEST(SymstoreHistory, WritesWhatItRead) {
  REQUIRE_CORPUS(corpus);
  const std::string stores = corpus + "/symbols/store";
  for (const std::string& name :
       std::vector<std::string>{"two-tier", "single-tier", "single-tier-compressed",
                                "single-tier-republished", "all-deleted", "with-comment"}) {
    const Tree tree = Tree::open(base::join_path(stores, name)).value();
    const Lives lives = lives_of(tree).value();
    EXPECT_TRUE(lives.lost.empty()) << name;
    std::string server = base::read_file(tree.admin("server.txt")).value();
    std::string history = base::read_file(tree.admin("history.txt")).value();
    if (name == "with-comment") server.insert(server.size() - 1, "\r");  // another tool's line end
    if (history.ends_with("\r\n")) history.resize(history.size() - 2);   // an older version's
    EXPECT_EQ(server_text(lives.all), server) << name;
    EXPECT_EQ(history_text(lives.all), history) << name;
    for (const Life& life : lives.all) {
      if (name == "with-comment") continue;  // its last quote is cut
      const std::string file =
          digits_of(life.transaction.id) + (life.deleted_by == 0 ? "" : ".deleted");
      const auto members = life.deleted_by == 0 ? tree.members(life.transaction.id)
                                                : tree.deleted_members(life.transaction.id);
      EXPECT_EQ(members_text(*members), base::read_file(tree.admin(file)).value()) << name << file;
    }
  }
}

TEST(SymstoreHistory, ARecordsKeysAreToldOnce) {
  store::TransactionRecord record;
  record.id = 7;
  record.kind = "ptr";
  record.date = "03/02/2026";
  record.time = "09:15:40";
  record.product = "a \"b\"\r\nc";
  record.files = {{"foo.pdb", "ABC1", "file.ptr", "", "bin", ""},
                  {"foo.pdb", "ABC1", "foo.pdb", "C:\\foo.pdb", "bin", ""},
                  {"bar.dll", "12", "bar.dl_", "C:\\bar.dll", "bin", ""}};
  EXPECT_EQ(members_text(members_of(record)),
            "\"foo.pdb\\ABC1\",\"C:\\foo.pdb\"\r\n\"bar.dll\\12\",\"C:\\bar.dll\"\r\n");
  EXPECT_EQ(server_text({life_of(record)}),
            "0000000007,add,ptr,03/02/2026,09:15:40,\"a 'b'  c\",\"\",\"\",\r\n");
  record.deleted_by = 9;
  EXPECT_EQ(server_text({life_of(record)}), "");
  EXPECT_TRUE(history_text({life_of(record)}).ends_with("\r\n0000000009,del,0000000007"));
}

}  // namespace
}  // namespace symstore
