// The pages in a real browser: what it makes of them, with its script running, in light and dark.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "browser.h"
#include "browser_page.h"
#include "net/client.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

using clients::Browser;
using clients::BrowserPage;
using clients::find_browser;
using testing_support::ServerProcess;

bool has(const std::string& document, std::string_view text) {
  return document.find(text) != std::string::npos;
}

// A report with a hostile annotation; its id.
std::string submit(const std::string& url, const std::string& dump_path) {
  const auto sent = base::run_child(
      testing_support::faultline_program(),
      {"faultline", "report", "send", dump_path, "--url", url, "-a",
       "prod=<script>document.title='owned'</script>", "-a",
       "ver=1\"><img src=x onerror=document.title='owned'>", "-a", "link=javascript:alert(1)"});
  EXPECT_TRUE(sent.ok() && sent->ok());
  const std::string id = sent->output.substr(3, 36);
  base::run_child(testing_support::faultline_program(),
                  {"faultline", "report", "show", id, "--url", url, "--wait", "30"})
      .value();
  return id;
}

TEST(Browser, ShowsTheReportAndRunsNoForeignCode) {
  REQUIRE_CORPUS(corpus);
  const auto program = find_browser();
  REQUIRE_OR_SKIP(program.has_value(), "no chromium on this machine");
  const auto root = base::TemporaryDirectory::create("browser-test").value();
  const ServerProcess server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  const std::string id = submit(
      server.url(), corpus + "/minidumps/dumps/rust-minidump/pipeline-inlines-macos-segv.dmp");
  Browser browser(*program);

  const std::string list = browser.dump_dom(server.url() + "/");
  EXPECT_TRUE(has(list, "EXC_BAD_ACCESS / KERN_INVALID_ADDRESS")) << list.substr(0, 3000);
  EXPECT_TRUE(has(list, "type=\"search\"")) << "our own script did not run";
  EXPECT_TRUE(has(list, "<title>Crashes · Faultline</title>"));

  const std::string report = browser.dump_dom(server.url() + "/crashes/" + id);
  EXPECT_TRUE(has(report, "crash-client@0x14cd4"));
  EXPECT_TRUE(has(report, "Thread 0 · main"));
  EXPECT_TRUE(has(report, "&lt;script&gt;document.title='owned'&lt;/script&gt;"));
  EXPECT_FALSE(has(report, "<title>owned"));
  EXPECT_FALSE(has(report, "<img src=\"x\""));
  EXPECT_FALSE(has(report, "href=\"javascript:"));

  EXPECT_TRUE(has(browser.dump_dom(server.url() + "/status"), "Crash reports"));

  for (const int width : {480, 1300}) {
    const std::string light = browser.screenshot(server.url() + "/crashes/" + id, false, width);
    const std::string dark = browser.screenshot(server.url() + "/crashes/" + id, true, width);
    EXPECT_GT(light.size(), 5'000u);
    EXPECT_GT(dark.size(), 5'000u);
    EXPECT_NE(light, dark) << "light and dark look the same";
  }
}

// The figures of the symbol server follow what happens; 31 virtual seconds are soon over.
TEST(Browser, KeepsTheSymbolServersFiguresUpToDate) {
  const auto program = find_browser();
  REQUIRE_OR_SKIP(program.has_value(), "no chromium on this machine");
  const auto root = base::TemporaryDirectory::create("browser-test").value();
  const ServerProcess server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  const std::string symbol = server.url() + "/symbols/app.pdb/0123456789ABCDEF0/app.pdb";
  std::atomic<bool> is_over = false;
  net::Client().get(symbol).value();
  std::thread debugger([&] {
    net::Client client;
    while (!is_over) client.get(symbol).value();
  });
  Browser browser(*program);
  const std::string page = browser.dump_dom(server.url() + "/status/symbols", 31'000);
  is_over = true;
  debugger.join();
  EXPECT_TRUE(has(page, "app.pdb")) << page.substr(0, 3000);
  EXPECT_TRUE(has(page, "<tr data-key=\"app.pdb\" class=\"changed\">")) << page;
  EXPECT_TRUE(has(page, "aria-sort=\"descending\""));
  for (const char* at : {"/status/symbols", "/missingsymbols/"}) {
    const std::string light = browser.screenshot(server.url() + at, false, 1300);
    const std::string dark = browser.screenshot(server.url() + at, true, 1300);
    EXPECT_GT(light.size(), 5'000u) << at;
    EXPECT_NE(light, dark) << at << ": light and dark look the same";
  }
}

std::string symbol_url(const ServerProcess& server, const std::string& name) {
  return server.url() + "/symbols/" + name + "/0123456789ABCDEF0/" + name;
}

void ask_for(const ServerProcess& server, const std::string& name, int times) {
  net::Client client;
  for (int i = 0; i < times; ++i) client.get(symbol_url(server, name)).value();
}

constexpr const char* kNames =
    "Array.from(document.querySelectorAll('.symbols tbody tr'), (row) => row.cells[0].textContent)";

// The page is open first; then a name is asked for that it has never shown.
TEST(Browser, ShowsASymbolThatIsFirstAskedForWhileThePageIsOpen) {
  const auto program = find_browser();
  REQUIRE_OR_SKIP(program.has_value(), "no chromium on this machine");
  const auto root = base::TemporaryDirectory::create("browser-test").value();
  const ServerProcess server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  ask_for(server, "old.pdb", 3);
  ask_for(server, "rising.pdb", 1);
  BrowserPage page(*program, server.url() + "/status/symbols");
  EXPECT_EQ(page.evaluate(kNames), "old.pdb,rising.pdb");
  page.evaluate(
      "(document.querySelector('summary, .symbols thead a').focus(), "
      "window.focused = document.activeElement, document.activeElement.nodeName)");

  ask_for(server, "new.pdb", 2);
  ask_for(server, "rising.pdb", 5);
  page.look_again();
  // With a star those that are marked, for as long as they are.
  const std::string names_and_marks =
      "Array.from(document.querySelectorAll('.symbols tbody tr'), (row) => "
      "row.cells[0].textContent + (row.classList.contains('changed') ? '*' : '')).join()";
  EXPECT_TRUE(page.comes_true(names_and_marks + " == 'rising.pdb*,old.pdb,new.pdb*'"))
      << page.evaluate(names_and_marks);
  EXPECT_EQ(page.evaluate("document.querySelector('.figures dd').textContent"), "11");
  EXPECT_EQ(page.evaluate("document.querySelector('.paging span').textContent"),
            "3 names, page 1 of 1");
  EXPECT_EQ(page.evaluate("window.focused === document.activeElement && "
                          "document.activeElement != document.body"),
            "true")
      << "the keyboard's place is lost";
}

// A page of a hundred rows stays one; the line that is read stays where it is on the screen.
TEST(Browser, KeepsTheReadersPlaceWhenRowsComeBeforeIt) {
  const auto program = find_browser();
  REQUIRE_OR_SKIP(program.has_value(), "no chromium on this machine");
  const auto root = base::TemporaryDirectory::create("browser-test").value();
  const ServerProcess server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  for (int i = 0; i < 100; ++i) ask_for(server, "m" + std::to_string(100 + i) + ".pdb", 1);
  BrowserPage page(*program, server.url() + "/status/symbols?sort=name&order=asc");
  const std::string line = "document.querySelector('[data-key=\"m150.pdb\"]')";
  const std::string top = line + ".getBoundingClientRect().top";
  page.evaluate(line + ".scrollIntoView()");
  ASSERT_NE(page.evaluate("window.scrollY"), "0");
  page.evaluate("window.topBefore = " + top);

  ask_for(server, "a1.pdb", 1);
  ask_for(server, "a2.pdb", 1);
  page.look_again();
  EXPECT_TRUE(page.comes_true("document.querySelector('[data-key=\"a2.pdb\"]') != null"));
  EXPECT_EQ(page.evaluate("Math.abs(" + top + " - window.topBefore) < 2"), "true")
      << page.evaluate(top + " + ' was ' + window.topBefore");
  EXPECT_EQ(page.evaluate("document.querySelectorAll('.symbols tbody tr').length"), "100");
  EXPECT_EQ(page.evaluate("document.querySelector('.paging span').textContent"),
            "102 names, page 1 of 2");
  EXPECT_EQ(page.evaluate("document.querySelector('.paging a').textContent"), "Next →");
}

// By keyboard alone: Tab to the head of a column, Enter, and the table is sorted by it.
TEST(Browser, SortsTheTableOfSymbolsByKeyboard) {
  const auto program = find_browser();
  REQUIRE_OR_SKIP(program.has_value(), "no chromium on this machine");
  const auto root = base::TemporaryDirectory::create("browser-test").value();
  const ServerProcess server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  ask_for(server, "often.pdb", 3);
  ask_for(server, "a-seldom.pdb", 1);
  BrowserPage page(*program, server.url() + "/status/symbols");
  EXPECT_EQ(page.evaluate(kNames), "often.pdb,a-seldom.pdb");

  const std::string focused = "document.activeElement.textContent";
  page.press(clients::kTab);
  EXPECT_EQ(page.evaluate(focused), "Skip to the content") << "the first stop";
  int stops = 1;
  while (page.evaluate(focused) != "Symbol" && stops < 40) {
    page.press(clients::kTab);
    ++stops;
    EXPECT_NE(page.evaluate("getComputedStyle(document.activeElement).outlineStyle"), "none")
        << "where is the keyboard? " << page.evaluate("document.activeElement.outerHTML");
  }
  ASSERT_EQ(page.evaluate(focused), "Symbol") << stops << " stops";
  page.press(clients::kEnter);
  EXPECT_TRUE(page.comes_true(std::string(kNames) + ".join() == 'a-seldom.pdb,often.pdb'"));
  EXPECT_EQ(page.evaluate("document.querySelector('[aria-sort=ascending]').textContent.trim()"),
            "Symbol ▲");
}

// The operator's pages, as a browser that was given a token shows them.
TEST(Browser, ShowsTheOperatorsPagesToWhoHasAToken) {
  const auto program = find_browser();
  REQUIRE_OR_SKIP(program.has_value(), "no chromium on this machine");
  const auto root = base::TemporaryDirectory::create("browser-test").value();
  const ServerProcess server = ServerProcess::start({root.path() + "/data", {}, {}, {}});
  const auto made = base::run_child(testing_support::faultline_program(),
                                    {"faultline", "admin", "token", "create", "<b>boss</b>",
                                     "--rights", "admin", "--data", root.path() + "/data"});
  ASSERT_TRUE(made.ok() && made->ok());
  const std::string secret(base::trim(made->output));
  Browser browser(*program);
  EXPECT_FALSE(has(browser.dump_dom(server.url() + "/settings/tokens"), "boss"));
  const std::string url = "http://me:" + secret + "@" + server.url().substr(7);
  const std::string tokens = browser.dump_dom(url + "/settings/tokens");
  EXPECT_TRUE(has(tokens, "&lt;b&gt;boss&lt;/b&gt;")) << tokens.substr(0, 3000);
  EXPECT_FALSE(has(tokens, "<b>boss</b>"));
  for (const char* at : {"/settings", "/settings/projects", "/settings/tokens", "/settings/uploads",
                         "/settings/files", "/settings/upstreams", "/settings/storage"}) {
    const std::string light = browser.screenshot(url + at, false, 1300);
    const std::string dark = browser.screenshot(url + at, true, 1300);
    EXPECT_GT(light.size(), 5'000u) << at;
    EXPECT_NE(light, dark) << at << ": light and dark look the same";
  }
}

}  // namespace
