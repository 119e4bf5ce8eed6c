// What the test suite of Mozilla's symbolication server expected of its three programs, asked of
// ours: started by quickstart with a real memcached, or each by itself. A round trip, the caches of
// both servers as the debug protocol shows them, and three hundred requests at once.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <latch>
#include <random>
#include <thread>
#include <tuple>

#include "base/text.h"
#include "mozilla_place.h"
#include "testing/commands.h"
#include "testing/raw_http.h"

namespace mozilla {
namespace {

using testing_support::free_port;

constexpr const char* kOtherId = "D74F79EB1F8D4A45ABCD2F476CCABACC2";

// The example of its README, but for its version and its end.
std::string sample_fields() {
  return fmt::format(R"j({{"stacks": [[[0, 11723767], [1, 65802]]], "memoryMap": [["xul.pdb", )j"
                     R"j("{}"], ["wntdll.pdb", "{}"]])j",
                     kId, kOtherId);
}
std::string sample() { return sample_fields() + R"j(, "version": 4})j"; }
constexpr const char* kSampleAnswer =
    R"j({"symbolicatedStacks": [["XREMain::XRE_mainRun() (in xul.pdb)", )j"
    R"j("KiUserCallbackDispatcher (in wntdll.pdb)"]], "knownModules": [true, true]})j";

std::string sample_with_hits(const char* hits) {
  std::string answer = kSampleAnswer;
  answer.pop_back();
  return answer + R"j(, "cacheHits": [[)j" + hits + "]]}";
}

// A memcached that is slow on a busy machine is left alone for a while, which is not meant here.
class Suite : public Place {
 protected:
  void SetUp() override {
    if (!testing_support::have_command("memcached")) GTEST_SKIP() << "memcached is not installed";
    ::setenv("FAULTLINE_MEMCACHED_TIMEOUT_MS", "5000", 1);
    symbols_.put("xul.pdb/" + std::string(kId) + "/xul.sym",
                 fmt::format("MODULE windows x86 {} xul.pdb\n"
                             "FUNC b2e3f7 2b4 4 XREMain::XRE_mainRun()\n",
                             kId));
    symbols_.put("wntdll.pdb/" + std::string(kOtherId) + "/wntdll.sym",
                 fmt::format("MODULE windows x86 {} wntdll.pdb\n"
                             "PUBLIC 100dc c KiUserCallbackDispatcher\n",
                             kOtherId));
  }
  static std::string url_of(std::uint16_t port) {
    return "http://127.0.0.1:" + std::to_string(port);
  }
  // How many frames memcached has been asked for that it had.
  std::uint64_t memcached_hits() const {
    testing_support::RawClient client("127.0.0.1:" + std::to_string(memcached_));
    client.send("stats\r\nquit\r\n");
    const std::string said = client.read_all();
    constexpr std::string_view kName = "STAT get_hits ";
    const std::size_t at = said.find(kName);
    EXPECT_NE(at, std::string::npos) << said;
    return at == std::string::npos ? 0 : std::stoull(said.substr(at + kName.size()));
  }

  const std::uint16_t memcached_ = free_port();
};

class SuiteByQuickstart : public Suite {
 protected:
  void SetUp() override {
    Suite::SetUp();
    if (IsSkipped()) return;
    write("config.json",
          fmt::format(
              R"j({{"DiskCache": {{"cachePath": "{0}/cache", "listenAddress": "127.0.0.1", )j"
              R"j("port": {1}, "log": {{"path": "{0}/DiskCache.log"}}, {2}}}, )j"
              R"j("SymServer": {{"listenAddress": "127.0.0.1", "port": {3}, )j"
              R"j("log": {{"path": "{0}/SymServer.log"}}, "memcachedServers": )j"
              R"j(["127.0.0.1:{4}"], "DiskCacheServer": "127.0.0.1:{1}"}}, )j"
              R"j("quickstart": {{"memcached": {{"listenAddress": "127.0.0.1", "port": {4}}}}}}})j",
              root_.path(), disk_cache_, urls(), sym_server_, memcached_));
    const base::ChildEnd end = quickstart("");
    ASSERT_EQ(end.exit_code, 0) << end.output << end.errors;
  }
  void TearDown() override {
    if (IsSkipped()) return;
    const base::ChildEnd end = quickstart("--stop");
    EXPECT_EQ(end.exit_code, 0) << end.output << end.errors;
  }
  base::ChildEnd quickstart(const std::string& words) const {
    return testing_support::run(testing_support::faultline_program() + " quickstart -c " +
                                path("config.json") + " " + words);
  }
  std::string sym_server() const { return url_of(sym_server_); }
  std::string disk_cache_url() const { return url_of(disk_cache_); }

  const std::uint16_t disk_cache_ = free_port();
  const std::uint16_t sym_server_ = free_port();
};

// ---- the caches ----

TEST_F(SuiteByQuickstart, FramesComeFromItsMemcachedUntilTheyAreTakenOut) {
  const std::string url = sym_server();
  EXPECT_EQ(act(url, "outputCacheHits", R"j(, "enabled": true)j"), R"j({"success": true})j");
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ask(url, sample()), sample_with_hits("false, false"));
    const std::uint64_t before = memcached_hits();
    EXPECT_EQ(ask(url, sample()), sample_with_hits("true, true"));
    EXPECT_EQ(memcached_hits(), before + 2);
    for (const auto& [name, id, offset] :
         {std::tuple{"xul.pdb", kId, 11723767}, std::tuple{"wntdll.pdb", kOtherId, 65802}}) {
      EXPECT_EQ(act(url, "cacheEvict",
                    fmt::format(R"j(, "libName": "{}", "breakpadId": "{}", "offset": {})j", name,
                                id, offset)),
                R"j({"success": true})j");
    }
  }
}

TEST_F(Suite, FramesComeFromTheMemcachedWhoseAddressIsGiven) {
  const Program shared = memcached(memcached_);
  ASSERT_TRUE(shared->is_up());
  const Program cache = disk_cache(urls());
  const std::uint16_t port = free_port();
  const std::string json = fmt::format(
      R"j({{"DiskCache": {{"cachePath": "{0}/cache"}}, "SymServer": {{"listenAddress": )j"
      R"j("127.0.0.1", "port": {1}, "memcachedServers": ["127.0.0.1:{2}"], )j"
      R"j("DiskCacheServer": "{3}", "log": {{"path": "{0}/SymServer.log"}}}}}})j",
      root_.path(), port, memcached_, cache->address());
  std::vector<std::string> words{"symserver", "--configJSON", json};
  for (const char* hits : {"false, false", "true, true"}) {
    // One that begins anew has the frames of the one before it.
    const Program server = program(words, port);
    EXPECT_EQ(act(server->url(), "outputCacheHits", R"j(, "enabled": true)j"),
              R"j({"success": true})j");
    EXPECT_EQ(ask(server->url(), sample()), sample_with_hits(hits));
    // The command line says another than the file.
    words.insert(words.end(), {"-m", "127.0.0.1:" + std::to_string(memcached_)});
    words[2] = fmt::format(
        R"j({{"DiskCache": {{"cachePath": "{0}/cache"}}, "SymServer": {{"listenAddress": )j"
        R"j("127.0.0.1", "port": {1}, "memcachedServers": [], "DiskCacheServer": "{2}", )j"
        R"j("log": {{"path": "{0}/SymServer.log"}}}}}})j",
        root_.path(), port, cache->address());
  }
  EXPECT_EQ(memcached_hits(), 2u);
}

TEST_F(SuiteByQuickstart, ASymbolFileIsKeptByteForByteAsItCame) {
  const std::string url = disk_cache_url();
  const std::string module = of_module("xul.pdb");
  const std::string text =
      fmt::format("MODULE windows x86 {} xul.pdb\nFUNC b2e3f7 2b4 4 XREMain::XRE_mainRun()\n", kId);
  const auto path_of = [&](const std::string& action) {
    return std::string(
        base::JsonValue::parse(act(url, action, module)).value()["path"].text_or(""));
  };
  const auto bytes_at = [](const std::string& path) { return base::read_file(path).value_or(""); };
  EXPECT_EQ(act(url, "cacheExists", module), R"j({"exists": false})j");
  EXPECT_EQ(bytes_at(path_of("cacheAddRaw")), text);
  EXPECT_EQ(act(url, "cacheExists", module), R"j({"exists": true})j");
  const std::string kept = path_of("cacheGet");
  EXPECT_EQ(bytes_at(kept), text);
  EXPECT_EQ(act(url, "cacheEvict", module), R"j({"success": true})j");
  EXPECT_FALSE(base::file_exists(kept)) << kept;
  EXPECT_EQ(act(url, "cacheExists", module), R"j({"exists": false})j");
  EXPECT_TRUE(base::file_exists(path_of("cacheGet")));
}

// ---- a round trip ----

TEST_F(SuiteByQuickstart, AnswersTheSampleAndRefusesWhatIsNone) {
  EXPECT_EQ(ask(sym_server(), sample()), kSampleAnswer);
  const std::string stacks = R"j("stacks": [[[0, 11723767], [1, 65802]]])j";
  const std::string half_a_map = fmt::format(R"j("memoryMap": [["xul.pdb", "{}"],])j", kId);
  for (const std::string& body :
       {std::string(), std::string("This is not JSON"), sample_fields() + R"j(, "version": 4)j",
        fmt::format(R"j({{{}, {}, "version": 4}})j", stacks, half_a_map),
        fmt::format(R"j({{{}, "version": 4}})j", stacks), sample_fields() + ", }",
        sample_fields() + "}", std::string(R"j({"memoryMap": [], "version": 4})j")}) {
    EXPECT_EQ(post(sym_server(), body).status, 400) << body;
  }
}

// ---- three hundred at once ----

class Stress : public SuiteByQuickstart {
 protected:
  static constexpr std::size_t kRequests = 300;
  struct Asked {
    std::string body, answer;
  };

  static std::vector<Asked> of_memcached(std::size_t count) {
    return std::vector<Asked>(count, Asked{sample(), kSampleAnswer});
  }
  static Asked about(const std::string& name, const std::string& id, const std::string& list,
                     const std::string& texts) {
    return {fmt::format(R"j({{"version": 4, "memoryMap": [["{}.pdb", "{}"]], "stacks": [[{}]]}})j",
                        name, id, list),
            known(texts)};
  }
  static std::string path_of(const std::string& name, const std::string& id) {
    return fmt::format("{0}.pdb/{1}/{0}.sym", name, id);
  }
  // Of one large module, each of other frames.
  std::vector<Asked> of_disk_cache(std::size_t count) {
    const std::string id = kOtherId;
    std::string text = fmt::format("MODULE windows x86 {} large.pdb\n", id);
    std::vector<Asked> asked;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = 0x1000 + i * 16;
      text += fmt::format("PUBLIC {:x} 0 first_{}\nPUBLIC {:x} 0 second_{}\n", at, i, at + 8, i);
      asked.push_back(
          about("large", id, fmt::format("[0, {}], [0, {}]", at, at + 9),
                fmt::format(R"j("first_{0} (in large.pdb)", "second_{0} (in large.pdb)")j", i)));
    }
    symbols_.put(path_of("large", id), text);
    return asked;
  }
  void ask_at_once(std::vector<Asked> all) const {
    std::shuffle(all.begin(), all.end(), std::mt19937(7));
    std::vector<std::string> answers(all.size());
    std::latch all_there(static_cast<std::ptrdiff_t>(all.size()));
    std::vector<std::thread> clients;
    clients.reserve(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      clients.emplace_back([&, i] {
        all_there.arrive_and_wait();
        answers[i] = ask(sym_server(), all[i].body);
      });
    }
    for (std::thread& client : clients) client.join();
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(answers[i], all[i].answer);
  }
};

TEST_F(Stress, WhatMemcachedHas) {
  ask_at_once(of_memcached(kRequests));  // unprimed
  const std::uint64_t before = memcached_hits();
  ask_at_once(of_memcached(kRequests));
  EXPECT_GT(memcached_hits(), before);
}

// Each of many modules is asked for by several.
TEST_F(Stress, WhatNobodyHasYet) {
  constexpr std::size_t kModules = 60;
  std::vector<Asked> all;
  for (std::size_t i = 0; i < kRequests; ++i) {
    const std::string name = fmt::format("new{}", i % kModules);
    const std::string id = fmt::format("{:032X}1", i % kModules + 1);
    if (i < kModules) {
      symbols_.put(path_of(name, id), fmt::format("MODULE windows x86 {0} {1}.pdb\n"
                                                  "PUBLIC 1000 0 of_{1}\n",
                                                  id, name));
    }
    all.push_back(about(name, id, fmt::format("[0, {}]", 0x1000 + i),
                        fmt::format(R"j("of_{0} (in {0}.pdb)")j", name)));
  }
  ask_at_once(std::move(all));
}

TEST_F(Stress, WhatDiskCacheHas) {
  const std::vector<Asked> all = of_disk_cache(kRequests + 1);
  EXPECT_EQ(ask(sym_server(), all[0].body), all[0].answer);
  ask_at_once(std::vector<Asked>(all.begin() + 1, all.end()));
  EXPECT_EQ(symbols_.asked(path_of("large", kOtherId)).size(), 1u);
}

}  // namespace
}  // namespace mozilla
