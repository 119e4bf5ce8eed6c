// A server that was started with pySymProxy's configuration as it is: what its clients see, and
// where it does better than the old one did.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "extract/identify.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/raw_http.h"
#include "testing/scripted_server.h"
#include "testing/server_process.h"

namespace {

using testing::HasSubstr;
using testing::Not;
using testing_support::ScriptedServer;
using testing_support::ServerProcess;

constexpr std::string_view kId = "0123456789ABCDEF0123456789ABCDEF1";

std::string store_path(std::string_view name) { return fmt::format("/{0}/{1}/{0}", name, kId); }

net::Answer no_such_file(net::Request&) { return net::Answer::text(404, "no"); }

class PySymProxyTest : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  void write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(base::write_file_durably(path(name), base::bytes_of(text)).ok());
  }
  // `servers` as the members of the list, `general` and `more` after what must be there.
  std::string config_of(std::string_view servers, std::string_view general = "",
                        std::string_view more = "") const {
    return fmt::format(
        R"({{"identity": {{"name": "The old one", "host": "h", "administrator": "a",
                           "default_sympath": "srv*http://h:8080/symbols"}},
            "general": {{"cacheLocation": "{}", "blacklist": ["blocked"]{}}},
            "servers": [{}]{}}})",
        path("cache"), general, servers, more);
  }
  std::string directory_server(std::string_view more = "") const {
    return fmt::format(R"({{"identifier": "builds", "name": "Builds", "remote": "{}"{}}})",
                       path("store"), more);
  }
  static std::string web_server(const ScriptedServer& server, std::string_view more = "") {
    return fmt::format(R"({{"identifier": "web", "remote": "{}/sym"{}}})", server.url(), more);
  }
  void start(const std::string& config, std::vector<std::string> more = {}) {
    write("pysymproxy.json", config);
    more.insert(more.begin(), {"--config", path("pysymproxy.json")});
    server_.emplace(ServerProcess::start({path("data"), std::move(more), {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  net::ClientAnswer get(const std::string& at) const {
    const auto answer = net::Client().get(server_->url() + at);
    EXPECT_TRUE(answer.ok()) << at;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  std::string address() const { return server_->url().substr(7); }
  // Until the answer has this status: what runs off needs no exact clock.
  bool comes_to(const std::string& at, int status) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (std::chrono::steady_clock::now() < until) {
      if (get(at).status == status) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }
  base::ChildEnd run_config(const std::string& action, const std::string& file) const {
    auto end = base::run_child(testing_support::faultline_program(),
                               {"faultline", "config", action, file});
    EXPECT_TRUE(end.ok());
    return end.ok() ? *end : base::ChildEnd{};
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("pysymproxy").value();
  std::optional<ServerProcess> server_;
};

TEST_F(PySymProxyTest, TheFirstServerThatHasAFileGivesIt) {
  ScriptedServer web(root_.path(), [](net::Request& request) {
    const bool has = request.path == "/sym" + store_path("web.pdb") ||
                     request.path == "/sym" + store_path("both.pdb");
    return has ? net::Answer::text(200, "from the web") : net::Answer::text(404, "no");
  });
  write("store" + store_path("app.pdb"), "from the directory");
  write("store" + store_path("both.pdb"), "from the directory");
  start(config_of(directory_server() + "," + web_server(web)));
  EXPECT_EQ(get("/symbols" + store_path("app.pdb")).body, "from the directory");
  EXPECT_EQ(get("/symbols" + store_path("both.pdb")).body, "from the directory");
  EXPECT_EQ(web.asked, 0);
  EXPECT_EQ(get("/symbols" + store_path("web.pdb")).body, "from the web");
  EXPECT_EQ(get("/symbols" + store_path("none.pdb")).status, 404);
}

TEST_F(PySymProxyTest, ListsSayWhoIsAskedForWhat) {
  ScriptedServer web(root_.path(), no_such_file);
  start(config_of(web_server(web, R"(, "whitelist": ["wanted"], "blacklist": ["wanted_not"])")));
  EXPECT_EQ(get("/symbols" + store_path("unwanted.pdb")).status, 404);  // from the start of it
  EXPECT_EQ(get("/symbols" + store_path("wanted_not.pdb")).status, 404);
  EXPECT_EQ(web.asked, 0);
  EXPECT_EQ(get("/symbols" + store_path("wanted.pdb")).status, 404);
  EXPECT_GT(web.asked, 0);
}

TEST_F(PySymProxyTest, WhatTheBlacklistRefusesIsAskedForNowhere) {
  ScriptedServer web(root_.path(), no_such_file);
  write("store" + store_path("blocked.pdb"), "from the directory");
  start(config_of(directory_server() + "," + web_server(web)));
  EXPECT_EQ(get("/symbols" + store_path("blocked.pdb")).status, 404);
  EXPECT_EQ(web.asked, 0);
}

// What the old one had fetched over the years is there, and nobody is asked for it.
TEST_F(PySymProxyTest, ExistingCachesAreServed) {
  ScriptedServer web(root_.path(), no_such_file);
  write("cache" + store_path("app.pdb"), "fetched before");
  write("second" + store_path("other.pdb"), "also fetched");
  start(config_of(web_server(web, fmt::format(R"(, "cacheLocation": "{}")", path("second")))));
  EXPECT_EQ(get("/symbols" + store_path("app.pdb")).body, "fetched before");
  EXPECT_EQ(get("/symbols" + store_path("other.pdb")).body, "also fetched");
  EXPECT_EQ(web.asked, 0);
  EXPECT_TRUE(base::file_exists(path("cache") + store_path("app.pdb")));
}

// As the old one kept it, for whoever reads that tree besides.
TEST_F(PySymProxyTest, WhatComesIsWrittenIntoTheCaches) {
  ScriptedServer web(root_.path(), [](net::Request& request) {
    return request.path == "/sym" + store_path("app.pdb") ? net::Answer::text(200, "the file")
                                                          : net::Answer::text(404, "no");
  });
  start(config_of(web_server(web, fmt::format(R"(, "cacheLocation": "{}")", path("second")))));
  EXPECT_EQ(get("/symbols" + store_path("app.pdb")).body, "the file");
  EXPECT_EQ(server_->stop(), 0);
  for (const std::string& tree : std::vector<std::string>{"cache", "second"}) {
    EXPECT_EQ(base::list_files(path(tree)).value().size(), 1u);
    EXPECT_EQ(base::read_file(path(tree) + store_path("app.pdb")).value_or(""), "the file");
  }
}

// As symsrv found out for it: nobody could write down how many tiers a store has.
TEST_F(PySymProxyTest, StoresOfTwoTiersAreReadAndKeptAsSuch) {
  ScriptedServer web(
      root_.path(),
      [](net::Request& request) {
        const bool has = request.path == "/sym/we" + store_path("web.pdb");
        return has ? net::Answer::text(200, "from the web") : net::Answer::text(404, "no");
      },
      [](net::Request&) { return net::Answer::text(200, ""); });
  write("store/index2.txt", "");
  write("store/ap" + store_path("app.pdb"), "from the directory");
  write("cache/index2.txt", "");
  write("cache/ol" + store_path("old.pdb"), "fetched before");
  start(config_of(directory_server() + "," + web_server(web)));
  EXPECT_EQ(get("/symbols" + store_path("app.pdb")).body, "from the directory");
  EXPECT_EQ(get("/symbols" + store_path("old.pdb")).body, "fetched before");
  EXPECT_EQ(get("/symbols" + store_path("web.pdb")).body, "from the web");
  EXPECT_EQ(web.asked_for_tiers, 1);
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_EQ(base::read_file(path("cache/we") + store_path("web.pdb")).value_or(""), "from the web");
}

// symsrv looked there for it, too.
TEST_F(PySymProxyTest, APointerOfAWebServerIsFollowed) {
  ASSERT_TRUE(base::make_directories(path("drop")).ok());
  testing_support::must_run("echo 'int f(void) { return 1; }' | cc -x c -shared -g -o '" +
                            path("drop/libfar.so") + "' - -Wl,--build-id=sha1");
  const std::string library = base::read_file(path("drop/libfar.so")).value();
  const std::string folder =
      "/libfar.so/elf-buildid-" + extract::identify(base::bytes_of(library)).build_id + "/";
  ScriptedServer web(root_.path(), [&](net::Request& request) {
    return request.path == "/sym" + folder + "file.ptr"
               ? net::Answer::text(200, R"(PATH:\\lantern\drop\libfar.so)")
               : net::Answer::text(404, "no");
  });
  start(config_of(web_server(web)), {"--unc", "\\\\lantern\\drop=" + path("drop")});
  EXPECT_TRUE(get("/symbols" + folder + "libfar.so").body == library);
}

// Its documentation said retryTimout, its program read retryTimeout: who wrote the one waited a
// minute, whatever it said.
TEST_F(PySymProxyTest, TheTimeoutHoldsInTheSpellingOfItsDocumentation) {
  std::atomic<bool> has = false;
  ScriptedServer web(root_.path(), [&](net::Request&) {
    return has ? net::Answer::text(200, "the file") : net::Answer::text(404, "no");
  });
  // The cache has a minute of its own.
  start(config_of(web_server(web, R"(, "retryTimout": 1)")));
  EXPECT_EQ(get("/symbols" + store_path("app.pdb")).status, 404);
  has = true;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(comes_to("/symbols" + store_path("app.pdb"), 200));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30));
  EXPECT_THAT(server_->log(), HasSubstr("servers[0].retryTimout: is read as retryTimeout"));
}

TEST_F(PySymProxyTest, AShareIsReadWhereItIsMountedAndLeftOutElsewhere) {
  write("store/nightly" + store_path("app.pdb"), "from the share");
  write("more" + store_path("other.pdb"), "from the directory");
  const std::string servers =
      R"({"identifier": "a", "remote": "\\\\lantern\\symbols\\nightly"},
         {"identifier": "b", "remote": "\\\\gone\\symbols"},
         {"identifier": "c", "remote": ")" +
      path("more") + "\"}";
  start(config_of(servers), {"--unc", "\\\\Lantern\\Symbols=" + path("store")});
  EXPECT_EQ(get("/symbols" + store_path("app.pdb")).body, "from the share");
  EXPECT_EQ(get("/symbols" + store_path("other.pdb")).body, "from the directory");
  EXPECT_EQ(get("/symbols" + store_path("none.pdb")).status, 404);
  EXPECT_THAT(server_->log(), HasSubstr("b: \\\\gone\\symbols is nowhere on this machine"));
}

// The old one said 200 to every single segment, so that symsrv took a server at its root for a
// two-tier store; and 405 to HEAD; and served what lay above its test directory.
TEST_F(PySymProxyTest, ItsFaultsAreNotCopied) {
  write("store" + store_path("app.pdb"), "the file");
  write("store/secret", "a secret");
  start(config_of(directory_server()));
  for (const std::string& at : std::vector<std::string>{"/foo", "/favicon.gif", "/index2.txt",
                                                        "/symbols/index2.txt", "/0.log"}) {
    EXPECT_EQ(get(at).status, 404) << at;
  }
  EXPECT_EQ(get("/symbols/pingme.txt").status, 200);
  for (const std::string& at : std::vector<std::string>{
           "/test/../store/secret", "/test/..%2f..%2fstore/secret", "/test/%2e%2e/store/secret",
           "/symbols/../store/secret", "/symbols/..%5cstore%5csecret/1/x"}) {
    const auto answer = testing_support::raw_get(address(), at);
    EXPECT_NE(answer.status, 200) << at;
    EXPECT_THAT(answer.body, Not(HasSubstr("a secret"))) << at;
  }
  const auto head = testing_support::raw_exchange(
      address(), "HEAD /symbols" + store_path("app.pdb") + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(head.received, HasSubstr("200 OK"));
  EXPECT_THAT(head.received, HasSubstr("Content-Length: 8\r\n"));
  const auto miss = get("/symbols" + store_path("none.pdb"));
  EXPECT_EQ(miss.headers.find("Content-Type").value_or(""), "text/plain; charset=utf-8");
  // People paste the full stop at the end of the sentence in its documentation.
  EXPECT_EQ(get("/symbols." + store_path("app.pdb")).body, "the file");
}

TEST_F(PySymProxyTest, OneFileInTwoSpellingsIsAskedForOnce) {
  ScriptedServer web(root_.path(), [](net::Request&) { return net::Answer::text(200, "a file"); });
  start(config_of(web_server(web)));
  EXPECT_EQ(get("/symbols" + store_path("FOO.PDB")).body, "a file");
  const int asked = web.asked;
  EXPECT_GT(asked, 0);
  EXPECT_EQ(get("/symbols" + store_path("foo.pdb")).body, "a file");
  EXPECT_EQ(web.asked, asked);
}

// The other server may tell them apart.
TEST_F(PySymProxyTest, AMissHoldsForTheSpellingThatWasTried) {
  ScriptedServer web(root_.path(), [](net::Request& request) {
    return request.path.ends_with("/foo.pdb") ? net::Answer::text(200, "a file")
                                              : net::Answer::text(404, "no");
  });
  start(config_of(web_server(web)));
  EXPECT_EQ(get("/symbols" + store_path("FOO.PDB")).status, 404);
  const int asked = web.asked;
  EXPECT_EQ(get("/symbols" + store_path("FOO.PDB")).status, 404);
  EXPECT_EQ(web.asked, asked);
  EXPECT_EQ(get("/symbols" + store_path("foo.pdb")).body, "a file");
  EXPECT_EQ(get("/symbols" + store_path("FOO.PDB")).body, "a file") << "it is here now";
}

TEST_F(PySymProxyTest, TheConfigurationIsShownToTheOperatorWithoutSecrets) {
  start(config_of(R"({"identifier": "w", "remote": "http://me:hunter2@127.0.0.1:1/s"})"));
  const auto shown = get("/pysymproxy.json");
  ASSERT_EQ(shown.status, 200);
  const auto json = base::JsonValue::parse(shown.body);
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["identity"]["name"].text_or(""), "The old one");
  EXPECT_THAT(shown.body, Not(HasSubstr("hunter2")));
  for (const std::string& header : std::vector<std::string>{
           "X-Forwarded-For: 10.0.0.1\r\n", "Origin: http://127.0.0.1\r\n", "Via: 1.1 proxy\r\n"}) {
    const auto refused = testing_support::raw_get(address(), "/pysymproxy.json", header);
    EXPECT_NE(refused.status, 200) << header;
    EXPECT_THAT(refused.body, Not(HasSubstr("The old one"))) << header;
  }
}

TEST_F(PySymProxyTest, LogsAreNumberedFromOne) {
  const std::string logging = fmt::format(
      R"(, "logging": {{"version": 1, "handlers": {{"f": {{
          "class": "logging.handlers.RotatingFileHandler", "filename": "{}",
          "maxBytes": 1000000, "backupCount": 3}}}}}})",
      path("logs/log.txt"));
  write("logs/log.txt.2", "an older one\n");
  start(config_of(directory_server(), "", logging));
  EXPECT_THAT(get("/1.log").body, HasSubstr(server_->url()));
  EXPECT_EQ(get("/2.log").body, "an older one\n");
  for (const std::string& at :
       std::vector<std::string>{"/0.log", "/3.log", "/-1.log", "/x.log", "/.log"}) {
    EXPECT_EQ(get(at).status, 404) << at;
  }
  EXPECT_NE(testing_support::raw_get(address(), "/1.log", "X-Forwarded-For: 10.0.0.1\r\n").status,
            200);
  // The page has links to them, for who may follow them.
  const std::string page = get("/").body;
  EXPECT_THAT(page, HasSubstr("<h2 id=\"logs\">Log files</h2>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/1.log\">Log 1</a>"));
  EXPECT_THAT(page, HasSubstr("<a href=\"/2.log\">Log 2</a>"));
  EXPECT_THAT(page, Not(HasSubstr("/3.log")));
  const auto strangers = testing_support::raw_get(address(), "/", "X-Forwarded-For: 10.0.0.1\r\n");
  EXPECT_EQ(strangers.status, 200);
  EXPECT_THAT(strangers.body, Not(HasSubstr("Log files")));
}

// A tree that the old one filled is used where it lies: it is storage, too.
TEST_F(PySymProxyTest, StorageCountsTheTreesOfTheOldConfiguration) {
  write("cache" + store_path("app.pdb"), std::string(3'000'000, 'x'));
  write("second" + store_path("other.pdb"), std::string(2'000'000, 'x'));
  start(config_of(directory_server(fmt::format(R"(, "cacheLocation": "{}")", path("second")))));
  const auto usage = [this] {
    const auto json = base::JsonValue::parse(get("/statistics.json").body);
    return json.ok() ? (*json)["diskUsage"].integer_or(0) : 0;
  };
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (usage() < 5'000'000 && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_GE(usage(), 5'000'000);
  EXPECT_LT(usage(), 6'000'000);
}

// A server with a configuration of ours has neither.
TEST_F(PySymProxyTest, OtherServersShowNothingOfThis) {
  write("faultline.toml", "log_file = \"" + path("log.txt") + "\"\n");
  server_.emplace(
      ServerProcess::start({path("data"), {"--config", path("faultline.toml")}, {}, {}}));
  EXPECT_EQ(get("/pysymproxy.json").status, 404);
  EXPECT_EQ(get("/1.log").status, 404);
  EXPECT_THAT(base::read_file(path("log.txt")).value_or(""), HasSubstr(server_->url()));
}

TEST_F(PySymProxyTest, AMissingKeyEndsTheStart) {
  write("pysymproxy.json", R"({"identity": {"name": "n", "administrator": "a"}})");
  const auto end = base::run_child(
      testing_support::faultline_program(),
      {"faultline", "serve", "--data", path("data"), "--config", path("pysymproxy.json")});
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->exit_code, 2);
  EXPECT_THAT(end->errors, HasSubstr(path("pysymproxy.json") +
                                     ": Configuration value missing: identity.default_sympath"));
}

// SymProxy's own list, beside pySymProxy's.
TEST_F(PySymProxyTest, ExclusionsAreReadAgainWhenTheOperatorSaysSo) {
  write("store" + store_path("msodbc.pdb"), "the file");
  write("store" + store_path("other.pdb"), "another file");
  write("symsrv.ini", "[exclusions]\r\nMSO*\r\n");
  write("faultline.toml", "[upstreams]\nexclusions = \"" + path("symsrv.ini") + "\"\n");
  start(config_of(directory_server()), {"--config", path("faultline.toml")});
  EXPECT_EQ(get("/symbols" + store_path("msodbc.pdb")).status, 404);
  EXPECT_EQ(get("/symbols" + store_path("other.pdb")).body, "another file");
  write("symsrv.ini", "[exclusions]\r\n");
  ASSERT_EQ(::kill(server_->pid(), SIGHUP), 0);
  ASSERT_TRUE(server_->log_comes_to_say("configuration read again"));
  EXPECT_EQ(get("/symbols" + store_path("msodbc.pdb")).body, "the file")
      << "that nobody was asked for it is remembered no more";
}

TEST_F(PySymProxyTest, WhatIsDeniedIsReadAgainWhenTheOperatorSaysSo) {
  write("store" + store_path("first.pdb"), "the first");
  write("store" + store_path("second.pdb"), "the second");
  write("store" + store_path("third.pdb"), "the third");
  const auto denying = [&](const char* everywhere, const char* there) {
    std::string config =
        config_of(directory_server(fmt::format(R"(, "blacklist": ["{}"])", there)));
    return config.replace(config.find("blocked"), std::strlen("blocked"), everywhere);
  };
  const auto status_of = [&](const char* name) {
    return get("/symbols" + store_path(name)).status;
  };
  start(denying("first", "second"));
  EXPECT_EQ(status_of("first.pdb"), 404);
  EXPECT_EQ(status_of("second.pdb"), 404);

  write("pysymproxy.json", denying("third", "(fourth"));
  ASSERT_EQ(::kill(server_->pid(), SIGHUP), 0);
  ASSERT_TRUE(server_->log_comes_to_say("configuration not read again, the old stays"));
  EXPECT_EQ(status_of("first.pdb"), 404) << "the old list, as a whole";

  write("pysymproxy.json", denying("third", "fourth"));
  ASSERT_EQ(::kill(server_->pid(), SIGHUP), 0);
  ASSERT_TRUE(server_->log_comes_to_say("configuration read again"));
  EXPECT_EQ(status_of("first.pdb"), 200);
  EXPECT_EQ(status_of("second.pdb"), 200);
  EXPECT_EQ(status_of("third.pdb"), 404);
  const std::string page = get("/").body;
  EXPECT_THAT(page, HasSubstr("<code>third</code>"));
  EXPECT_THAT(page, Not(HasSubstr("<code>first</code>")));
}

TEST_F(PySymProxyTest, WhatWaitsForTheNextStartIsNamed) {
  write("faultline.toml", "workers = 3\n");
  start(config_of(directory_server()), {"--config", path("faultline.toml")});
  write("faultline.toml", "workers = 4\n[limits]\nrequests_per_address = 9\nconnections = 77\n");
  write("pysymproxy.json", config_of(directory_server(R"(, "maxRequests": 3)")));
  ASSERT_EQ(::kill(server_->pid(), SIGHUP), 0);
  EXPECT_TRUE(server_->log_comes_to_say(
      "what else changed waits for the next start: workers, limits.connections, [[upstream]] "));
  EXPECT_TRUE(server_->log_comes_to_say("configuration read again"));
  EXPECT_EQ(server_->log().find("requests_per_address"), std::string::npos);
}

TEST_F(PySymProxyTest, TheLogsLevelIsReadAgainWhenTheOperatorSaysSo) {
  write("faultline.toml", "log_level = \"info\"\n");
  start(config_of(directory_server()), {"--config", path("faultline.toml")});
  write("faultline.toml", "log_level = \"loud\"\n");
  ASSERT_EQ(::kill(server_->pid(), SIGHUP), 0);
  EXPECT_TRUE(server_->log_comes_to_say("configuration not read again, the old stays"));
  write("faultline.toml", "log_level = \"off\"\n");
  ASSERT_EQ(::kill(server_->pid(), SIGHUP), 0);
  EXPECT_EQ(server_->stop(), 0);
  EXPECT_EQ(server_->log().find("stopping: signal"), std::string::npos);
}

TEST_F(PySymProxyTest, TheCommandsCheckAndTranslate) {
  write("pysymproxy.json", config_of(directory_server(R"(, "retryTimout": 9)")));
  const auto checked = run_config("check", path("pysymproxy.json"));
  EXPECT_EQ(checked.exit_code, 0) << checked.errors;
  EXPECT_THAT(checked.output,
              HasSubstr("is pySymProxy's and right: 2 upstream servers and caches"));
  EXPECT_THAT(checked.errors, HasSubstr("servers[0].retryTimout"));
  const auto imported = run_config("import", path("pysymproxy.json"));
  EXPECT_EQ(imported.exit_code, 0) << imported.errors;
  write("faultline.toml", imported.output);
  EXPECT_THAT(imported.output, HasSubstr("retry_seconds = 9\n"));
  EXPECT_EQ(run_config("check", path("faultline.toml")).exit_code, 0);
  write("wrong.json", config_of(directory_server(R"(, "whitelist": ["("])")));
  const auto wrong = run_config("check", path("wrong.json"));
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.errors, HasSubstr("Builds"));
}

// The example of docs/protocols/upstreams.md.
TEST_F(PySymProxyTest, TheEnvironmentIsCheckedAsWell) {
  write("secret", "wJalrXUtnFEMI\n");
  write("faultline.toml",
        "[[upstream]]\nname = \"our archive\"\nurl = \"s3://symbols/v1\"\nregion = \"eu-west-1\"\n"
        "access_key = \"AKIA\"\n");
  write("elsewhere/x", "");
  const auto check = [&](const std::string& environment, const std::string& file) {
    return testing_support::run("cd " + root_.path() + "/elsewhere && env " + environment + " " +
                                testing_support::faultline_program() + " config check " + file);
  };
  const std::string secret = "FAULTLINE_UPSTREAM_0_SECRET_KEY_FILE=" + path("secret");
  const auto half = check("", path("faultline.toml"));
  EXPECT_EQ(half.exit_code, 1) << half.output;
  EXPECT_THAT(half.errors, HasSubstr("our archive: access_key and secret_key go together"));
  const auto whole = check(secret, path("faultline.toml"));
  EXPECT_EQ(whole.exit_code, 0) << whole.errors;
  EXPECT_THAT(whole.output, HasSubstr("is faultline's and right: 1 upstream servers"));
  const auto wrong = check(secret + " FAULTLINE_LIMITS_UPLOAD=much", path("faultline.toml"));
  EXPECT_EQ(wrong.exit_code, 1) << wrong.output;
  EXPECT_THAT(wrong.errors, HasSubstr("FAULTLINE_LIMITS_UPLOAD"));
  // Without a file as well.
  EXPECT_EQ(check("FAULTLINE_LIMITS_UPLOAD=5", "").exit_code, 0);
  EXPECT_EQ(check("FAULTLINE_LIMITS_UPLOAD=much", "").exit_code, 1);
  EXPECT_EQ(check("FAULTLINE_LOG_ANSWERS=some", "").exit_code, 1);
}

}  // namespace
