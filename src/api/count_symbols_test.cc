#include "api/count_symbols.h"

#include <gtest/gtest.h>

#include "api/clients.h"
#include "base/file.h"
#include "statistics/tables.h"

namespace api {
namespace {

using net::Answer;
using net::Request;

constexpr const char* kId = "0123456789ABCDEF0123456789ABCDEF1";

std::string row_of(std::string_view path) {
  const auto counted = find_counted(path);
  return counted ? std::string(counted->row) : "none";
}

TEST(CountSymbols, KnowsTheNameThatAPathAsksFor) {
  struct Row {
    const char* path;
    const char* row;
    bool is_told;
    bool is_by_product;
  };
  for (const Row& row : {
           Row{"/foo.pdb/ID1/foo.pdb", "foo.pdb", true, false},
           Row{"//symbols/foo.pdb/ID1/foo.sym", "foo.pdb", true, false},
           Row{"/try/foo.pdb/ID1/foo.pdb", "foo.pdb", true, false},
           Row{"/fo/foo.pdb/ID1/foo.pdb", "foo.pdb", true, false},
           Row{"/foo.pdb/ID1/msfz0/foo.pdb", "foo.pdb", false, false},
           Row{"/foo.pdb/ID1/foo.pd_", "foo.pdb", false, true},
           Row{"/foo.pdb/ID1/file.ptr", "foo.pdb", false, true},
           Row{"/foo.pdb/000000/foo.pdb", "foo.pdb", false, false},
           Row{"/buildid/aabb/debuginfo", "buildid/debuginfo", true, false},
           Row{"/buildid/aabb/executable", "buildid/executable", true, false},
           Row{"/buildid/aabb/section/.text", "buildid/section", false, false},
           Row{"/ab/cdef0123.debug", "buildid/debuginfo", false, false},
           Row{"/ab/cdef0123/debuginfo", "buildid/debuginfo", false, false},
           Row{"/ab/cdef0123/executable", "buildid/executable", false, false},
           Row{"/dd/abcdef0123/dd", "dd", true, false},
           Row{"/artifacts/elf/aabb/ls", "ls", false, false},
       }) {
    const auto counted = find_counted(row.path);
    ASSERT_TRUE(counted) << row.path;
    EXPECT_EQ(counted->row, row.row) << row.path;
    EXPECT_EQ(counted->is_told, row.is_told) << row.path;
    EXPECT_EQ(counted->is_by_product, row.is_by_product) << row.path;
  }
}

TEST(CountSymbols, LeavesOutWhatIsNoSymbolFile) {
  for (const char* path : {"/", "/favicon.ico", "/index2.txt", "/symbols/pingme.txt", "/a/b",
                           "/api/v1/nothing", "/a/b/c/d/e/f/g", "/a/b/c/d"}) {
    EXPECT_EQ(row_of(path), "none") << path;
  }
}

TEST(CountSymbols, DoesNotTellAProjectsNames) {
  const auto counted = find_counted("/p/secret/foo.pdb/ID1/foo.pdb");
  ASSERT_TRUE(counted);
  EXPECT_EQ(counted->row, "");
  EXPECT_FALSE(counted->is_told);
}

class Counting : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(database_->migrate(statistics::migrations()).ok());
    statistics_ = statistics::Statistics::open(*database_, {}).value();
  }
  void ask(const std::string& target, Answer answer) {
    Request request = Request::of("GET", target);
    const net::Handler handler =
        count_symbols([&](Request&) -> net::Reply { return std::move(answer); }, *statistics_);
    handler(request);
  }
  statistics::Counts row(std::string_view name) {
    const auto rows = statistics_->symbols();
    for (const statistics::SymbolRow& one : *rows) {
      if (one.name == name) return one.counts;
    }
    return {};
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("count").value();
  std::unique_ptr<db::Database> database_ =
      db::Database::open("sqlite:" + root_.path() + "/test.db").value();
  std::unique_ptr<statistics::Statistics> statistics_;
};

TEST_F(Counting, TellsOutcomesByTheStatus) {
  const std::string path = std::string("/foo.pdb/") + kId;
  ask(path + "/foo.pdb", Answer::text(200, "x"));
  ask(path + "/foo.pdb", Answer::text(406, "too large for the client, but here"));
  ask(path + "/foo.pdb", Answer::text(404, "x"));
  ask(path + "/foo.pdb", Answer::text(503, "x"));
  ask(path + "/foo.pdb", Answer::text(401, "not counted"));
  ask(path + "/foo.pd_", Answer::text(404, "x"));
  ask(path + "/file.ptr", Answer::text(404, "x"));
  ask(path + "/foo.pd_", Answer::text(200, "packed for him"));
  const statistics::Counts counts = row("foo.pdb");
  EXPECT_EQ(counts.requests, 5);
  EXPECT_EQ(counts.successes, 3);
  EXPECT_EQ(counts.failures, 2);
  EXPECT_EQ(counts.invalid, 2);
  EXPECT_EQ(counts.hits, 5);
}

TEST_F(Counting, TakesNo404OfAnOutageForAMiss) {
  const std::string target = std::string("/foo.pdb/") + kId + "/foo.pdb";
  const base::Error down{base::Fault::unavailable, "no upstream server answers"};
  Request symsrv = Request::of("GET", target);
  symsrv.headers.set("User-Agent", "Microsoft-Symbol-Server/10.0.10522.521");
  ask(target, answer_nobody_answers(symsrv, down, ""));
  ask(target, answer_miss(symsrv, {base::Fault::not_found, "nobody has it"}, ""));
  const statistics::Counts counts = row("foo.pdb");
  EXPECT_EQ(counts.failures, 2);
  EXPECT_EQ(counts.misses, 1);
  ASSERT_TRUE(statistics_->save_soon().ok());
  const auto page = statistics_->missing().list({}).value();
  ASSERT_EQ(page.rows.size(), 1u);
  EXPECT_EQ(page.rows[0].times, 1);
}

TEST_F(Counting, ListsAMissWithItsCodeFile) {
  ask(std::string("/foo.pdb/") + kId + "/foo.sym?code_file=foo.dll&code_id=5F000000",
      Answer::text(404, "x"));
  ask(std::string("/bar.pdb/") + kId + "/bar.sym?code_file=%22%3E%3Cscript%3E&code_id=zz",
      Answer::text(404, "x"));
  ASSERT_TRUE(statistics_->save_soon().ok());
  statistics::MissingQuery query;
  query.order = statistics::MissingQuery::Order::name;
  const auto page = statistics_->missing().list(query).value();
  ASSERT_EQ(page.rows.size(), 2u);
  EXPECT_EQ(page.rows[0].code_file, "foo.dll");
  EXPECT_EQ(page.rows[0].code_id, "5F000000");
  EXPECT_EQ(page.rows[1].code_file, "");
  EXPECT_EQ(page.rows[1].code_id, "");
}

TEST_F(Counting, AMalformedNameIsNoRow) {
  ask("/fo%3Cb%3Eo.pdb/ID1/foo.pdb", Answer::text(404, "x"));
  EXPECT_TRUE(statistics_->symbols()->empty() ||
              statistics_->symbols()->front().name != "fo<b>o.pdb");
  EXPECT_EQ(statistics_->totals().counts.invalid, 1);
}

class Ended final : public net::Completer {
 public:
  explicit Ended(int& status) : status_(status) {}
  void complete(Answer answer) override { status_ = answer.status; }

 private:
  int& status_;
};

TEST_F(Counting, AParkedRequestWaitsUntilItIsAnswered) {
  Request request = Request::of("GET", std::string("/foo.pdb/") + kId + "/foo.pdb");
  std::shared_ptr<net::Completer> parked;
  const net::Handler handler = count_symbols(
      [&](Request&) -> net::Reply {
        return net::Later{
            [&](std::shared_ptr<net::Completer> completer) { parked = std::move(completer); }};
      },
      *statistics_);
  net::Reply reply = handler(request);
  int status = 0;
  std::get<net::Later>(reply).start(std::make_shared<Ended>(status));
  EXPECT_EQ(row("foo.pdb").waiting, 1);
  parked->complete(Answer::text(200, "x"));
  parked = nullptr;
  EXPECT_EQ(status, 200);
  EXPECT_EQ(row("foo.pdb").waiting, 0);
  EXPECT_EQ(row("foo.pdb").successes, 1);
  EXPECT_EQ(row("foo.pdb").hits, 0) << "it was not answered at once";
}

TEST_F(Counting, AClientThatLeftIsWaitingNoMore) {
  Request request = Request::of("GET", std::string("/foo.pdb/") + kId + "/foo.pdb");
  const net::Handler handler = count_symbols(
      [&](Request&) -> net::Reply {
        return net::Later{[](const std::shared_ptr<net::Completer>&) { /* dropped */ }};
      },
      *statistics_);
  net::Reply reply = handler(request);
  int status = 0;
  std::get<net::Later>(reply).start(std::make_shared<Ended>(status));
  EXPECT_EQ(row("foo.pdb").waiting, 0);
  EXPECT_EQ(row("foo.pdb").requests, 0);
}

}  // namespace
}  // namespace api
