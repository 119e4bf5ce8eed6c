// Servers that share frames through a real memcached, and the debug protocol that shows it.
#include <thread>

#include "base/child.h"
#include "mozilla_place.h"
#include "testing/commands.h"

namespace mozilla {
namespace {

using testing_support::free_port;
using testing_support::ServerProcess;

constexpr const char* kWantsHits = R"j(, "cacheHits": true)j";

std::string with_hits(const std::string& answer, const std::string& hits) {
  return answer.substr(0, answer.size() - 1) + R"j(, "cacheHits": [[)j" + hits + "]]}";
}

class SharedFrames : public Place {
 protected:
  void SetUp() override {
    if (!testing_support::have_command("memcached")) GTEST_SKIP() << "memcached is not installed";
  }
  ServerProcess node(const std::string& name, std::vector<std::string> environment = {}) {
    environment.push_back("FAULTLINE_MEMCACHED_SERVERS=127.0.0.1:" + std::to_string(port_));
    environment.emplace_back("FAULTLINE_MEMCACHED_TIMEOUT_MS=3000");
    return ServerProcess::start({path(name), {}, {}, std::move(environment)});
  }
  static void upload(const ServerProcess& to, const std::string& text,
                     const std::string& name = "a") {
    const auto answer =
        uploads::send(to.url(), "PUT", "/" + name + ".pdb/" + kId + "/" + name + ".sym", text);
    ASSERT_EQ(answer.status / 100, 2) << answer.body;
  }
  // What /metrics says of memcached, as "asked found failures".
  static std::string figures_of(const ServerProcess& node) {
    const std::string text = uploads::send(node.url(), "GET", "/metrics").body;
    std::string figures;
    for (const char* name : {"asked", "found", "failures"}) {
      const std::string begin = std::string("\nfaultline_memcached_").append(name) + "_total ";
      const std::size_t at = text.find(begin);
      if (at == std::string::npos) return "no " + begin;
      const std::size_t from = at + begin.size();
      if (!figures.empty()) figures += ' ';
      figures += text.substr(from, text.find('\n', from) - from);
    }
    return figures;
  }
  const std::uint16_t port_ = free_port();
};

TEST_F(SharedFrames, TheSecondNodeAnswersFromWhatTheFirstLookedUpAndADeadMemcachedCostsNothing) {
  Program shared = memcached(port_);
  ASSERT_TRUE(shared->is_up());
  const ServerProcess one = node("one"), two = node("two");
  upload(one, sym("a.pdb", "good"));
  upload(two, sym("a.pdb", "good"));
  const std::string asked = frames("a.pdb", "[0, 4096], [0, 8192], [0, 1], [-1, 7]", kWantsHits);
  const std::string answer =
      known(R"j("good (in a.pdb)", "last (in a.pdb)", "0x1 (in a.pdb)", "0x7")j");
  EXPECT_EQ(ask(one.url(), asked), with_hits(answer, "false, false, false, false"));
  // What was not found is nobody's to share.
  EXPECT_EQ(ask(two.url(), asked), with_hits(answer, "true, true, false, false"));
  EXPECT_EQ(ask(two.url(), frames("a.pdb", "[0, 4096]")), known(R"j("good (in a.pdb)")j"));
  EXPECT_EQ(figures_of(one), "3 0 0");
  EXPECT_EQ(figures_of(two), "4 3 0");

  shared->stop();
  EXPECT_EQ(ask(one.url(), asked), with_hits(answer, "false, false, false, false"));
  EXPECT_EQ(ask(two.url(), asked), with_hits(answer, "false, false, false, false"));
  EXPECT_EQ(figures_of(one), "6 0 1");
}

TEST_F(SharedFrames, NoMemcachedHasNoFigures) {
  const ServerProcess one = ServerProcess::start({path("one"), {}, {}, {}});
  EXPECT_EQ(uploads::send(one.url(), "GET", "/metrics").body.find("memcached"), std::string::npos);
}

TEST_F(SharedFrames, OtherSymbolsHaveOtherKeys) {
  const Program shared = memcached(port_);
  const ServerProcess one = node("one"), two = node("two");
  upload(one, sym("a.pdb", "older"));
  upload(two, sym("a.pdb", "newer"));
  const std::string asked = frames("a.pdb", "[0, 4096]", kWantsHits);
  EXPECT_EQ(ask(one.url(), asked), with_hits(known(R"j("older (in a.pdb)")j"), "false"));
  EXPECT_EQ(ask(two.url(), asked), with_hits(known(R"j("newer (in a.pdb)")j"), "false"));
  EXPECT_EQ(ask(one.url(), asked), with_hits(known(R"j("older (in a.pdb)")j"), "true"));
}

TEST_F(SharedFrames, BareKeysAnswerForModulesThatOnlyOthersHave) {
  const Program shared = memcached(port_);
  const ServerProcess one = node("one", {"FAULTLINE_MEMCACHED_KEYS=bare"});
  const ServerProcess two = node("two", {"FAULTLINE_MEMCACHED_KEYS=bare"});
  upload(one, sym("a.pdb", "good"));
  EXPECT_EQ(ask(one.url(), frames("a.pdb", "[0, 4096]")), known(R"j("good (in a.pdb)")j"));
  EXPECT_EQ(ask(two.url(), frames("a.pdb", "[0, 4096]", kWantsHits)),
            with_hits(known(R"j("good (in a.pdb)")j"), "true"));
}

// Snappy's answer says of each module that is listed whether it is here, used or not.
TEST_F(SharedFrames, SnappyKnowsItsModulesWhateverOthersHaveLookedUp) {
  const Program shared = memcached(port_);
  const ServerProcess one =
      node("one", {"FAULTLINE_MEMCACHED_KEYS=bare", "FAULTLINE_SYMBOLICATION_DIALECT=snappy"});
  upload(one, sym("a.pdb", "good"));
  upload(one, sym("idle.pdb", "good"), "idle");
  const std::string id(kId);
  const std::string asked = R"j({"version": 4, "memoryMap": [["a.pdb", ")j" + id +
                            R"j("], ["idle.pdb", ")j" + id + R"j("], ["no.pdb", ")j" + id +
                            R"j("]], "stacks": [[[0, 4096]]]})j";
  const std::string answer = R"j({"symbolicatedStacks": [["good (in a.pdb)"]], )j"
                             R"j("knownModules": [true, true, false]})j";
  EXPECT_EQ(ask(one.url(), asked), answer);
  EXPECT_EQ(ask(one.url(), asked), answer) << "the second time memcached has the frame";
}

TEST_F(SharedFrames, LongAndForeignNamesHaveKeys) {
  const Program shared = memcached(port_);
  const ServerProcess one = node("one");
  const std::string name(220, 'n');
  upload(one, sym(name + ".pdb", "good"), name);
  const std::string asked = frames(name + ".pdb", "[0, 4096]", kWantsHits);
  const std::string answer = known("\"good (in " + name + ".pdb)\"");
  EXPECT_EQ(ask(one.url(), asked), with_hits(answer, "false"));
  EXPECT_EQ(ask(one.url(), asked), with_hits(answer, "true"));
}

TEST_F(SharedFrames, TheDebugProtocolTurnsHitsOnAndTakesFramesOut) {
  const Program shared = memcached(port_);
  const ServerProcess one = node("one");
  upload(one, sym("a.pdb", "good"));
  const std::string asked = frames("a.pdb", "[0, 4096]");
  const std::string answer = known(R"j("good (in a.pdb)")j");
  EXPECT_EQ(ask(one.url(), asked), answer);
  EXPECT_EQ(act(one.url(), "outputCacheHits", R"j(, "enabled": 1)j"), R"j({"success": true})j");
  EXPECT_EQ(ask(one.url(), asked), with_hits(answer, "true"));
  // Others' answers stay as they were, and who is remote may not ask for it.
  const uploads::Fields remote{{"X-Forwarded-For", "192.0.2.1"}};
  EXPECT_EQ(post(one.url(), asked, remote).body, answer);
  const std::string frame = of_module("a.pdb") + R"j(, "offset": "4096")j";
  EXPECT_EQ(act(one.url(), "cacheEvict", frame), R"j({"success": true})j");
  EXPECT_EQ(ask(one.url(), asked), with_hits(answer, "false"));
  EXPECT_EQ(act(one.url(), "outputCacheHits", R"j(, "enabled": [])j"), R"j({"success": true})j");
  EXPECT_EQ(ask(one.url(), asked), answer);
  EXPECT_EQ(post(one.url(), R"j({"debug": true, "action": "outputCacheHits"})j").status, 400);
}

// The key ends with what the module's symbols are: who does not have them yet has to bring them.
TEST_F(SharedFrames, AFrameIsTakenOutByWhoHasNotAskedForItsModule) {
  const Program shared = memcached(port_);
  symbols_.put("a.pdb/" + std::string(kId) + "/a.sym", sym("a.pdb", "good"));
  write("faultline.toml",
        "[[upstream]]\nname = \"s\"\nurl = \"" + symbols_.url() + "\"\nlayout = \"breakpad\"\n");
  const auto start = [&](const std::string& name) {
    return ServerProcess::start({path(name),
                                 {"--config", path("faultline.toml")},
                                 {},
                                 {"FAULTLINE_MEMCACHED_SERVERS=127.0.0.1:" + std::to_string(port_),
                                  "FAULTLINE_MEMCACHED_TIMEOUT_MS=3000"}});
  };
  const ServerProcess one = start("one"), two = start("two");
  const std::string asked = frames("a.pdb", "[0, 4096]", kWantsHits);
  const std::string answer = known(R"j("good (in a.pdb)")j");
  EXPECT_EQ(ask(one.url(), asked), with_hits(answer, "false"));
  EXPECT_EQ(ask(one.url(), asked), with_hits(answer, "true"));
  const std::string offset = R"j(, "offset": 4096)j";
  EXPECT_EQ(act(two.url(), "cacheEvict", of_module("a.pdb") + offset), R"j({"success": true})j");
  EXPECT_EQ(ask(one.url(), asked), with_hits(answer, "false"));
  // Nobody has this one, so nobody has told of it.
  EXPECT_EQ(act(two.url(), "cacheEvict", of_module("no.pdb") + offset), R"j({"success": true})j");
  symbols_.fail_with(500);
  EXPECT_EQ(act(two.url(), "cacheEvict", of_module("b.pdb") + offset), R"j({"success": false})j");
}

TEST_F(SharedFrames, NobodyFromElsewhereMayDebug) {
  const ServerProcess one = ServerProcess::start({path("one"), {}, {}, {}});
  const std::string action = R"j("debug": true, "action": "outputCacheHits", "enabled": true)j";
  const std::string valid =
      R"j({"version": 4, "memoryMap": [], "stacks": [[[-1, 16]]], )j" + action + "}";
  const std::string answer = R"j({"symbolicatedStacks": [["0x10"]], "knownModules": []})j";
  const std::vector<uploads::Fields> elsewhere{{{"X-Forwarded-For", "192.0.2.1"}},
                                               {{"Via", "1.1 proxy"}},
                                               {{"Host", "symbols.example.com"}},
                                               {{"Origin", "https://example.com"}}};
  for (const uploads::Fields& headers : elsewhere) {
    EXPECT_EQ(post(one.url(), "{" + action + "}", headers).status, 400) << headers.begin()->first;
    // With a question beside it the question is answered, and no more.
    EXPECT_EQ(post(one.url(), valid, headers).body, answer) << headers.begin()->first;
  }
  EXPECT_EQ(ask(one.url(), R"j({"version": 4, "memoryMap": [], "stacks": [[[-1, 16]]]})j"), answer);
  // Only true is true, and an action is a text.
  for (const char* body :
       {R"j({"debug": 1, "action": "x"})j", R"j({"debug": "true", "action": "x"})j",
        R"j({"debug": true, "action": 1})j", R"j({"debug": true})j"}) {
    EXPECT_EQ(post(one.url(), body).status, 400) << body;
  }
  EXPECT_EQ(act(one.url(), "x"), R"j({"message": "Invalid action"})j");
}

}  // namespace
}  // namespace mozilla
