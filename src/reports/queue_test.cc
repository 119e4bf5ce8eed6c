#include "reports/queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "reports/archive.h"
#include "reports/intake.h"
#include "reports/report_id.h"
#include "reports/tables.h"
#include "reports/workers.h"
#include "testing/corpus.h"
#include "testing/on_each_engine.h"

namespace reports {
namespace {

using base::Error;
using base::Fault;
using base::Result;
using base::Time;

constexpr std::int64_t kSecond = 1'000'000;

class ReportsOn : public testing_support::OnEachEngine {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(open({migrations()}));
    if (IsSkipped()) return;
    ASSERT_TRUE(base::make_directories(root_.path() + "/tmp").ok());
    blobs_ = std::make_unique<store::Blobs>(
        store::Blobs::open(root_.path() + "/blobs", root_.path() + "/tmp").value());
    intake_ = std::make_unique<Intake>(*database_, *blobs_, nullptr);
    queue_ = std::make_unique<Queue>(*database_);
    archive_ = std::make_unique<Archive>(*database_, *blobs_);
  }

  std::string submit(std::string_view dump = "MDMP...", Time received = base::now()) {
    Submission submission;
    submission.annotations = {{"prod", "Demo"}, {"ver", "1.2"}, {"raw", std::string("a\0\xff", 3)}};
    submission.files = {{FileKind::dump, "upload_file_minidump", "a.dmp",
                         "application/octet-stream", base::bytes_of(dump), ""}};
    submission.notes = {"odd"};
    auto id = intake_->accept(submission, received);
    EXPECT_TRUE(id.ok()) << id.error().what;
    return std::move(id).value_or("");
  }
  Job must_claim(Time now = base::now()) {
    auto job = queue_->claim(now);
    EXPECT_TRUE(job.ok()) << job.error().what;
    EXPECT_TRUE(job->has_value());
    return job->value_or(Job{});
  }
  bool claims_nothing(Time now = base::now()) { return !queue_->claim(now).value().has_value(); }
  State state_of(const std::string& id) { return archive_->load(id).value().summary.state; }

  std::unique_ptr<store::Blobs> blobs_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<Queue> queue_;
  std::unique_ptr<Archive> archive_;
};

Outcome good_outcome() {
  Outcome outcome;
  outcome.signature = "main";
  outcome.reason = "SIGSEGV";
  return outcome;
}

TEST_P(ReportsOn, KeepsWhatWasSent) {
  const std::string id = submit("MDMP1234");
  ASSERT_TRUE(parse_report_id(id).has_value()) << id;
  const Report report = archive_->load(id).value();
  EXPECT_EQ(report.summary.product, "Demo");
  EXPECT_EQ(report.summary.version, "1.2");
  EXPECT_EQ(report.annotations.at(2).value, std::string("a\0\xff", 3));
  EXPECT_EQ(report.notes.at(0), "odd");
  ASSERT_NE(report.main_dump(), nullptr);
  EXPECT_EQ(report.main_dump()->size, 8u);
  const auto blob = archive_->open_file(*report.main_dump());
  ASSERT_TRUE(blob.ok());
  EXPECT_EQ(base::read_file(blob->path).value(), "MDMP1234");
  EXPECT_EQ(archive_->load("nobody").error().fault, Fault::not_found);
  EXPECT_EQ(archive_->load_processed(report).error().fault, Fault::not_found);
}

TEST_P(ReportsOn, ListsNewestFirstInPages) {
  std::vector<std::string> ids;
  ids.reserve(5);
  for (int i = 0; i < 5; ++i) ids.push_back(submit());
  const Page first = archive_->list(0, 2).value();
  ASSERT_EQ(first.reports.size(), 2u);
  EXPECT_TRUE(first.first);
  EXPECT_EQ(first.reports[0].id, ids[4]);
  const Page second = archive_->list(first.next_before, 2).value();
  EXPECT_EQ(second.reports[0].id, ids[2]);
  const Page third = archive_->list(second.next_before, 2).value();
  ASSERT_EQ(third.reports.size(), 1u);
  EXPECT_EQ(third.next_before, 0);
  EXPECT_EQ(archive_->count().value().total, 5);
}

TEST_P(ReportsOn, EndsAJobOnce) {
  const std::string id = submit();
  const Job job = must_claim();
  EXPECT_EQ(job.report_id, id);
  EXPECT_EQ(state_of(id), State::processing);
  EXPECT_TRUE(claims_nothing());
  EXPECT_TRUE(queue_->finish(job, good_outcome()).value());
  EXPECT_FALSE(queue_->finish(job, good_outcome()).value());
  EXPECT_FALSE(queue_->fail(job, {Fault::internal, "late"}).value());
  EXPECT_EQ(state_of(id), State::done);
  const Report report = archive_->load(id).value();
  EXPECT_EQ(report.revision, 1);
  EXPECT_EQ(report.summary.signature, "main");
  EXPECT_TRUE(claims_nothing());
}

TEST_P(ReportsOn, GivesAJobToAnotherWhenTheLeaseHasRunOut) {
  submit();
  const Time start = base::now();
  const Job first = must_claim(start);
  EXPECT_TRUE(queue_->extend(first, start).value());
  const Job second = must_claim({start.us + kLeaseUs + kSecond});
  EXPECT_FALSE(queue_->extend(first).value());
  EXPECT_FALSE(queue_->finish(first, good_outcome()).value());
  EXPECT_TRUE(queue_->finish(second, good_outcome()).value());
}

TEST_P(ReportsOn, PoisonsAfterThreeFailuresOfTheDumpsOwnMaking) {
  const std::string id = submit();
  Time now = base::now();
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(state_of(id), State::failed);
    const Job job = must_claim(now);
    EXPECT_TRUE(queue_->fail(job, {Fault::internal, "the child crashed"}, now).value());
    EXPECT_TRUE(claims_nothing(now)) << "no back-off";
    now.us += 3600 * kSecond;
  }
  EXPECT_EQ(state_of(id), State::failed);
  EXPECT_TRUE(claims_nothing({now.us + 3600 * kSecond}));
  EXPECT_EQ(queue_->count().value().poison, 1);
  EXPECT_EQ(archive_->load(id)->summary.error, "the child crashed");

  ASSERT_TRUE(queue_->request(id, now).ok());  // by hand, once more
  EXPECT_EQ(state_of(id), State::queued);
  EXPECT_TRUE(queue_->finish(must_claim(now), good_outcome()).value());
  EXPECT_EQ(state_of(id), State::done);
}

TEST_P(ReportsOn, WaitsForTheWorldWithoutCounting) {
  const std::string id = submit();
  Time now = base::now();
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(queue_->fail(must_claim(now), {Fault::unavailable, "disk full"}, now).value());
    now.us += 2 * 3600 * kSecond;
  }
  EXPECT_EQ(state_of(id), State::queued);
}

TEST_P(ReportsOn, EndsWhatNoSecondTryWouldChange) {
  const std::string id = submit("garbage");
  EXPECT_TRUE(queue_->fail(must_claim(), {Fault::malformed, "not a minidump"}).value());
  EXPECT_EQ(state_of(id), State::done);
  EXPECT_EQ(archive_->load(id)->summary.error, "not a minidump");
}

TEST_P(ReportsOn, ProcessesAgainWhenMissingSymbolsArrive) {
  const std::string id = submit();
  Outcome outcome = good_outcome();
  outcome.missing_debug_ids = {"ABC0"};
  EXPECT_TRUE(queue_->finish(must_claim(), outcome).value());
  EXPECT_EQ(queue_->symbols_arrived({"other"}).value(), 0);
  EXPECT_TRUE(claims_nothing());
  EXPECT_EQ(queue_->symbols_arrived({"abc0"}).value(), 1);
  EXPECT_EQ(queue_->symbols_arrived({"abc0"}).value(), 1);  // one job all the same
  EXPECT_EQ(queue_->count().value().ready, 1);
  EXPECT_TRUE(queue_->finish(must_claim(), good_outcome()).value());
  EXPECT_EQ(queue_->symbols_arrived({"abc0"}).value(), 0);
  EXPECT_EQ(archive_->load(id)->revision, 2);
}

TEST_P(ReportsOn, LosesNoSymbolsThatArriveDuringTheProcessing) {
  const std::string id = submit();
  const Job job = must_claim();
  ASSERT_TRUE(queue_->symbols_arrived({"ABC0"}).ok());
  Outcome outcome = good_outcome();
  outcome.missing_debug_ids = {"ABC0"};
  EXPECT_TRUE(queue_->finish(job, outcome).value());
  EXPECT_EQ(state_of(id), State::queued);
  EXPECT_TRUE(queue_->finish(must_claim(), good_outcome()).value());
  EXPECT_EQ(state_of(id), State::done);
}

TEST_P(ReportsOn, ProcessesOnceMoreWhenAskedDuringTheProcessing) {
  const std::string id = submit();
  const Job job = must_claim();
  ASSERT_TRUE(queue_->request(id).ok());
  EXPECT_TRUE(claims_nothing());
  EXPECT_TRUE(queue_->finish(job, good_outcome()).value());
  EXPECT_TRUE(queue_->finish(must_claim(), good_outcome()).value());
  EXPECT_TRUE(claims_nothing());
  EXPECT_EQ(queue_->request("nobody").error().fault, Fault::not_found);
}

TEST_P(ReportsOn, ReleasesWhatADeadProcessHeld) {
  const std::string id = submit();
  const Job lost = must_claim();
  ASSERT_TRUE(queue_->release_all().ok());
  EXPECT_EQ(state_of(id), State::queued);
  EXPECT_TRUE(queue_->finish(must_claim(), good_outcome()).value());
  EXPECT_FALSE(queue_->finish(lost, good_outcome()).value());
}

TEST_P(ReportsOn, NamesEveryBlobInUse) {
  submit("MDMPone");
  std::vector<std::string> hashes;
  ASSERT_TRUE(
      archive_->list_hashes([&](const base::Sha256& h) { hashes.push_back(h.hex()); }).ok());
  EXPECT_EQ(hashes, std::vector<std::string>{base::sha256_of(base::bytes_of("MDMPone")).hex()});
}

TEST_P(ReportsOn, AResultThatCannotBeStoredIsStoredWhenThatGoes) {
  const std::string id = submit();
  const auto run = [&](const char* sql) {
    return database_->write([&](db::Session& session) -> Result<void> {
      TRY(session.execute(sql, {}));
      return {};
    });
  };
  std::atomic<int> processed = 0;
  const Processor process = [&](const std::string&) -> Result<std::string> {
    EXPECT_TRUE(run("ALTER TABLE crash_report RENAME TO out_of_reach").ok());
    ++processed;
    return Error{Fault::malformed, "no dump"};
  };
  Workers workers(*queue_, *archive_, *blobs_, process, {1, 10});
  workers.start();
  for (int i = 0; i < 1000 && processed == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_EQ(processed, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // the first tries fail
  ASSERT_TRUE(run("ALTER TABLE out_of_reach RENAME TO crash_report").ok());
  for (int i = 0; i < 1000 && state_of(id) != State::done; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  workers.stop();
  EXPECT_EQ(state_of(id), State::done);
  EXPECT_EQ(processed, 1);
  EXPECT_TRUE(claims_nothing());
}

TEST_P(ReportsOn, WorkersEndEveryReportOnce) {
  for (int i = 0; i < 6; ++i) submit("MDMP" + std::to_string(i));
  const std::string poison = submit("poison");
  const std::string unreadable = submit("unreadable");
  std::atomic<int> calls{0};
  const Processor process = [&](const std::string& path) -> Result<std::string> {
    const std::string dump = base::read_file(path).value();
    if (dump == "poison") return Error{Fault::internal, "the child was killed"};
    if (dump == "unreadable") return Error{Fault::malformed, "not a minidump"};
    ++calls;
    return std::string(R"({"threads": [], "modules": [], "crash_info": {"type": "SIGSEGV"}})");
  };
  Workers workers(*queue_, *archive_, *blobs_, process, {3, 50});
  workers.start();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (state_of(poison) != State::failed || queue_->count().value().ready != 0) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  workers.stop();
  EXPECT_EQ(calls, 6);
  EXPECT_EQ(archive_->load(unreadable)->summary.error, "not a minidump");
  const Page all = archive_->list(0, 100).value();
  for (const Summary& summary : all.reports) {
    if (summary.id == poison) continue;
    EXPECT_EQ(summary.state, State::done);
    EXPECT_EQ(archive_->load(summary.id)->revision, 1);
  }
}

std::string name_of_engine(const testing::TestParamInfo<db::Engine>& info) {
  return info.param == db::Engine::sqlite ? "Sqlite" : "Postgresql";
}
INSTANTIATE_TEST_SUITE_P(Engines, ReportsOn,
                         testing::Values(db::Engine::sqlite, db::Engine::postgresql),
                         name_of_engine);

}  // namespace
}  // namespace reports
