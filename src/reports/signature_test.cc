#include "reports/signature.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "reports/report_id.h"
#include "testing/corpus.h"

namespace reports {
namespace {

TEST(ReportId, HasSocorrosForm) {
  const std::string id = make_report_id(base::Time{1'795'549'000'000'000});
  EXPECT_EQ(id.size(), 36u);
  EXPECT_EQ(id.substr(29), "0" + base::yymmdd(base::Time{1'795'549'000'000'000}));
  EXPECT_EQ(parse_report_id("bp-" + id), id);
  EXPECT_NE(id, make_report_id(base::Time{1'795'549'000'000'000}));
}

TEST(ReportId, RefusesOtherTexts) {
  for (const char* text : {"", "bp-", "x", "2f1a7f0e-7b0c-4c3e-9a55-1d2e3026112g",
                           "2f1a7f0e-7b0c-4c3e-9a55-1d2e302611244", "../../etc/passwd"}) {
    EXPECT_FALSE(parse_report_id(text).has_value()) << text;
  }
}

TEST(Signature, DropsArguments) {
  const std::pair<const char*, const char*> rows[] = {
      {"main", "main"},
      {"f(int, char)", "f"},
      {"ns::g(void (*)(int)) const", "ns::g"},
      {"S::operator()() const", "S::operator()"},
      {"(anonymous namespace)::h()", "(anonymous namespace)::h"},
      {"operator()", "operator()"},
      {")", ")"},
      {"()", "()"},
  };
  for (const auto& [full, expected] : rows) EXPECT_EQ(without_arguments(full), expected);
}

TEST(Signature, JoinsInlinesAndFrames) {
  const auto outcome = outcome_from_processed(R"json({
    "threads": [], "modules": [
      {"debug_id": "abc", "missing_symbols": true}, {"debug_id": "0000", "missing_symbols": true},
      {"debug_id": "DEF", "missing_symbols": false}],
    "system_info": {"os": "Linux", "os_ver": "6.1.0 #1 SMP", "cpu_arch": "amd64"},
    "crash_info": {"type": "SIGSEGV / SEGV_MAPERR", "address": "0x0000000000000000"},
    "crashing_thread": {"frames": [
      {"function": "outer(int)", "inlines": [{"function": "inner()"}]},
      {"function": null, "module": "libx.so", "module_offset": "0x00001234"},
      {"function": "main"}, {"function": "start"}]}})json");
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->signature, "inner | outer | main");
  EXPECT_EQ(outcome->reason, "SIGSEGV / SEGV_MAPERR");
  EXPECT_EQ(outcome->system, "Linux 6.1.0 amd64");
  EXPECT_EQ(outcome->missing_debug_ids, std::vector<std::string>{"ABC"});
}

TEST(Signature, NamesThePlaceWithoutSymbols) {
  const auto outcome = outcome_from_processed(R"json({"threads": [], "crashing_thread": {"frames": [
      {"function": null, "module": "libx.so", "module_offset": "0x0000000000001234"}]}})json");
  EXPECT_EQ(outcome->signature, "libx.so@0x1234");
  EXPECT_EQ(outcome_from_processed(R"({"threads": []})")->signature,
            "EMPTY: no crashing thread identified");
  for (const char* bad : {"", "[]", "{}", "{\"threads\": 3}", "{\"threads\": []"}) {
    EXPECT_FALSE(outcome_from_processed(bad).ok()) << bad;
  }
}

TEST(Signature, ReadsEveryReferenceAnswer) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/minidumps/expected");
  ASSERT_TRUE(files.ok());
  int read = 0;
  for (const std::string& path : *files) {
    if (path.size() < 5 || path.substr(path.size() - 5) != ".json") continue;
    const std::string text = base::read_file(path).value();
    if (text.find("\"threads\"") == std::string::npos) continue;
    const auto outcome = outcome_from_processed(text);
    EXPECT_TRUE(outcome.ok()) << path;
    if (outcome.ok()) {
      EXPECT_FALSE(outcome->signature.empty()) << path;
    }
    ++read;
  }
  EXPECT_GT(read, 10);
}

}  // namespace
}  // namespace reports
