#include "handler/upload_policy.h"

#include <gtest/gtest.h>

namespace handler {
namespace {

TEST(UploadPolicy, VerdictByAnswer) {
  struct Row {
    int status;
    const char* body;
    Verdict verdict;
  };
  const Row rows[] = {
      {200, "CrashID=bp-1\n", Verdict::sent},
      {202, "", Verdict::sent},
      {200, "Discarded=rule_sampled", Verdict::sent},
      {200, "Discarded=malformed_no_annotations", Verdict::rejected},
      {400, "Discarded=malformed_bad_gzip", Verdict::rejected},
      {301, "", Verdict::rejected},
      {401, "", Verdict::rejected},
      {404, "", Verdict::rejected},
      {413, "", Verdict::rejected},
      {408, "", Verdict::retry},
      {425, "", Verdict::retry},
      {429, "", Verdict::retry},
      {500, "", Verdict::retry},
      {503, "", Verdict::retry},
      {0, "", Verdict::retry},
  };
  for (const Row& row : rows) {
    ServerAnswer answer;
    answer.status = row.status;
    answer.body = row.body;
    EXPECT_EQ(verdict_of(answer), row.verdict) << row.status << " " << row.body;
  }
}

TEST(UploadPolicy, RemoteIdInEveryForm) {
  EXPECT_EQ(remote_id_in("CrashID=bp-abc\n"), "bp-abc");
  EXPECT_EQ(remote_id_in("ViewURL=x\r\nCrashID=bp-abc\r\n"), "bp-abc");
  EXPECT_EQ(remote_id_in("0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(remote_id_in(""), "");
  EXPECT_EQ(remote_id_in("\n\n id \n"), "id");
}

TEST(UploadPolicy, DelaysDoubleUpToADay) {
  constexpr std::uint32_t kEven = 20;  // neither more nor less
  EXPECT_EQ(retry_delay_s(1, 0, kEven), 60);
  EXPECT_EQ(retry_delay_s(2, 0, kEven), 120);
  EXPECT_EQ(retry_delay_s(5, 0, kEven), 960);
  EXPECT_EQ(retry_delay_s(30, 0, kEven), kRetryMostS);
  EXPECT_EQ(retry_delay_s(1, 0, 0), 48);
  EXPECT_EQ(retry_delay_s(1, 0, 40), 72);
  EXPECT_EQ(retry_delay_s(1, 7, kEven), 7) << "the server said";
  EXPECT_EQ(retry_delay_s(1, 1'000'000, kEven), kRetryMostS);
}

TEST(UploadPolicy, GivesUpAfterTriesOrTime) {
  Report report;
  report.time_s = 1000;
  EXPECT_FALSE(is_hopeless(report, 2000));
  report.tries = kTriesMax;
  EXPECT_TRUE(is_hopeless(report, 2000));
  report.tries = 0;
  EXPECT_TRUE(is_hopeless(report, 1001 + kReportAgeMaxS));
}

}  // namespace
}  // namespace handler
