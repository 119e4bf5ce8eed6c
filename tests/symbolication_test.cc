// Symbolication over HTTP against requests with known answers: Eliot's, those of the first Mozilla
// server, real bodies of crash reports and profiles, and the objects' own debug information.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/child.h"
#include "symbolication_fixture.h"
#include "testing/corpus.h"
#include "testing/raw_http.h"
#include "testing/scripted_server.h"

namespace {

using base::JsonValue;
using symbolication::must_parse;
using symbolication::must_read;
using symbolication::Symbolication;
using symbolication::text_of;
using testing_support::ServerProcess;

// Without the members that Eliot does not have.
JsonValue as_eliot(const JsonValue& value) {
  if (const auto* list = value.array()) {
    JsonValue::Array out;
    for (const JsonValue& item : *list) out.push_back(as_eliot(item));
    return JsonValue(std::move(out));
  }
  const auto* members = value.object();
  if (members == nullptr) return value;
  JsonValue::Object out;
  for (const auto& [name, member] : *members) {
    if (name != "function_size" && name != "module_errors") out.emplace(name, as_eliot(member));
  }
  return JsonValue(std::move(out));
}

// A module with an odd name or id is not found; it does not spoil the others.
bool is_taken_here(std::string_view id) { return id == "modules-bad-5" || id == "modules-bad-6"; }

TEST_F(Symbolication, AnswersAsEliotDoes) {
  REQUIRE_CORPUS(corpus);
  const JsonValue cases = start_with_cases(corpus, "eliot-cases.json");
  for (const JsonValue& one : *cases["cases"].array()) {
    const std::string id(one["id"].text_or(""));
    SCOPED_TRACE(id);
    uploads::Fields headers;
    if (const auto* given = one["request_headers"].object()) {
      for (const auto& [name, value] : *given) headers[name] = value.text_or("");
    }
    const std::string body = one["request"].is_null() ? std::string(one["request_text"].text_or(""))
                                                      : text_of(one["request"]);
    const auto answer = uploads::send(server_->url(), std::string(one["method"].text_or("")),
                                      std::string(one["route"].text_or("")), body, headers);
    const JsonValue& expect = one["expect"];
    if (is_taken_here(id)) {
      EXPECT_EQ(answer.status, 200);
      continue;
    }
    EXPECT_EQ(answer.status, expect["status"].integer_or(0)) << answer.body;
    if (const auto* wanted = expect["headers"].object()) {
      for (const auto& [name, value] : *wanted) {
        EXPECT_EQ(answer.headers.find(name).value_or(""), value.text_or("")) << name;
      }
    }
    if (expect["json"].is_null()) continue;
    EXPECT_EQ(text_of(as_eliot(must_parse(answer.body))), text_of(expect["json"]));
  }
}

// `null`: the peer refused it, or dropped the file, and better is done here.
const char* better_answer(std::string_view id) {
  if (id == "empty-stacks") return R"j({"symbolicatedStacks": [], "knownModules": [false]})j";
  if (id == "multiple-marker") {
    return R"j({"symbolicatedStacks": [["folded (in badm.pdb)"]], "knownModules": [true]})j";
  }
  return nullptr;
}

TEST_F(Symbolication, AnswersAsTheFirstMozillaServerDid) {
  REQUIRE_CORPUS(corpus);
  const JsonValue cases = start_with_cases(corpus, "v4-mozilla-server.json");
  for (const JsonValue& one : *cases["cases"].array()) {
    const std::string id(one["id"].text_or(""));
    SCOPED_TRACE(id);
    const auto answer = post("/", text_of(one["request"]));
    if (const char* better = better_answer(id)) {
      EXPECT_EQ(answer.status, 200);
      EXPECT_EQ(answer.body, better);
      continue;
    }
    const JsonValue& expect = one["mozilla_server"];
    EXPECT_EQ(answer.status, expect["status"].integer_or(0)) << answer.body;
    EXPECT_EQ(answer.headers.find("Content-Type").value_or(""), "application/json");
    if (answer.status != 200) {
      EXPECT_EQ(answer.body, "");
    } else {
      EXPECT_EQ(text_of(must_parse(answer.body)), text_of(expect["body"]));
    }
  }
  const JsonValue bad = must_parse(must_read(corpus + "/symbols/symbolicate/v4-bad-bodies.json"));
  for (const JsonValue& one : *bad["cases"].array()) {
    const auto answer = post("/", std::string(one["body"].text_or("")));
    EXPECT_EQ(answer.status, 400) << one["id"].text_or("");
    EXPECT_EQ(answer.body, "");
  }
}

TEST_F(Symbolication, OldSnappyKnowsWhatItHas) {
  REQUIRE_CORPUS(corpus);
  start({"FAULTLINE_SYMBOLICATION_DIALECT=snappy"});
  upload_tree(corpus + "/symbols/symbolicate/symbols");
  EXPECT_EQ(post("/", R"j({"version":4,"memoryMap":[["mod.pdb","AABB1"],["nope.pdb","AABB9"]],)j"
                      R"j("stacks":[[[1,5]]]})j")
                .body,
            R"j({"symbolicatedStacks": [["0x5 (in nope.pdb)"]], "knownModules": [true, false]})j");
  // It looked at no path, and counted negative indexes from the end.
  EXPECT_EQ(post("/any/path/at/all",
                 R"j({"version":4,"memoryMap":[["mod.pdb","AABB1"],["nope.pdb","AABB9"]],)j"
                 R"j("stacks":[[[-2,4096],[-1,7]]]})j")
                .body,
            R"j({"symbolicatedStacks": [["funcA(int) (in mod.pdb)", "0x7"]], )j"
            R"j("knownModules": [true, false]})j");
}

// It took a GET for a POST, and had nothing else to give.
TEST_F(Symbolication, OldSnappyDidNotLookAtTheMethod) {
  start({"FAULTLINE_SYMBOLICATION_DIALECT=snappy"});
  const std::string body = R"j({"version":4,"memoryMap":[],"stacks":[[[-1,16]]]})j";
  const std::string address = server_->url().substr(std::string_view("http://").size());
  const auto get_with = [&](const std::string& path, const std::string& content) {
    const auto sent = testing_support::raw_exchange(
        address, fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}",
                             path, content.size(), content));
    return sent.answers.empty() ? testing_support::RawAnswer() : sent.answers[0];
  };
  for (const char* path : {"/", "/any", "/any/path/at", "/any/path/at/all"}) {
    const auto answer = get_with(path, body);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.body, R"j({"symbolicatedStacks": [["0x10"]], "knownModules": []})j") << path;
    const auto refused = get_with(path, "{");
    EXPECT_EQ(refused.status, 400) << path;
    EXPECT_EQ(refused.body, "") << path;
  }
  EXPECT_EQ(uploads::send(server_->url(), "HEAD", "/", "").status, 200);
  EXPECT_EQ(get_with("/", "").header("Content-Type"), "text/html; charset=utf-8")
      << "the page of the server";
  EXPECT_EQ(get_with("/healthz", "").body, "ok\n");
}

// Unlike there, a body is not taken by whoever has a page at the same path.
TEST_F(Symbolication, TheFirstMozillaServerTookNothingFromAGet) {
  start();
  const std::string address = server_->url().substr(std::string_view("http://").size());
  const auto sent = testing_support::raw_exchange(
      address, "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n{");
  EXPECT_EQ(sent.status(), 200);
  EXPECT_EQ(sent.answers[0].header("Content-Type"), "text/html; charset=utf-8");
}

// A page is told what was wrong with what it did.
TEST_F(Symbolication, EveryRefusalOfEliotsIsForPages) {
  start();
  for (const auto& [method, status] :
       std::vector<std::pair<std::string, int>>{{"GET", 405}, {"DELETE", 405}, {"POST", 400}}) {
    const auto answer = uploads::send(server_->url(), method, "/symbolicate/v5", "",
                                      {{"Origin", "https://profiler.firefox.com"}});
    EXPECT_EQ(answer.status, status) << method;
    EXPECT_EQ(answer.headers.find("Access-Control-Allow-Origin").value_or(""), "*") << method;
    EXPECT_NE(answer.headers.find("Access-Control-Expose-Headers").value_or(""), "") << method;
    EXPECT_FALSE(must_parse(answer.body)["title"].is_null()) << method;
  }
}

TEST_F(Symbolication, ABodyIsNoLargerThanIsSaid) {
  start({"FAULTLINE_SYMBOLICATION_BODY=1 MiB"});
  const std::string body = R"j({"version":4,"memoryMap":[],"stacks":[]})j";
  EXPECT_EQ(post("/", body + std::string(1 << 19, ' ')).status, 200);
  const auto refused = post("/", body + std::string(1 << 20, ' '));
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, "");
  EXPECT_EQ(post("/symbolicate/v5", R"({"jobs":[]})" + std::string(1 << 20, ' ')).status, 200);
}

TEST_F(Symbolication, TheFirstMozillaServerTookPostsAtItsRootAlone) {
  start();
  const std::string body = R"j({"version":4,"memoryMap":[],"stacks":[[[-2,16]]]})j";
  EXPECT_EQ(post("/", body).body, R"j({"symbolicatedStacks": [["0x10"]], "knownModules": []})j");
  EXPECT_NE(post("/any/path/at/all", body).status, 200);
  for (const char* method : {"PUT", "DELETE", "PATCH"}) {
    const auto answer = uploads::send(server_->url(), method, "/", "");
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.body, "") << method;
    EXPECT_EQ(answer.headers.find("Content-Type").value_or(""), "application/json") << method;
  }
}

// The frames with index -1 read otherwise in the first servers than in Eliot's.
std::string without(std::string text, std::string_view part) {
  for (std::size_t at; (at = text.find(part)) != std::string::npos;) text.erase(at, part.size());
  return text;
}
std::string without_unknown(std::string text) {
  return without(std::move(text), " (in <unknown>)");
}

TEST_F(Symbolication, RealCrashReportsWithoutAnySymbols) {
  REQUIRE_CORPUS(corpus);
  start();
  std::ifstream lines(corpus + "/symbols/symbolicate/tecken-loadtests-v4.jsonl");
  std::size_t compared = 0;
  for (std::string line; std::getline(lines, line);) {
    const JsonValue one = must_parse(line);
    const std::string body(one["body"].text_or(""));
    const auto eliot = post("/symbolicate/v4", body);
    const auto old = post("/", body);
    const bool* has_float = one["facts"]["has_float_offset"].boolean();
    if (has_float != nullptr && *has_float) {
      EXPECT_EQ(eliot.status, 400) << one["name"].text_or("");
      EXPECT_EQ(old.status, 400) << one["name"].text_or("");
      continue;
    }
    ASSERT_EQ(eliot.status, 200) << one["name"].text_or("") << eliot.body;
    ASSERT_EQ(old.status, 200) << one["name"].text_or("");
    const JsonValue& expected = one["answer_without_any_symbols"]["symbolicatedStacks"];
    EXPECT_EQ(without_unknown(text_of(must_parse(eliot.body)["symbolicatedStacks"])),
              without(without_unknown(text_of(expected)), " (in )"))
        << one["name"].text_or("") << ": Eliot calls a module without a name unknown, too";
    EXPECT_EQ(text_of(must_parse(old.body)["symbolicatedStacks"]),
              without_unknown(text_of(expected)))
        << one["name"].text_or("");
    ++compared;
  }
  EXPECT_GT(compared, 200u);
}

TEST_F(Symbolication, RealProfilesKeepTheirOrderAndLengths) {
  REQUIRE_CORPUS(corpus);
  start();
  for (const char* name : {"linux64-ci-xul", "macos-ci-nonxul-2", "win64-local-nonxul"}) {
    const std::string body =
        must_read(corpus + "/symbols/symbolicate/profiler-v5/" + name + ".json");
    const JsonValue asked = must_parse(body);
    const auto answer = post("/symbolicate/v5", body);
    ASSERT_EQ(answer.status, 200) << name;
    const JsonValue result = must_parse(answer.body)["results"].at(0);
    const JsonValue& stacks = asked["stacks"];
    ASSERT_EQ(result["stacks"].size(), stacks.size()) << name;
    for (std::size_t i = 0; i < stacks.size(); ++i) {
      ASSERT_EQ(result["stacks"].at(i).size(), stacks.at(i).size()) << name << " " << i;
      for (std::size_t k = 0; k < stacks.at(i).size(); ++k) {
        EXPECT_EQ(result["stacks"].at(i).at(k)["frame"].integer_or(-1), static_cast<int>(k));
      }
    }
  }
}

TEST_F(Symbolication, AnUploadIsSeenAtOnce) {
  start();
  const std::string ask =
      R"j({"memoryMap":[["a.so","000102030405060708090A0B0C0D0E0F0"]],"stacks":[[[0,4096]]]})j";
  EXPECT_EQ(must_parse(post("/symbolicate/v5", ask).body)["results"]
                .at(0)["found_modules"]["a.so/000102030405060708090A0B0C0D0E0F0"]
                .boolean()[0],
            false);
  const std::string sym =
      "MODULE Linux x86_64 000102030405060708090A0B0C0D0E0F0 a.so\nFUNC 1000 10 0 seen()\n";
  ASSERT_EQ(
      uploads::send(server_->url(), "PUT", "/a.so/000102030405060708090A0B0C0D0E0F0/a.so.sym", sym)
          .status,
      201);
  const auto answer = post("/symbolicate/v4", ask);
  EXPECT_EQ(answer.body,
            R"j({"symbolicatedStacks":[["seen() (in a.so)"]],"knownModules":[true]})j");
}

TEST_F(Symbolication, ADamagedIndexIsMadeAgain) {
  start();
  const std::string ask =
      R"j({"memoryMap":[["a.so","000102030405060708090A0B0C0D0E0F0"]],"stacks":[[[0,4096]]]})j";
  const std::string sym =
      "MODULE Linux x86_64 000102030405060708090A0B0C0D0E0F0 a.so\nFUNC 1000 10 0 seen()\n";
  ASSERT_EQ(
      uploads::send(server_->url(), "PUT", "/a.so/000102030405060708090A0B0C0D0E0F0/a.so.sym", sym)
          .status,
      201);
  const std::string good = post("/symbolicate/v5", ask).body;
  ASSERT_NE(good.find("seen()"), std::string::npos) << good;
  ASSERT_EQ(server_->stop(), 0);
  const auto damaged = base::run_child("/bin/sh", {"sh", "-c",
                                                   "for f in " + root_.path() +
                                                       "/data/index/v1/*/*.idx; do "
                                                       "chmod u+w $f; printf XXXXXXXX > $f; done"});
  ASSERT_TRUE(damaged.ok() && damaged->ok());
  start();
  EXPECT_EQ(post("/symbolicate/v5", ask).body, good);
}

constexpr std::size_t kLong = 60'000;

// So many frames of one function and the place behind it, in turns of 16.
std::string long_question() {
  std::string ask =
      R"j({"memoryMap":[["a.so","000102030405060708090A0B0C0D0E0F0"]],"stacks":[[[0,4096])j";
  for (std::size_t i = 1; i < kLong; ++i) {
    ask += ",[0,";
    ask += std::to_string(4096 + i % 32);
    ask += ']';
  }
  return ask + "]]}";
}

void put_long_answers_module(const std::string& url) {
  const std::string sym =
      "MODULE Linux x86_64 000102030405060708090A0B0C0D0E0F0 a.so\nFUNC 1000 10 0 seen()\n";
  ASSERT_EQ(
      uploads::send(url, "PUT", "/a.so/000102030405060708090A0B0C0D0E0F0/a.so.sym", sym).status,
      201);
}

TEST_F(Symbolication, LongQuestionsAreAnsweredInPieces) {
  start();
  put_long_answers_module(server_->url());
  const auto answer = post("/symbolicate/v5", long_question());
  ASSERT_EQ(answer.status, 200);
  const JsonValue frames = must_parse(answer.body)["results"].at(0)["stacks"].at(0);
  ASSERT_EQ(frames.size(), kLong);
  for (std::size_t i = 0; i < kLong; ++i) {
    EXPECT_EQ(frames.at(i)["function"].text_or(""), i % 32 < 16 ? "seen()" : "") << i;
  }
}

// Slices are in the making then, on threads that have others' work to do next.
TEST_F(Symbolication, WhoLeavesALongAnswerSpoilsNone) {
  start();
  put_long_answers_module(server_->url());
  const std::string ask = long_question();
  const std::string whole = post("/symbolicate/v5", ask).body;
  const std::string request =
      "POST /symbolicate/v5 HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(ask.size()) +
      "\r\n\r\n" + ask;
  for (int i = 0; i < 30; ++i) {
    testing_support::RawClient client(server_->url().substr(sizeof "http://" - 1));
    EXPECT_TRUE(client.send(request));
    std::this_thread::sleep_for(std::chrono::milliseconds(i));
    i % 2 == 0 ? client.reset() : client.close();
  }
  EXPECT_TRUE(post("/symbolicate/v5", ask).body == whole);
}

// Two modules that nobody here has: one comes from an upstream server, the other's server stalls.
TEST_F(Symbolication, BringsWhatItLacksAndAnswersInTimeWithoutTheRest) {
  constexpr const char* kQuick = "000102030405060708090A0B0C0D0E0F0";
  constexpr const char* kSlow = "100102030405060708090A0B0C0D0E0F0";
  std::atomic<bool> stalls = true;
  testing_support::ScriptedServer upstream(root_.path(), [&](net::Request& request) {
    const bool is_slow = request.path.find(kSlow) != std::string::npos;
    for (int i = 0; i < 200 && is_slow && stalls; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    if (!request.path.ends_with("/a.so.sym")) return net::Answer::text(404, "no");
    const std::string id = is_slow ? kSlow : kQuick;
    return net::Answer::text(200, "MODULE Linux x86_64 " + id + " a.so\nFUNC 1000 10 0 of_" +
                                      (is_slow ? "slow" : "quick") + "()\n");
  });
  const std::string config = root_.path() + "/faultline.toml";
  ASSERT_TRUE(
      base::write_file_durably(config, base::bytes_of("[symbolication]\nseconds = 1\n" +
                                                      upstream.table("layout = \"breakpad\"\n")))
          .ok());
  server_.emplace(ServerProcess::start({root_.path() + "/data", {"--config", config}, {}, {}}));
  ASSERT_NE(server_->url(), "");
  const std::string ask = std::string(R"j({"memoryMap":[["a.so",")j") + kQuick +
                          R"j("],["a.so",")j" + kSlow + R"j("]],"stacks":[[[0,4096],[1,4096]]]})j";
  const JsonValue partial = must_parse(post("/symbolicate/v5", ask).body)["results"].at(0);
  const JsonValue& frames = partial["stacks"].at(0);
  EXPECT_EQ(frames.at(0)["function"].text_or(""), "of_quick()");
  EXPECT_TRUE(frames.at(1)["function"].is_null());
  const std::string slow = std::string("a.so/") + kSlow;
  EXPECT_EQ(text_of(partial["found_modules"]),
            std::string(R"j({"a.so/)j") + kQuick + R"j(":true,")j" + slow + R"j(":false})j");
  EXPECT_EQ(partial["module_errors"][slow].at(0)["name"].text_or(""), "timed_out");

  // Who asks for statistics is told what was here, and what did not come.
  const JsonValue debug =
      must_parse(uploads::send(server_->url(), "POST", "/symbolicate/v5", ask, {{"Debug", "true"}})
                     .body)["debug"];
  EXPECT_EQ(text_of(debug["modules"]), std::string(R"j({"count":2,"stacks_per_module":{"a.so/)j") +
                                           kQuick + R"j(":1,")j" + slow + R"j(":1}})j");
  EXPECT_EQ(debug["cache_lookups"]["count"].integer_or(0), 2);
  EXPECT_EQ(debug["cache_lookups"]["hits"].integer_or(0), 1);
  EXPECT_EQ(debug["downloads"]["count"].integer_or(0), 1);
  EXPECT_EQ(text_of(debug["downloads"]["size_per_module"]), "{}");
  EXPECT_FALSE(debug["downloads"]["fail_time_per_module"][slow].is_null());
  EXPECT_EQ(text_of(debug["save_symcache"]), R"j({"time":0,"time_per_module":{}})j");

  stalls = false;
  for (int i = 0; i < 100; ++i) {
    const JsonValue whole = must_parse(post("/symbolicate/v5", ask).body)["results"].at(0);
    if (whole["stacks"].at(0).at(1)["function"].text_or("") == "of_slow()") return;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  FAIL() << "what came late is not used";
}

}  // namespace
