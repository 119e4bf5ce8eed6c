// Mozilla's symbolication server as it was run: DiskCache and SymServer with the original's
// configuration, quickstart, the cache under its bound; and where better is done than there.
#include <fmt/format.h>
#include <sys/stat.h>

#include <csignal>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "mozilla_place.h"
#include "testing/commands.h"
#include "testing/silent_listener.h"

namespace mozilla {
namespace {

using testing_support::free_port;
using testing_support::have_command;

class MozillaServer : public Place {
 protected:
  // The bytes of all files in a directory.
  std::uint64_t size_of(const std::string& directory) const {
    std::uint64_t size = 0;
    const auto files = base::list_files(directory);
    EXPECT_TRUE(files.ok());
    for (const std::string& file : *files) {
      struct stat info{};
      if (::stat(file.c_str(), &info) == 0) size += static_cast<std::uint64_t>(info.st_size);
    }
    return size;
  }
  void put(const std::string& module, const std::string& function, std::size_t size = 0) {
    symbols_.put(module + ".pdb/" + kId + "/" + module + ".sym",
                 sym(module + ".pdb", function, size));
  }
  static bool until(const std::function<bool()>& holds) {
    for (int i = 0; i < 600; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
};

TEST_F(MozillaServer, DirectoriesComeBeforeServersAndEachInItsOrder) {
  write("one/a.pdb/" + std::string(kId) + "/a.sym", sym("a.pdb", "of_one"));
  write("two/a.pdb/" + std::string(kId) + "/a.sym", sym("a.pdb", "of_two", 4000));
  write("two/b.pdb/" + std::string(kId) + "/b.sym", sym("b.pdb", "of_two"));
  for (const char* module : {"a", "b", "c"}) put(module, "of_url");
  const Program cache = disk_cache(urls() + R"j(, "localSymbolDirs": [")j" + path("one") +
                                   R"j(", ")j" + path("two") + "\"]");
  EXPECT_EQ(ask(cache->url(), frames("a.pdb", "[0, 4096]")), known(R"j("of_one (in a.pdb)")j"));
  EXPECT_EQ(ask(cache->url(), frames("b.pdb", "[0, 4096]")), known(R"j("of_two (in b.pdb)")j"));
  EXPECT_EQ(ask(cache->url(), frames("c.pdb", "[0, 4096]")), known(R"j("of_url (in c.pdb)")j"));
  // What was built again there is used from then on, without a restart.
  write("one/a.pdb/" + std::string(kId) + "/a.sym", sym("a.pdb", "built_again"));
  EXPECT_TRUE(until([&] {
    return ask(cache->url(), frames("a.pdb", "[0, 4096]")) ==
           known(R"j("built_again (in a.pdb)")j");
  }));
}

TEST_F(MozillaServer, TheCacheKeepsItsBoundAndLetsOthersFilesBe) {
  write("cache/mine/notes.txt", "");
  write("cache/tmp/notes.txt", "");
  for (int i = 0; i < 6; ++i) put("m" + std::to_string(i), "f" + std::to_string(i), 300'000);
  const Program cache = disk_cache(urls() + R"j(, "maxSizeMB": 1)j");
  const auto check = [&](int i) {
    const std::string module = "m" + std::to_string(i) + ".pdb";
    const std::string text = "\"f" + std::to_string(i) + " (in " + module + ")\"";
    EXPECT_EQ(ask(cache->url(), frames(module, "[0, 4096]")), known(text));
    EXPECT_LE(size_of(path("cache")), 1u << 20);
  };
  for (int i = 0; i < 6; ++i) check(i);
  for (int i = 0; i < 6; ++i) check(i);
  EXPECT_TRUE(base::file_exists(path("cache/mine/notes.txt")));
  EXPECT_TRUE(base::file_exists(path("cache/tmp/notes.txt")));
  // A module that is larger than the whole cache is answered, too.
  put("huge", "of_huge", 3'000'000);
  EXPECT_EQ(ask(cache->url(), frames("huge.pdb", "[0, 4096]")),
            known(R"j("of_huge (in huge.pdb)")j"));
  put("m9", "f9", 300'000);
  check(9);
}

// The original kept symbols as they came, or what it had made of them, under the same names.
TEST_F(MozillaServer, WhatTheOriginalKeptAsItCameIsUsedAndLeftAlone) {
  const std::string kept = "cache/a.pdb/" + std::string(kId) + "/a.sym";
  const std::string made = "cache/b.pdb/" + std::string(kId) + "/b.sym";
  const std::string made_text = "DiskCache v.1\n0x2000 last\n0x1000 made\n";
  write(kept, sym("a.pdb", "kept"));
  write(made, made_text);
  for (const char* module : {"a", "b"}) put(module, "of_url");
  for (int start = 0; start < 2; ++start) {
    const Program cache = disk_cache(urls());
    EXPECT_EQ(ask(cache->url(), frames("a.pdb", "[0, 4096]")), known(R"j("kept (in a.pdb)")j"));
    EXPECT_EQ(ask(cache->url(), frames("b.pdb", "[0, 4096]")), known(R"j("of_url (in b.pdb)")j"));
    for (const char* module : {"a.pdb", "b.pdb"}) {
      EXPECT_EQ(act(cache->url(), "cacheEvict", of_module(module)), R"j({"success": true})j");
    }
    EXPECT_EQ(ask(cache->url(), frames("a.pdb", "[0, 4096]")), known(R"j("kept (in a.pdb)")j"));
    EXPECT_EQ(base::read_file(path(kept)).value_or(""), sym("a.pdb", "kept"));
    EXPECT_EQ(base::read_file(path(made)).value_or(""), made_text);
  }
  EXPECT_TRUE(symbols_.asked("a.pdb/" + std::string(kId) + "/a.sym").empty());
}

TEST_F(MozillaServer, NamesAreCodedAndServersMayPackWhatTheyHave) {
  put("a b+c", "odd");
  // A URL without its last slash is the same.
  std::string url = symbols_.url();
  url.pop_back();
  const Program cache = disk_cache("\"symbolURLs\": [\"" + url + "\"]");
  EXPECT_EQ(ask(cache->url(), frames("a b+c.pdb", "[0, 4096]")),
            known(R"j("odd (in a b+c.pdb)")j"));
  const std::vector<std::string> targets = symbols_.targets();
  ASSERT_FALSE(targets.empty());
  EXPECT_EQ(targets[0], "/s/a%20b%2Bc.pdb/" + std::string(kId) + "/a%20b%2Bc.sym");
  // What is no .pdb has .sym behind its whole name.
  symbols_.put("liba.so/" + std::string(kId) + "/liba.so.sym", sym("liba.so", "of_so"));
  EXPECT_EQ(ask(cache->url(), frames("liba.so", "[0, 4096]")), known(R"j("of_so (in liba.so)")j"));
  int number = 0;
  for (const char* coding : {"gzip", "x-gzip", "deflate"}) {
    const std::string module = "packed" + std::to_string(++number);
    put(module, coding, 2000);
    symbols_.pack_as(coding);
    EXPECT_EQ(ask(cache->url(), frames(module + ".pdb", "[0, 4096]")),
              known("\"" + std::string(coding) + " (in " + module + ".pdb)\""));
  }
}

TEST_F(MozillaServer, FilesThatSomebodyDeletesAreBroughtAgain) {
  put("a", "good");
  const std::string asked = frames("a.pdb", "[0, 4096]");
  const std::string answer = known(R"j("good (in a.pdb)")j");
  const auto delete_all = [&] {
    std::size_t deleted = 0;
    for (const char* place : {"cache/faultline/index", "cache/faultline/extracted"}) {
      const auto files = base::list_files(path(place));
      ASSERT_TRUE(files.ok()) << place;
      for (const std::string& file : *files) deleted += base::remove_file(file).ok() ? 1 : 0;
    }
    EXPECT_GE(deleted, 2u) << "the copy and its index";
  };
  Program cache = disk_cache(urls());
  ASSERT_EQ(ask(cache->url(), asked), answer);
  delete_all();
  EXPECT_EQ(ask(cache->url(), asked), answer);
  cache.reset();
  cache = disk_cache(urls());
  EXPECT_EQ(ask(cache->url(), asked), answer) << "nothing of it is in memory now";
  delete_all();
  EXPECT_NE(act(cache->url(), "cacheAddRaw", of_module("a.pdb")), R"j({"path": null})j");
  EXPECT_EQ(ask(cache->url(), asked), answer);
}

TEST_F(MozillaServer, TheCacheIsWarmAfterARestartAndWithoutAnyServer) {
  put("a", "good");
  const std::string answer = known(R"j("good (in a.pdb)")j");
  {
    const Program cache = disk_cache(urls());
    ASSERT_EQ(ask(cache->url(), frames("a.pdb", "[0, 4096]")), answer);
  }
  const std::size_t before = symbols_.targets().size();
  const Program again = disk_cache(urls());
  EXPECT_EQ(ask(again->url(), frames("a.pdb", "[0, 4096], [0, 8192]")),
            known(R"j("good (in a.pdb)", "last (in a.pdb)")j"));
  EXPECT_EQ(symbols_.targets().size(), before) << "nobody was asked again";
}

TEST_F(MozillaServer, SymServerAnswersWhereDiskCacheDoesNot) {
  const std::uint16_t port = free_port();
  const std::string json =
      fmt::format(R"j({{"DiskCache": {{"cachePath": "{}"}}, "SymServer": {{"listenAddress": )j"
                  R"j("127.0.0.1", "port": {}, "memcachedServers": [], "DiskCacheServer": )j"
                  R"j("127.0.0.1:{}", "log": {{"path": "{}"}}}}}})j",
                  path("cache"), port, free_port(), path("SymServer.log"));
  const Program server = program({"symserver", "--configJSON", json}, port);
  const auto answer = post(server->url(), frames("a.pdb", "[0, 4096], [-1, 7]"));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, known(R"j("0x1000 (in a.pdb)", "0x7")j", "false"));
}

// They come at once: each copy may have to go before it is read.
TEST_F(MozillaServer, AsksAgainForWhatTheOthersOfOneQuestionDroveOut) {
  std::string modules, stack, texts, are_known;
  for (int i = 0; i < 6; ++i) {
    const std::string number = std::to_string(i);
    const std::string comma = i == 0 ? "" : ", ";
    put("m" + number, "f" + number, 300'000);
    modules += fmt::format(R"j({}["m{}.pdb", "{}"])j", comma, i, kId);
    stack += fmt::format("{}[{}, 4096]", comma, i);
    texts += fmt::format(R"j({}"f{} (in m{}.pdb)")j", comma, i, i);
    are_known += comma + "true";
  }
  const Program cache = disk_cache(urls() + R"j(, "maxSizeMB": 1)j");
  EXPECT_EQ(
      ask(cache->url(), fmt::format(R"j({{"version": 4, "memoryMap": [{}], "stacks": [[{}]]}})j",
                                    modules, stack)),
      known(texts, are_known.c_str()));
  EXPECT_LE(size_of(path("cache")), 1u << 20);
}

TEST_F(MozillaServer, WhatIsMissingIsAskedForOnceAndWhatFailsAsOftenAsIsSaid) {
  const Program cache = disk_cache(urls() + R"j(, "retries": 3, "retryDelayMs": 300)j");
  const std::string hex = known(R"j("0x1000 (in no.pdb)")j", "false");
  EXPECT_EQ(ask(cache->url(), frames("no.pdb", "[0, 4096]")), hex);
  EXPECT_EQ(ask(cache->url(), frames("no.pdb", "[0, 4096]")), hex);
  EXPECT_EQ(symbols_.asked("no.pdb/" + std::string(kId) + "/no.sym").size(), 1u);

  symbols_.fail_with(500);
  ask(cache->url(), frames("bad.pdb", "[0, 4096]"));
  const auto asked = symbols_.asked("bad.pdb/" + std::string(kId) + "/bad.sym");
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_GE(asked[1] - asked[0], std::chrono::milliseconds(300));
  EXPECT_GE(asked[2] - asked[1], std::chrono::milliseconds(300));
}

TEST_F(MozillaServer, AnswersWhereTheOriginalFailed) {
  put("a", "good");
  symbols_.put("m.pdb/" + std::string(kId) + "/m.sym",
               sym("m.pdb", "plain") + "FUNC m 1800 10 0 folded\nPUBLIC m 1900 0 many\n");
  write("secret/" + std::string(kId) + "/secret.sym", sym("secret", "told"));
  ASSERT_TRUE(base::make_directories(path("local")).ok());
  const Program cache = disk_cache(urls() + R"j(, "localSymbolDirs": [")j" + path("local") + "\"]");
  const std::string& url = cache->url();
  const auto status = [&](const std::string& body) { return post(url, body).status; };
  // Every stack is looked at, not the first alone; no stacks are a question, too.
  const std::string map = R"j("memoryMap": [["a.pdb", ")j" + std::string(kId) + "\"]]";
  EXPECT_EQ(status(R"j({"version": 4, "stacks": [[[0, 1]], [["x", 1]]], )j" + map + "}"), 400);
  EXPECT_EQ(ask(url, R"j({"version": 4, "stacks": [], )j" + map + "}"),
            R"j({"symbolicatedStacks": [], "knownModules": [false]})j");
  // A record with the marker m spoils neither its file nor the request.
  EXPECT_EQ(ask(url, frames("m.pdb", "[0, 6144], [0, 4096]")),
            known(R"j("folded (in m.pdb)", "plain (in m.pdb)")j"));
  EXPECT_EQ(ask(url, frames("no.pdb", "[0, 9223372036854775808]")),
            known(R"j("0x8000000000000000 (in no.pdb)")j", "false"));
  // The index -1 is no module, also for DiskCache.
  EXPECT_EQ(ask(url, frames("a.pdb", "[-1, 4096]")), known(R"j("0x1000")j", "false"));
  EXPECT_EQ(ask(url, R"j({"version": 4, "memoryMap": [], "stacks": [[[-1, 16]]]})j"),
            R"j({"symbolicatedStacks": [["0x10"]], "knownModules": []})j");
  EXPECT_EQ(ask(url, frames("../secret", "[0, 4096]")),
            known(R"j("0x1000 (in ../secret)")j", "false"));
  EXPECT_EQ(ask(url, frames("\u00e4.pdb", "[0, 4096]")),
            known("\"0x1000 (in \u00e4.pdb)\"", "false"));
}

TEST_F(MozillaServer, DiskCacheAnswersBothVersionsAlike) {
  const Program cache = disk_cache(urls());
  EXPECT_EQ(ask(cache->url(), R"j({"version": 3, "memoryMap": [], "stacks": [[[-1, 16]]]})j"),
            R"j({"symbolicatedStacks": [["0x10"]], "knownModules": []})j");
}

TEST_F(MozillaServer, DiskCacheHasItsDebugActions) {
  put("a", "good");
  const Program cache = disk_cache(urls());
  const std::string& url = cache->url();
  const std::string module = of_module("a.pdb");
  EXPECT_EQ(act(url, "cacheExists", module), R"j({"exists": false})j");
  const auto got = base::JsonValue::parse(act(url, "cacheGet", module)).value();
  EXPECT_EQ(base::read_file(std::string(got["path"].text_or(""))).value_or(""),
            sym("a.pdb", "good"));
  EXPECT_EQ(act(url, "cacheExists", module), R"j({"exists": true})j");
  // An entry is a name and an id, as it was there.
  EXPECT_EQ(act(url, "cacheExists", of_module("b.pdb")), R"j({"exists": false})j");
  EXPECT_EQ(act(url, "cacheEvict", of_module("b.pdb")), R"j({"success": true})j");
  EXPECT_EQ(act(url, "cacheExists", module), R"j({"exists": true})j");
  EXPECT_EQ(act(url, "cacheEvict", module), R"j({"success": true})j");
  EXPECT_EQ(act(url, "cacheExists", module), R"j({"exists": false})j");
  EXPECT_EQ(act(url, "cacheEvict", module), R"j({"success": true})j");

  put("a", "newer");
  const auto raw = base::JsonValue::parse(act(url, "cacheAddRaw", module)).value();
  EXPECT_EQ(base::read_file(std::string(raw["path"].text_or(""))).value_or(""),
            sym("a.pdb", "newer"));
  EXPECT_EQ(ask(url, frames("a.pdb", "[0, 4096]")), known(R"j("newer (in a.pdb)")j"));
  EXPECT_EQ(act(url, "cacheGet", of_module("no.pdb")), R"j({"path": null})j");
  EXPECT_EQ(act(url, "heartbeat"), "{}");
  EXPECT_EQ(act(url, "dance", module), R"j({"message": "Invalid action"})j");
  EXPECT_EQ(act(url, "outputCacheHits", R"j(, "enabled": true)j"),
            R"j({"message": "Invalid action"})j");
  EXPECT_EQ(post(url, R"j({"debug": true, "action": "cacheGet"})j").status, 500);
}

TEST_F(MozillaServer, BodiesMayBeAsLargeAsThere) {
  const Program cache = disk_cache(urls());
  const std::string padding(40 << 20, ' ');
  EXPECT_EQ(post(cache->url(), frames("a.pdb", "[-1, 16]", padding)).status, 200);
  EXPECT_EQ(post(cache->url(), padding).status, 400);
}

TEST_F(MozillaServer, AConfigurationThatIsNoneIsBadUsage) {
  write("broken.json", "{");
  for (const char* program : {" diskcache", " symserver"}) {
    const base::ChildEnd end = testing_support::run(testing_support::faultline_program() + program +
                                                    " -c " + path("broken.json"));
    EXPECT_EQ(end.exit_code, 2) << program << end.errors;
    EXPECT_NE(end.errors.find("broken.json"), std::string::npos) << end.errors;
    EXPECT_EQ(testing_support::run(testing_support::faultline_program() + program +
                                   " -c broken.json --configJSON {}")
                  .exit_code,
              2);
  }
}

TEST_F(MozillaServer, OldSnappyRunsInTheBackgroundAsWell) {
  const std::uint16_t port = free_port();
  write("snappy.ini", "[General]\nhostname = 127.0.0.1\nportNumber = " + std::to_string(port) +
                          "\n[DiskCache]\ndiskCachePath = " + path("cache") +
                          "\n[Log]\nlogPath = " + path("snappy.log") + "\n");
  const auto faultline = [&](const std::string& action) {
    return testing_support::run("cd " + root_.path() + " && " +
                                testing_support::faultline_program() +
                                " symserver -c snappy.ini --pidfile own.pid " + action);
  };
  const base::ChildEnd started = faultline("start");
  EXPECT_EQ(started.exit_code, 0) << started.errors;
  EXPECT_TRUE(base::file_exists(path("own.pid")));
  EXPECT_EQ(faultline("status").exit_code, 0);
  EXPECT_EQ(faultline("stop").exit_code, 0);
  EXPECT_EQ(faultline("status").exit_code, 1);
  EXPECT_FALSE(base::file_exists(path("own.pid")));
}

// Snappy's servers, each with a directory of its own, that name each other.
class Forwarding : public MozillaServer {
 protected:
  Program snappy(const std::string& name, std::uint16_t port, const std::string& remote) {
    EXPECT_TRUE(base::make_directories(path(name + ".symbols")).ok());
    write(name + ".ini", fmt::format("[General]\nhostname = 127.0.0.1\nportNumber = {}\n"
                                     "remoteSymbolServer = {}\n[DiskCache]\ndiskCachePath = {}\n"
                                     "[Log]\nlogPath = {}\n[SymbolPaths]\nown = {}\n",
                                     port, remote, path(name + ".cache"), path(name + ".log"),
                                     path(name + ".symbols")));
    return program({"symserver", "-c", path(name + ".ini")}, port);
  }
  static std::string url_of(std::uint16_t port) {
    return "http://127.0.0.1:" + std::to_string(port) + "/";
  }
  static std::string about_both(const std::string& list) {
    return fmt::format(R"j({{"version": 4, "memoryMap": [["a.pdb", "{0}"], ["b.pdb", "{0}"]], )j"
                       R"j("stacks": [[{1}]]}})j",
                       kId, list);
  }
};

TEST_F(Forwarding, AsksTheOtherServerAboutWhatNobodyHereHasAndEnds) {
  write("one.symbols/a.pdb/" + std::string(kId) + "/a.sym", sym("a.pdb", "of_one"));
  write("two.symbols/b.pdb/" + std::string(kId) + "/b.sym", sym("b.pdb", "of_two"));
  const std::uint16_t first = free_port(), second = free_port();
  const Program one = snappy("one", first, url_of(second));
  const Program two = snappy("two", second, url_of(first));
  const std::string asked = about_both("[0, 4096], [1, 4096], [1, 1], [-1, 7]");
  const std::string answer =
      known(R"j("of_one (in a.pdb)", "of_two (in b.pdb)", "0x1 (in b.pdb)", "0x7")j", "true, true");
  EXPECT_EQ(ask(one->url(), asked), answer);
  EXPECT_EQ(ask(two->url(), asked), answer);
  // What neither has is asked back and forth three times, and no more.
  EXPECT_EQ(ask(one->url(), frames("no.pdb", "[0, 4096]")),
            known(R"j("0x1000 (in no.pdb)")j", "false"));
}

TEST_F(Forwarding, TriesTheOlderVersionAndLeavesAloneWhoFails) {
  std::mutex mutex;
  std::vector<std::string> bodies;
  const auto seen = [&] {
    const std::lock_guard lock(mutex);
    return bodies;
  };
  testing_support::ScriptedServer other(root_.path(), [&](net::Request& request) {
    const std::lock_guard lock(mutex);
    bodies.push_back(request.body);
    if (request.body.find("odd.pdb") != std::string::npos) return net::Answer::text(400, "");
    if (request.body.find("\"version\":4") != std::string::npos) return net::Answer::text(400, "");
    return net::Answer::json(200, R"j([["far (in b.pdb)"]])j");
  });
  const Program one = snappy("one", free_port(), other.url() + "/");
  EXPECT_EQ(ask(one->url(), frames("b.pdb", "[0, 4096]", R"j(, "forwarded": 1)j")),
            known(R"j("far (in b.pdb)")j", "false"))
      << "version 3 does not say what is known";
  ASSERT_EQ(seen().size(), 2u);
  EXPECT_EQ(seen()[1], fmt::format(R"j({{"version":3,"forwarded":2,"memoryMap":[["b.pdb","{}"]],)j"
                                   R"j("stacks":[[[0,4096]]]}})j",
                                   kId));
  // Passed on often enough.
  EXPECT_EQ(ask(one->url(), frames("b.pdb", "[0, 4096]", R"j(, "forwarded": 3)j")),
            known(R"j("0x1000 (in b.pdb)")j", "false"));
  EXPECT_EQ(seen().size(), 2u);
  // A question that it refuses is no reason to ask it nothing else.
  EXPECT_EQ(ask(one->url(), frames("odd.pdb", "[0, 4096]")),
            known(R"j("0x1000 (in odd.pdb)")j", "false"));
  EXPECT_EQ(ask(one->url(), frames("b.pdb", "[0, 4096]")), known(R"j("far (in b.pdb)")j", "false"));
  EXPECT_EQ(seen().size(), 6u);

  const Program alone = snappy("alone", free_port(), url_of(free_port()));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ask(alone->url(), frames("b.pdb", "[0, 4096]")),
              known(R"j("0x1000 (in b.pdb)")j", "false"));
  }
}

class Quickstart : public MozillaServer {
 protected:
  void SetUp() override {
    put("a", "good");
    configure("\"restart\": true");
  }
  void configure(const std::string& sym_server) {
    write("config.json",
          R"j({"DiskCache": {"cachePath": ")j" + path("cache") +
              R"j(", "listenAddress": "127.0.0.1", "port": )j" + std::to_string(disk_cache_) +
              R"j(, "log": {"path": ")j" + path("DiskCache.log") + R"j("}, )j" + urls() +
              R"j(}, "SymServer": {"listenAddress": "127.0.0.1", "port": )j" +
              std::to_string(sym_server_) + R"j(, "log": {"path": ")j" + path("SymServer.log") +
              R"j("}, "memcachedServers": [], "DiskCacheServer": "127.0.0.1:)j" +
              std::to_string(disk_cache_) +
              R"j("}, "quickstart": {"memcached": {"start": false},)j" +
              R"j( "DiskCache": {"restart": false}, "SymServer": {)j" + sym_server + "}}}");
  }
  int quickstart(const std::string& words) {
    const base::ChildEnd end =
        testing_support::run(testing_support::faultline_program() + " quickstart -c " +
                             path("config.json") + " " + words);
    said_ = end.output + end.errors;
    return end.exit_code;
  }
  std::string pid(const std::string& name) const {
    return std::string(base::trim(base::read_file(path("pids/" + name + ".pid")).value_or("")));
  }
  void TearDown() override {
    EXPECT_EQ(quickstart("stop"), 0) << said_;
    for (const char* log : {"DiskCache.log", "SymServer.log"}) {
      if (HasFailure()) ADD_FAILURE() << base::read_file(path(log)).value_or("");
    }
  }

  std::uint16_t disk_cache_ = free_port();
  std::uint16_t sym_server_ = free_port();
  std::string url_ = "http://127.0.0.1:" + std::to_string(sym_server_);
  std::string said_;
};

TEST_F(Quickstart, StartsBothWaitsUntilTheyAnswerAndStopsThem) {
  ASSERT_EQ(quickstart("-v"), 0) << said_;
  EXPECT_EQ(ask(url_, frames("a.pdb", "[0, 4096], [0, 1]")),
            known(R"j("good (in a.pdb)", "0x1 (in a.pdb)")j"));
  EXPECT_EQ(quickstart("status"), 0) << said_;
  const std::string first = pid("SymServer"), cache = pid("DiskCache");
  ASSERT_EQ(quickstart(""), 0) << said_;
  EXPECT_NE(pid("SymServer"), first) << "its restart is true";
  EXPECT_EQ(pid("DiskCache"), cache) << "its restart is false";
  ASSERT_EQ(quickstart("restart"), 0) << said_;
  EXPECT_NE(pid("DiskCache"), cache);
  EXPECT_EQ(ask(url_, frames("a.pdb", "[0, 4096]")), known(R"j("good (in a.pdb)")j"));
  ASSERT_EQ(quickstart("--stop"), 0) << said_;
  EXPECT_EQ(quickstart("status"), 255);
  EXPECT_EQ(pid("DiskCache"), "");
  EXPECT_EQ(quickstart("--stop"), 0);
  EXPECT_NE(said_.find("No servers to stop"), std::string::npos) << said_;
}

// The first quickstart had no configuration when it was to stop: pids/ says what runs.
TEST_F(Quickstart, StopsWithoutAConfiguration) {
  ASSERT_EQ(quickstart(""), 0) << said_;
  const base::ChildEnd end = testing_support::run(
      "cd " + root_.path() + " && " + testing_support::faultline_program() + " quickstart --stop");
  EXPECT_EQ(end.exit_code, 0) << end.errors;
  EXPECT_EQ(quickstart("status"), 255);
  EXPECT_EQ(pid("DiskCache") + pid("SymServer"), "");
  EXPECT_EQ(testing_support::run(testing_support::faultline_program() + " quickstart").exit_code,
            2);
}

TEST_F(Quickstart, WaitsWhereItsServersListen) {
  std::string text = base::read_file(path("config.json")).value_or("");
  for (const char* there :
       {"\"listenAddress\": \"127.0.0.1\"", "\"DiskCacheServer\": \"127.0.0.1:"}) {
    const std::size_t at = text.find(there);
    ASSERT_NE(at, std::string::npos);
    text.replace(text.find("127.0.0.1", at), 9, "127.0.0.2");
  }
  write("config.json", text);
  ASSERT_EQ(quickstart(""), 0) << said_;
  EXPECT_EQ(ask("http://127.0.0.2:" + std::to_string(disk_cache_), frames("a.pdb", "[0, 4096]")),
            known(R"j("good (in a.pdb)")j"));
  EXPECT_EQ(ask(url_, frames("a.pdb", "[0, 4096]")), known(R"j("good (in a.pdb)")j"));
}

TEST_F(Quickstart, LetsAloneWhatItIsNotToStart) {
  ASSERT_EQ(quickstart(""), 0) << said_;
  const std::string before = pid("SymServer");
  configure("\"start\": false, \"restart\": true");
  ASSERT_EQ(quickstart(""), 0) << said_;
  EXPECT_EQ(pid("SymServer"), before);
  EXPECT_EQ(ask(url_, frames("a.pdb", "[0, 4096]")), known(R"j("good (in a.pdb)")j"));
}

TEST_F(Quickstart, SaysWhatDidNotStart) {
  if (!have_command("memcached")) GTEST_SKIP() << "memcached is not installed";
  const Program other = memcached(sym_server_);
  ASSERT_TRUE(other->is_up());
  EXPECT_EQ(quickstart(""), 255);
  EXPECT_NE(said_.find("SymServer"), std::string::npos) << said_;
  EXPECT_EQ(quickstart("dance"), 2);
  write("config.json", "{");
  EXPECT_EQ(quickstart("status"), 255);
  configure("\"restart\": true");
}

// It has the program's name and words, and somebody listens, who never says a word.
TEST_F(Quickstart, SaysWhoDidNotAnswerInTime) {
  if (!have_command("bash")) GTEST_SKIP() << "bash is not installed";
  const testing_support::SilentListener mute;
  write("mute", "#!/bin/bash\nexec -a \"$0\" bash -c 'while :; do sleep 0.2; done' it \"$@\"\n");
  testing_support::must_run("chmod +x " + path("mute"));
  write("config.json",
        fmt::format(R"j({{"quickstart": {{"memcached": {{"binary": "{}", "port": {}, )j"
                    R"j("listenAddress": "127.0.0.1"}}, "DiskCache": {{"start": false}}, )j"
                    R"j("SymServer": {{"start": false}}}}}})j",
                    path("mute"), mute.port()));
  EXPECT_EQ(quickstart(""), 255);
  EXPECT_NE(said_.find("memcached did not answer in time"), std::string::npos) << said_;
  EXPECT_EQ(quickstart("status"), 0) << said_ << "it runs still";
}

// Neither a second server nor one that cannot begin takes the file from the one that runs.
TEST_F(Quickstart, KeepsThePidFileOfWhatRuns) {
  ASSERT_EQ(quickstart(""), 0) << said_;
  const std::string before = pid("DiskCache");
  const std::string again = testing_support::faultline_program() + " diskcache -c " +
                            path("config.json") + " --pidfile " + path("pids/DiskCache.pid");
  EXPECT_EQ(testing_support::run(again).exit_code, 1);
  EXPECT_EQ(pid("DiskCache"), before);
  EXPECT_EQ(testing_support::run("FAULTLINE_DRAIN_SECONDS=soon " + again).exit_code, 2);
  EXPECT_EQ(pid("DiskCache"), before);
}

// A process that has the number of one that is gone is not ours to stop.
TEST_F(Quickstart, KnowsItsOwnProcesses) {
  write("pids/SymServer.pid", std::to_string(::getpid()) + "\n");
  EXPECT_EQ(quickstart("status"), 255);
  EXPECT_NE(said_.find("SymServer: does not run"), std::string::npos) << said_;
  EXPECT_EQ(quickstart("stop"), 0);
}

}  // namespace
}  // namespace mozilla
