#include <gtest/gtest.h>

#include "net/server.h"
#include "reports/intake.h"
#include "reports/signature.h"
#include "reports/tables.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"
#include "ui/assets.h"
#include "ui/crash_list_page.h"
#include "ui/layout.h"
#include "ui/report_page.h"
#include "ui/routes.h"

namespace ui {
namespace {

using testing_support::raw_get;

constexpr const char* kId = "2f1a7f0e-7b0c-4c3e-9a55-1d2e30261124";

constexpr const char* kProcessed = R"json({
  "crash_info": {"type": "SIGSEGV / SEGV_MAPERR", "address": "0x0000000000000008",
                 "adjusted_address": {"kind": "null-pointer", "offset": "0x0000000000000008"}},
  "crashing_thread": {"threads_index": 1, "thread_name": "<b>worker</b>", "frames": [
    {"frame": 0, "function": "outer(int)", "file": "/home/me/src/app/crash.cc", "line": 20,
     "module": "demo", "module_offset": "0x0000000000001234", "offset": "0x0000000000401234",
     "trust": "context", "inlines": [{"function": "inner<Deep>()", "file": "crash.cc", "line": 12}],
     "registers": {"rip": "0x0000000000401234", "rsp": "0x00007ffc00000000"}},
    {"frame": 1, "function": null, "module": "libx.so", "module_offset": "0x0000000000000010",
     "offset": "0x00007f0000000010", "trust": "scan", "inlines": null}]},
  "modules": [
    {"filename": "demo", "debug_file": "demo", "debug_id": "AAA0", "code_id": "aa", "version": null,
     "base_addr": "0x0000000000400000", "end_addr": "0x0000000000500000",
     "loaded_symbols": true, "missing_symbols": false, "corrupt_symbols": false},
    {"filename": "libx.so", "debug_file": "lib'x.so", "debug_id": "BBB0", "code_id": "bb", "version": "1",
     "base_addr": "0x00007f0000000000", "end_addr": "0x00007f0000010000",
     "loaded_symbols": false, "missing_symbols": true, "corrupt_symbols": false},
    {"filename": "liby.so", "debug_file": "liby.so", "debug_id": "CCC0", "code_id": "cc", "version": "1",
     "base_addr": "0x00007f1000000000", "end_addr": "0x00007f1000010000",
     "loaded_symbols": false, "missing_symbols": false, "corrupt_symbols": false}],
  "pid": 42, "process_uptime": 7,
  "system_info": {"os": "Linux", "os_ver": "6.1.0", "cpu_arch": "amd64", "cpu_count": 4},
  "threads": [
    {"frame_count": 1, "thread_name": null, "frames": [
      {"frame": 0, "function": "poll", "module": "libc.so.6", "module_offset": "0x01", "trust": "context"}]},
    {"frame_count": 2, "frames": []},
    {"frame_count": 1, "thread_name": null, "frames": [
      {"frame": 0, "function": "poll", "module": "libc.so.6", "module_offset": "0x01", "trust": "context"}]}]
})json";

reports::Report example() {
  reports::Report report;
  report.summary = {7,
                    kId,
                    {1'795'548'607'000'000},
                    reports::State::done,
                    "Fire & Water",
                    "1.0",
                    "inner<Deep> | outer",
                    "SIGSEGV / SEGV_MAPERR",
                    "0x8",
                    "Linux 6.1.0 amd64",
                    ""};
  report.processed_sha256 = "00";
  report.annotations = {{"html", "<script>alert(1)</script>"},
                        {"rtl",
                         "abc\xe2\x80\xae"
                         "def"},
                        {"raw", "a\xff"},
                        {"onerror=\"x", "<img src=x onerror=alert(1)>"}};
  report.files = {{reports::FileKind::dump, "upload_file_minidump", "a.dmp", "", "ab", 4, ""},
                  {reports::FileKind::attachment, "app.log", "\"><b>.log", "", "cd", 9, ""}};
  report.notes = {"annotation <html> came twice"};
  return report;
}

bool has(const std::string& page, std::string_view text) {
  return page.find(text) != std::string::npos;
}

TEST(ReportPage, ShowsTheCrashingThreadFirstWithInlinedCalls) {
  const std::string page = report_page(example(), kProcessed, "http://server:7070");
  EXPECT_TRUE(has(page, "SIGSEGV / SEGV_MAPERR"));
  EXPECT_TRUE(has(page, "null pointer + 0x8"));
  const auto inner = page.find("<bdi>inner&lt;Deep&gt;()</bdi>");
  const auto outer = page.find("<bdi>outer(int)</bdi>");
  const auto others = page.find("Other threads");
  ASSERT_NE(inner, std::string::npos);
  EXPECT_LT(inner, outer);
  EXPECT_LT(outer, others);
  EXPECT_TRUE(has(page, "crash.cc:20"));
  EXPECT_TRUE(has(page, "inlined"));
  EXPECT_TRUE(has(page, "0x00007ffc00000000"));
  EXPECT_TRUE(has(page, "2 threads alike: 0, 2"));
}

TEST(ReportPage, SaysWhatIsMissingAndHowToBringIt) {
  const std::string page = report_page(example(), kProcessed, "http://server:7070");
  EXPECT_TRUE(
      has(page,
          "faultline upload-symbols --url http://server:7070 &#39;lib&#39;\\&#39;&#39;x.so&#39;"));
  EXPECT_TRUE(has(page, "BBB0"));
  const auto missing = page.find("missing</span>");
  EXPECT_LT(missing, page.find("loaded</span>"));
  EXPECT_TRUE(has(page, "1 more that no stack touches"));
}

TEST(ReportPage, LetsNoTextBecomeMarkup) {
  const std::string page = report_page(example(), kProcessed, "http://server:7070");
  for (const char* bad :
       {"<script>alert", "<img src=x", "<b>worker", "\"><b>", "\xe2\x80\xae", "\xff"}) {
    EXPECT_FALSE(has(page, bad)) << bad;
  }
  EXPECT_TRUE(has(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_TRUE(has(page, "[U+202E]"));
  EXPECT_TRUE(has(page, "not UTF-8"));
}

TEST(ReportPage, CanBeReadInAnyState) {
  reports::Report report = example();
  for (const auto state :
       {reports::State::queued, reports::State::processing, reports::State::failed}) {
    report.summary.state = state;
    report.summary.error = "the <child> crashed";
    const std::string page = report_page(report, "", "http://s");
    EXPECT_TRUE(has(page, reports::name_of(state)));
    EXPECT_TRUE(has(page, "the &lt;child&gt; crashed"));
    EXPECT_EQ(has(page, "<fl-pending src=\"/api/v1/reports/"), state != reports::State::failed);
    EXPECT_EQ(has(page, "http-equiv=\"refresh\""), state != reports::State::failed);
  }
}

TEST(ReportPage, TakesAnyDocument) {
  for (const char* json :
       {"{}", "[]", "null", "{\"threads\": 3, \"modules\": {}, \"crashing_thread\": []}",
        "{\"crashing_thread\": {\"frames\": [null, 3, {\"inlines\": [7]}]}}", "no json"}) {
    EXPECT_TRUE(has(report_page(example(), json, "http://s"), "</html>")) << json;
  }
}

TEST(ReportPage, TakesNamesOfTenKilobytes) {
  std::string json(kProcessed);
  const std::string name(10'000, 'x');
  json.replace(json.find("outer(int)"), 10, name);
  EXPECT_TRUE(has(report_page(example(), json, "http://s"), name));
}

TEST(ReportPage, HasHeadingsScopesAndASkipLink) {
  const std::string page = report_page(example(), kProcessed, "http://s");
  EXPECT_TRUE(has(page, "<html lang=\"en\">"));
  EXPECT_TRUE(has(page, "<a class=\"skip\" href=\"#main\">"));
  EXPECT_TRUE(has(page, "<main id=\"main\""));
  EXPECT_FALSE(has(page, "<th>"));
  EXPECT_FALSE(has(page, " style="));
  EXPECT_FALSE(has(page, " onclick"));
  EXPECT_EQ(page.find("<h1>"), page.rfind("<h1>"));
}

TEST(CrashListPage, ShowsRowsAndPages) {
  reports::Page list;
  list.reports = {example().summary};
  list.reports[0].signature = "<script>";
  list.first = true;
  list.next_before = 7;
  const std::string page = crash_list_page(list, "http://s");
  EXPECT_TRUE(has(page, "&lt;script&gt;"));
  EXPECT_TRUE(has(page, std::string("/crashes/") + kId));
  EXPECT_TRUE(has(page, "Fire &amp; Water"));
  EXPECT_TRUE(has(page, "/crashes?before=7"));
  EXPECT_FALSE(has(page, "Newest"));
}

TEST(CrashListPage, TeachesTheFirstStep) {
  reports::Page list;
  list.first = true;
  EXPECT_TRUE(has(crash_list_page(list, "http://s:1"), "curl http://s:1/submit"));
}

// The routes on a real server.
class PagesOnAServer : public testing::Test {
 protected:
  void SetUp() override {
    const std::string tmp = directory_.path() + "/tmp";
    ASSERT_TRUE(base::make_directories(tmp).ok());
    database_ = db::Database::open("sqlite:" + directory_.path() + "/test.db").value();
    ASSERT_TRUE(database_->migrate(reports::migrations()).ok());
    blobs_.emplace(store::Blobs::open(directory_.path() + "/blobs", tmp).value());
    archive_.emplace(*database_, *blobs_);
    queue_.emplace(*database_);
    net::Router router;
    add_routes(router,
               {*archive_, *queue_, [] { return std::vector<StatusFigure>{{"Disk", "<9>"}}; }});
    net::ServerOptions options;
    options.listen = "127.0.0.1:0";
    options.spool_directory = tmp;
    server_ = net::Server::start(options, std::move(router), pool_).value();
  }
  std::string submit() {
    reports::Submission submission;
    submission.annotations = {{"prod", "Demo"}};
    return reports::Intake(*database_, *blobs_, nullptr).accept(submission).value();
  }
  testing_support::RawAnswer get(const std::string& path) {
    return raw_get(server_->address(), path);
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("pages").value();
  base::WorkerPool pool_{2};
  std::unique_ptr<db::Database> database_;
  std::optional<store::Blobs> blobs_;
  std::optional<reports::Archive> archive_;
  std::optional<reports::Queue> queue_;
  std::unique_ptr<net::Server> server_;
};

TEST_F(PagesOnAServer, AreServedWithAPolicyThatForbidsForeignCode) {
  const std::string id = submit();
  for (const std::string& path :
       {std::string("/"), std::string("/crashes"), "/crashes/" + id, std::string("/status")}) {
    const auto answer = get(path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_NE(answer.header("Content-Security-Policy").find("default-src 'none'"),
              std::string::npos);
    EXPECT_EQ(answer.header("Content-Security-Policy").find("unsafe"), std::string::npos);
    EXPECT_EQ(answer.header("X-Content-Type-Options"), "nosniff");
    EXPECT_TRUE(has(answer.body, "</html>"));
  }
  EXPECT_TRUE(has(get("/status").body, "&lt;9&gt;"));
}

TEST_F(PagesOnAServer, SayWhatIsNotThere) {
  EXPECT_EQ(get("/crashes/nonsense").status, 404);
  EXPECT_EQ(get(std::string("/crashes/") + kId).status, 404);
  EXPECT_EQ(get("/crashes/bp-" + submit()).status, 301);
  EXPECT_EQ(get("/crashes?before=99999999999999999999").status, 200);
  EXPECT_EQ(get("/static/other.css").status, 404);
}

TEST_F(PagesOnAServer, LetClientsKeepTheStylesForEver) {
  for (const Asset* asset : {&style_asset(), &script_asset(), &icon_asset()}) {
    const auto answer = get(asset->url);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, asset->bytes);
    EXPECT_NE(answer.header("Cache-Control").find("immutable"), std::string::npos);
    EXPECT_EQ(answer.header("Content-Type"), asset->content_type);
  }
  EXPECT_LT(style_asset().bytes.size(), 15'000u);
  EXPECT_LT(script_asset().bytes.size(), 15'000u);
}

TEST(ReportPage, RendersEveryReferenceAnswer) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/minidumps/expected").value();
  for (const std::string& path : files) {
    if (!path.ends_with(".json")) continue;
    const std::string json = base::read_file(path).value();
    reports::Report report = example();
    const auto outcome = reports::outcome_from_processed(json);
    if (!outcome.ok()) continue;
    report.summary.signature = outcome->signature;
    EXPECT_TRUE(has(report_page(report, json, "http://s"), "</html>")) << path;
  }
}

}  // namespace
}  // namespace ui
