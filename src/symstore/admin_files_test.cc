#include "symstore/admin_files.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "testing/corpus.h"

namespace symstore {
namespace {

TEST(SymstoreTransactions, AreReadAndWrittenTheSame) {
  for (const std::string line :
       {R"(0000000003,add,file,09/06/2016,10:57:50,"peprods","1.0.1","",)",
        R"(0000000012,add,ptr,03/02/2026,09:16:02,"a, b","","first, and ""best""",)",
        "0000000004,del,0000000001"}) {
    const auto read = parse_transactions(line + "\r\n").value();
    ASSERT_EQ(read.size(), 1u) << line;
    if (line.find("\"\"best") == std::string::npos) EXPECT_EQ(read[0].line(), line);
  }
  const auto comma = parse_transactions(R"(0000000012,add,ptr,d,t,"a, b","","",)").value();
  EXPECT_EQ(comma.at(0).product, "a, b");
  EXPECT_EQ(comma.at(0).kind, Kind::pointer);
}

TEST(SymstoreTransactions, OddLinesAreLeftOut) {
  EXPECT_TRUE(parse_transactions("").value().empty());
  const auto read = parse_transactions(
                        "rubbish\n\n1,add,file\n0000000001,mul,file,,,,,\n0000000001,add,disk,\n"
                        "0000000001,del,\n0000000002,add,file\n")
                        .value();
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].id, 2u);
  EXPECT_EQ(read[0].product, "");
}

TEST(SymstoreTransactions, TextThatWouldEndAFieldIsReplaced) {
  Transaction transaction;
  transaction.id = 7;
  transaction.product = "a\"b\r\nc";
  const auto read = parse_transactions(transaction.line()).value();
  ASSERT_EQ(read.size(), 1u);
  EXPECT_EQ(read[0].product, "a'b  c");
}

TEST(SymstoreTransactions, TimesAreReadAsUtc) {
  const auto read =
      parse_transactions(R"(0000000001,add,file,09/06/2016,10:34:19,"","","",)").value();
  EXPECT_EQ(base::iso8601(time_of(read.at(0)).value()), "2016-09-06T10:34:19Z");
  Transaction odd = read.at(0);
  odd.time = "25:99:99x";
  EXPECT_FALSE(time_of(odd));
}

TEST(SymstoreMembers, HaveAKeyThatStaysInTheStore) {
  const auto read = parse_members(
                        "\"foo.pdb\\ABC1\",\"C:\\build\\foo.pdb\"\r\n"
                        "\"cut.pdb\\ABC1\",\"/home/cut.pdb\n"  // no last quote: seen
                        "\"..\\ABC1\",\"x\"\n\"a\\..\",\"x\"\n\"a/../b\\1\",\"x\"\n"
                        "\"a\\b\\c\",\"x\"\n\"a\",\"x\"\n\"\\1\",\"x\"\n\"a\\\",\"x\"\n"
                        "\"C:\\Windows\",\"x\"\n")
                        .value();
  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0], (Member{"foo.pdb", "ABC1", "C:\\build\\foo.pdb"}));
  EXPECT_EQ(read[1], (Member{"cut.pdb", "ABC1", "/home/cut.pdb"}));
  EXPECT_EQ(read[2], (Member{"C:", "Windows", "x"}));  // a name like any other, beneath the store
}

TEST(SymstoreReferences, KeepWhatTheyDoNotKnow) {
  const std::string line = R"(0000000002,file,"F:\x.pdb",pri,odd,Y,more,)";
  const auto read = parse_references(line + "\r\n0000000003,ptr,\"MSG: gone\",pub,,N,,").value();
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read[0].line(), line);
  EXPECT_EQ(read[0].form, Form::private_symbols);
  EXPECT_TRUE(read[0].compressed);
  EXPECT_EQ(read[1].kind, Kind::pointer);
  EXPECT_EQ(read[1].source, "MSG: gone");
  Reference made;
  made.transaction = 2;
  made.source = "F:\\x.pdb";
  made.form = Form::public_symbols;
  EXPECT_EQ(made.line(), R"(0000000002,file,"F:\x.pdb",pub,,N,,)");
}

TEST(SymstorePointers, HaveThreeForms) {
  EXPECT_EQ(parse_pointer("PATH:\\\\server\\share\\a.pdb\r\n").text, "\\\\server\\share\\a.pdb");
  EXPECT_EQ(parse_pointer("\\\\server\\share\\a.pdb").text, "\\\\server\\share\\a.pdb");
  const Pointer message = parse_pointer("msg: NoLongerIndexed");
  EXPECT_TRUE(message.is_message);
  EXPECT_EQ(message.text, "NoLongerIndexed");
  EXPECT_EQ(parse_pointer("").text, "");
}

// Every line of every tree that Microsoft's tool wrote comes out as it went in.
TEST(SymstoreAdminFiles, RoundTripTheCorpus) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/symbols/store").value();
  std::size_t lines = 0;
  for (const std::string& path : files) {
    const std::string name(base::basename_of(path));
    const bool is_log = name == "server.txt" || name == "history.txt";
    const bool is_transaction = name.starts_with("00000");
    if (!is_log && !is_transaction && name != "refs.ptr") continue;
    const std::string text = base::read_file(path).value();
    std::string again;
    if (is_log) {
      const auto items = parse_transactions(text).value();
      for (const auto& item : items) again += item.line() + "\r\n";
    } else if (is_transaction) {
      const auto items = parse_members(text).value();
      for (const auto& item : items) again += item.line() + "\r\n";
    } else {
      auto items = parse_references(text).value();
      for (auto& item : items) {
        item.text.clear();
        again += item.line() + "\r\n";
      }
    }
    if (path.find("with-comment") != std::string::npos) continue;  // its lines end otherwise
    if (!again.empty() && !text.ends_with('\n')) again.resize(again.size() - 2);
    EXPECT_EQ(again, text) << path;
    ++lines;
  }
  EXPECT_GT(lines, 20u);
}

}  // namespace
}  // namespace symstore
