// A real server with an upstream directory, and what it says afterwards about what it was asked:
// statistics.json, symbols.json, the missing symbols, its pages.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "db/database.h"
#include "net/client.h"
#include "statistics/use_rows.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"

namespace {

using testing_support::ServerProcess;

constexpr std::string_view kId = "0123456789ABCDEF0123456789ABCDEF1";
constexpr std::string_view kDeny = "deny = [\"mso\"]";

class SymbolStatistics : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }

  void write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(base::write_file_durably(path(name), base::bytes_of(text)).ok());
  }
  // A directory as upstream server, with these keys.
  std::string store_table(std::string_view keys) const {
    return fmt::format(
        "[[upstream]]\nname = \"our store\"\nurl = \"{}\"\nretry_seconds = 600\n{}\n",
        path("store"), keys);
  }
  // With a directory as upstream server, and those of `more`.
  void start(const std::string& more = "") { start_with(store_table(kDeny) + more); }
  void start_with(const std::string& config) {
    write("store/here", "");
    write("faultline.toml", config);
    server_.emplace(
        ServerProcess::start({path("data"), {"--config", path("faultline.toml")}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  net::ClientAnswer send(const std::string& method, const std::string& at, std::string body = {},
                         std::initializer_list<std::pair<const char*, const char*>> headers = {}) {
    net::ClientRequest request;
    request.method = method;
    request.url = server_->url() + at;
    request.body = std::move(body);
    for (const auto& [name, value] : headers) request.headers.set(name, value);
    net::ClientOptions options;
    options.redirects_max = 0;
    const auto answer = net::Client(options).send(request);
    EXPECT_TRUE(answer.ok()) << at;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  net::ClientAnswer get(const std::string& at) { return send("GET", at); }
  net::ClientAnswer page(const std::string& at) {
    return send("GET", at, "", {{"Accept", "text/html,*/*"}});
  }
  base::JsonValue json(const std::string& at) {
    const auto parsed = base::JsonValue::parse(get(at).body);
    EXPECT_TRUE(parsed.ok()) << at;
    return parsed.ok() ? *parsed : base::JsonValue();
  }
  void ask(const std::string& name, const std::string& file, int times, int status) {
    for (int i = 0; i < times; ++i) {
      EXPECT_EQ(get(fmt::format("/symbols/{}/{}/{}", name, kId, file)).status, status)
          << name << "/" << file;
    }
  }
  std::int64_t missing() { return json("/api/v1/missing")["total_count"].integer_or(-1); }
  // The server notes what came a moment after it has come.
  void expect_missing(std::int64_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (missing() != count && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    EXPECT_EQ(missing(), count);
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("statistics").value();
  std::optional<ServerProcess> server_;
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string keys_of(const base::JsonValue& value) {
  std::string keys;
  if (value.object() == nullptr) return keys;
  for (const auto& [key, member] : *value.object()) keys += key + " ";
  return keys;
}

TEST_F(SymbolStatistics, CountWhatCameOfEachRequestAndKeepItOverARestart) {
  start();
  write("store/app.bin/" + std::string(kId) + "/app.bin", "the file");
  ask("app.bin", "app.bin", 3, 200);    // fetched, then from memory
  ask("lost.pdb", "lost.pdb", 3, 404);  // asked for upstream, then remembered
  ask("LOST.pdb", "LOST.pdb", 1, 404);
  ask("lost.pdb", "lost.pd_", 1, 404);
  ask("lost.pdb", "file.ptr", 1, 404);
  ask("mso.pdb", "mso.pdb", 2, 404);
  EXPECT_EQ(get("/favicon.ico").status, 404);  // no symbol

  for (int start_number = 0; start_number < 2; ++start_number) {
    const base::JsonValue totals = json("/statistics.json");
    EXPECT_EQ(keys_of(totals),
              "diskUsage numAcceptedRequests numCacheHit numExcluded numInvalidRequests numPending "
              "numRequests numSuccess numSymbols ");
    EXPECT_EQ(totals["numRequests"].integer_or(-1), 9);
    EXPECT_EQ(totals["numInvalidRequests"].integer_or(-1), 2);
    EXPECT_EQ(totals["numSuccess"].integer_or(-1), 3);
    EXPECT_EQ(totals["numSymbols"].integer_or(-1), 3);
    EXPECT_EQ(totals["numExcluded"].integer_or(-1), 2);
    EXPECT_EQ(totals["numAcceptedRequests"].integer_or(-1), 7);
    EXPECT_EQ(totals["numPending"].integer_or(-1), 0);
    EXPECT_GE(totals["numCacheHit"].integer_or(-1), 4);

    const base::JsonValue symbols = json("/symbols.json");
    EXPECT_EQ(keys_of(symbols), "app.bin lost.pdb mso.pdb ");
    const base::JsonValue& app = symbols["app.bin"];
    EXPECT_EQ(keys_of(app),
              "file lastAccessTime numCacheHit numCacheMiss numExcluded numFail numPending "
              "numRequests numSuccess serverHits serverMisses totalTimeServicing ");
    EXPECT_EQ(app["file"].text_or(""), "app.bin");
    EXPECT_EQ(app["numRequests"].integer_or(-1), 3);
    EXPECT_EQ(app["numSuccess"].integer_or(-1), 3);
    EXPECT_EQ(app["numCacheHit"].integer_or(-1), 2);
    EXPECT_EQ(app["numCacheMiss"].integer_or(-1), 1);
    EXPECT_EQ(app["serverHits"]["our store"].integer_or(-1), 1);
    ASSERT_NE(app["totalTimeServicing"].number(), nullptr);
    EXPECT_GT(*app["totalTimeServicing"].number(), 0);
    ASSERT_NE(app["lastAccessTime"].number(), nullptr);
    EXPECT_NEAR(*app["lastAccessTime"].number(), static_cast<double>(base::now().us) / 1e6, 600);
    EXPECT_EQ(symbols["lost.pdb"]["numRequests"].integer_or(-1), 4);
    EXPECT_EQ(symbols["lost.pdb"]["numFail"].integer_or(-1), 4);
    EXPECT_GE(symbols["lost.pdb"]["serverMisses"]["our store"].integer_or(-1), 1);
    EXPECT_EQ(symbols["mso.pdb"]["numExcluded"].integer_or(-1), 2);
    EXPECT_EQ(symbols["mso.pdb"]["numFail"].integer_or(-1), 0);
    EXPECT_EQ(keys_of(json("/symbols.json?name=MSO")), "mso.pdb ");
    if (start_number == 1) break;
    EXPECT_EQ(server_->stop(), 0);
    start();
  }
}

TEST_F(SymbolStatistics, CountAsMissingWhatProjectsAndKindsLeaveOut) {
  struct Row {
    const char *keys, *module;
    std::int64_t excluded;  // so far, of mso.pdb, where somebody is asked for the default project
  };
  const std::vector<Row> rows{{"projects = [\"games\"]\n", "xul", 0},
                              {"kinds = [\"elf\"]\n", "nss", 1},
                              {"layout = \"breakpad\"\nkinds = [\"pdb\"]\n", "gfx", 2}};
  for (const Row& row : rows) {
    start_with(store_table(row.keys + std::string(kDeny)));
    const std::string pdb = fmt::format("{}.pdb", row.module);
    ask(pdb, fmt::format("{}.sym", row.module), 1, 404);
    ask("mso.pdb", "mso.pdb", 1, 404);
    EXPECT_EQ(json("/symbols.json")[pdb]["numFail"].integer_or(-1), 1) << row.keys;
    EXPECT_EQ(json("/statistics.json")["numExcluded"].integer_or(-1), row.excluded) << row.keys;
    EXPECT_TRUE(has(get("/missingsymbols.csv?today=1").body, pdb)) << row.keys;
    EXPECT_EQ(server_->stop(), 0);
  }
}

TEST_F(SymbolStatistics, FollowWhatIsDeniedAndExcludedByNow) {
  write("symsrv.ini", "[exclusions]\n");
  const std::string exclusions = "[upstreams]\nexclusions = \"" + path("symsrv.ini") + "\"\n";
  start(exclusions);
  ask("mso.pdb", "mso.pdb", 10, 404);
  ask("lost.pdb", "lost.pdb", 10, 404);
  expect_missing(1);
  const auto is_suggested = [&](const char* name) {
    return has(page("/status/symbols").body, fmt::format("{}\\.pdb$", name));
  };
  EXPECT_TRUE(is_suggested("lost"));

  write("symsrv.ini", "[exclusions]\nlost*\n");
  write("faultline.toml", store_table("") + exclusions);
  ASSERT_EQ(::kill(server_->pid(), SIGHUP), 0);
  ASSERT_TRUE(server_->log_comes_to_say("configuration read again"));
  EXPECT_FALSE(is_suggested("lost"));
  ask("mso.pdb", "mso.pdb", 10, 404);
  ask("lost.pdb", "lost.pdb", 10, 404);
  const base::JsonValue symbols = json("/symbols.json");
  for (const char* name : {"mso.pdb", "lost.pdb"}) {
    EXPECT_EQ(symbols[name]["numExcluded"].integer_or(-1), 10) << name;
    EXPECT_EQ(symbols[name]["numFail"].integer_or(-1), 10) << name;
  }
  EXPECT_TRUE(is_suggested("mso"));
  EXPECT_FALSE(is_suggested("lost"));
  expect_missing(2);
}

TEST_F(SymbolStatistics, TellUpstreamServersApart) {
  testing_support::ScriptedServer far(root_.path(), [](net::Request& request) {
    if (has(request.path, "far.bin")) return net::Answer::text(200, "the far file");
    return net::Answer::text(has(request.path, "broken") ? 500 : 404, "no");
  });
  start(far.table("name = \"far\"\ndeny = [\"mso\"]\n"));
  ask("far.bin", "far.bin", 2, 200);
  ask("lost.bin", "lost.bin", 1, 404);
  ask("broken.bin", "broken.bin", 1, 503);
  const base::JsonValue symbols = json("/symbols.json");
  EXPECT_EQ(symbols["far.bin"]["serverMisses"]["our store"].integer_or(0), 1);
  EXPECT_EQ(symbols["far.bin"]["serverHits"]["far"].integer_or(0), 1);
  EXPECT_EQ(symbols["lost.bin"]["serverMisses"]["far"].integer_or(0), 1);
  EXPECT_EQ(symbols["broken.bin"]["numFail"].integer_or(0), 1);
  EXPECT_TRUE(symbols["broken.bin"]["serverMisses"]["far"].is_null()) << "it may have it";
  expect_missing(1);
  const std::string shown = page("/status/symbols?servers=1&sort=h1").body;
  EXPECT_TRUE(has(shown, "title=\"Hits of far\""));
  EXPECT_TRUE(has(shown, ": 1 hits, "));
  EXPECT_TRUE(has(shown, "1 failures"));
}

TEST_F(SymbolStatistics, ListWhatNobodyHadUntilItComes) {
  start();
  const std::string id(kId);
  const std::string at = "/foo.pdb/" + id + "/foo.sym";
  EXPECT_EQ(get(at + "?code_file=foo.dll&code_id=5F00000012000").status, 404);
  EXPECT_EQ(get(at).status, 404);
  const std::string other = "FF" + id.substr(2);
  EXPECT_EQ(get("/a,b.pdb/" + other + "/a,b.sym").status, 404);
  EXPECT_EQ(get("/libfoo.so/" + other + "/libfoo.so.sym").status, 404);  // no PDB: not in the CSV
  expect_missing(3);

  const net::ClientAnswer csv = get("/missingsymbols.csv?today=1");
  EXPECT_EQ(csv.body, "debug_file,debug_id,code_file,code_id\r\n\"a,b.pdb\"," + other +
                          ",,\r\nfoo.pdb," + id + ",foo.dll,5F00000012000\r\n");
  EXPECT_EQ(csv.headers.find("Content-Type"), "text/csv");
  EXPECT_EQ(csv.headers.find("Content-Disposition"), "attachment; filename=\"missing-symbols-" +
                                                         base::iso8601(base::now()).substr(0, 10) +
                                                         ".csv\"");
  EXPECT_EQ(get("/missingsymbols.csv").body, "debug_file,debug_id,code_file,code_id\r\n");

  const base::JsonValue list = json("/missingsymbols/?symbol=FOO.pdb");
  EXPECT_EQ(keys_of(list), "batch_size order_by page records total_count ");
  const base::JsonValue& first = list["records"].at(0);
  EXPECT_EQ(keys_of(first),
            "code_file code_id count created_at debugid filename id modified_at symbol ");
  EXPECT_EQ(first["count"].integer_or(-1), 2);
  EXPECT_EQ(first["debugid"].text_or(""), id);
  EXPECT_EQ(get("/missingsymbols/?page=0").status, 400);
  EXPECT_EQ(json("/missingsymbols/?modified_at=%3C1999-01-01")["total_count"].integer_or(-1), 0);

  EXPECT_LT(
      send("PUT", at, "MODULE windows x86_64 " + id + " foo.pdb\nFUNC 1000 10 0 main\n").status,
      300);
  expect_missing(2);
  EXPECT_EQ(server_->stop(), 0);
  start();
  expect_missing(2);
}

TEST_F(SymbolStatistics, AskUpstreamAgainWhenSomebodySaysSo) {
  start();
  const std::string at = "/app.bin/" + std::string(kId) + "/app.bin";
  EXPECT_EQ(get(at).status, 404);
  expect_missing(1);
  write("store" + at, "the file");
  EXPECT_EQ(get(at).status, 404) << "the miss is remembered";
  const std::string wanted = "{\"symbol\": \"app.bin\", \"debugid\": \"" + std::string(kId) +
                             "\", \"filename\": \"app.bin\"}";
  EXPECT_EQ(
      send("POST", "/api/v1/missing/fetch", wanted, {{"Origin", "http://evil.example"}}).status,
      403);
  EXPECT_EQ(send("POST", "/api/v1/missing/fetch", wanted, {{"X-Forwarded-For", "10.0.0.1"}}).status,
            401);
  EXPECT_EQ(send("POST", "/api/v1/missing/fetch", "{\"symbol\": \"../x\"}").status, 400);
  EXPECT_EQ(get(at).status, 404);
  EXPECT_EQ(send("POST", "/api/v1/missing/fetch", wanted).body,
            "{\"state\":\"here\",\"reason\":\"\"}");
  EXPECT_EQ(missing(), 0);
  EXPECT_EQ(get(at).body, "the file");
}

TEST_F(SymbolStatistics, ForgetMissesByThePagesButtons) {
  start();
  const std::string id(kId);
  for (const char* name : {"one.bin", "two.bin"}) {
    const std::string path = fmt::format("{0}/{1}/{0}", name, kId);
    EXPECT_EQ(get("/" + path).status, 404);
    write("store/" + path, "the file");
  }
  const std::string shown = page("/missingsymbols/").body;
  EXPECT_TRUE(has(shown, "<form method=\"post\" action=\"/missingsymbols/\">")) << shown;
  EXPECT_TRUE(has(shown, "one.bin"));
  const auto fetched =
      send("POST", "/missingsymbols/", "symbol=one.bin&debugid=" + id + "&filename=one.bin",
           {{"Origin", server_->url().c_str()}, {"Sec-Fetch-Site", "same-origin"}});
  EXPECT_EQ(fetched.status, 303);
  const std::string next(fetched.headers.find("Location").value_or(""));
  EXPECT_TRUE(has(page(next).body, "is here now")) << next;
  EXPECT_EQ(get("/one.bin/" + id + "/one.bin").status, 200);

  EXPECT_EQ(get("/two.bin/" + id + "/two.bin").status, 404);
  EXPECT_EQ(send("POST", "/status/symbols", "", {{"Sec-Fetch-Site", "cross-site"}}).status, 403);
  const auto cleared = send("POST", "/status/symbols", "");
  EXPECT_EQ(cleared.status, 303);
  EXPECT_TRUE(has(page("/status/symbols?cleared=1").body, "All remembered misses were cleared"));
  EXPECT_EQ(get("/two.bin/" + id + "/two.bin").status, 200);
}

TEST_F(SymbolStatistics, AreShownWithoutAnybodysMarkup) {
  start();
  ask("&lt;b&gt;.pdb", "&lt;b&gt;.pdb", 1, 404);
  const std::string shown = page("/status/symbols?name=%22%3E%3Cscript%3E").body;
  EXPECT_TRUE(has(shown, "value=\"&quot;&gt;&lt;script&gt;\"")) << shown.substr(0, 2000);
  EXPECT_FALSE(has(shown, "\"><script>"));
  EXPECT_TRUE(has(page("/status/symbols").body, "&amp;lt;b&amp;gt;.pdb"));
  const std::string missed = page("/missingsymbols/?asked=%3Cscript%3E&state=here").body;
  EXPECT_TRUE(has(missed, "&lt;script&gt;"));
  EXPECT_TRUE(has(missed, "&amp;lt;b&amp;gt;.pdb"));
  EXPECT_FALSE(has(missed, "<script>"));
  // Where upstream servers are is for who may act, not for everybody.
  EXPECT_TRUE(has(page("/status/symbols").body, path("store")));
  const auto far = send("GET", "/status/symbols", "", {{"X-Forwarded-For", "10.0.0.1"}});
  EXPECT_TRUE(has(far.body, "our store"));
  EXPECT_FALSE(has(far.body, path("store")));
}

TEST_F(SymbolStatistics, StayLightWithAHundredThousandNames) {
  start();
  EXPECT_EQ(server_->stop(), 0);
  {
    const auto database = db::Database::open("sqlite:" + path("data") + "/faultline.db");
    ASSERT_TRUE(database.ok()) << database.error().what;
    statistics::SymbolTable::Unsaved rows;
    for (int i = 0; i < 100'000; ++i) {
      statistics::SymbolRow row{fmt::format("some_module_name_{}.pdb", i), {}};
      row.counts.requests = row.counts.failures = i;
      row.counts.us = i;
      row.counts.last_at = base::now();
      row.counts.of_server(0).misses = i;
      rows.rows.push_back(std::move(row));
    }
    ASSERT_TRUE(statistics::save_use(**database, {"our store"}, rows).ok());
  }
  start();
  EXPECT_EQ(json("/statistics.json")["numSymbols"].integer_or(-1), 100'000);
  const auto began = base::monotonic_us();
  const std::string shown = page("/status/symbols?servers=1").body;
  RecordProperty("page_ms", static_cast<int>((base::monotonic_us() - began) / 1000));
  EXPECT_LE(shown.size(), 100u * 1024);
  EXPECT_TRUE(has(shown, "some_module_name_99999.pdb"));
  EXPECT_TRUE(has(shown, "page 1 of 1000"));
  EXPECT_TRUE(has(page("/status/symbols?page=1000").body, "some_module_name_0.pdb"));
  EXPECT_EQ(json("/symbols.json").size(), 100'000u);
  EXPECT_EQ(json("/symbols.json?page=1").size(), 100u);
}

TEST_F(SymbolStatistics, AreToldToPrometheus) {
  start();
  write("store/app.bin/" + std::string(kId) + "/app.bin", "the file");
  ask("app.bin", "app.bin", 2, 200);
  ask("lost.pdb", "lost.pdb", 1, 404);
  EXPECT_EQ(get("/buildid/0123456789abcdef/debuginfo").status, 404);
  // A request is counted when its answer has gone out: perhaps a moment after it is here.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  std::string metrics;
  do {
    metrics = get("/metrics").body;
  } while (!has(metrics, "http_requests_total{type=\"debuginfo\"} 1\n") &&
           std::chrono::steady_clock::now() < until);
  for (const char* line :
       {"faultline_upstream_hits_total{upstream=\"our store\"} 1\n",
        "faultline_symbol_requests_total{outcome=\"success\"} 2\n",
        "http_requests_total{type=\"debuginfo\"} 1\n",
        "http_responses_duration_milliseconds_count{code=\"200\",type=\"symbol\"} 2\n",
        "ready 1\n"}) {
    EXPECT_TRUE(has(metrics, line)) << line << metrics;
  }
}

}  // namespace
