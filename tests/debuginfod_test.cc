// `faultline debuginfod` beside elfutils' own: what it answers for the reference packages, header
// by header as the peer's answers were recorded, its flags and signals, and real clients.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <set>
#include <thread>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/text.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

using namespace std::chrono_literals;
using testing_support::have_command;
using testing_support::must_run;
using testing_support::run;
using testing_support::ServerProcess;

constexpr std::string_view kHello = "c36708a78618d597dee15d0dc989f093ca5f9120";

bool is_complete(const base::JsonValue& answer) {
  const bool* const complete = answer["complete"].boolean();
  return complete != nullptr && *complete;
}

class Debuginfod : public testing::Test {
 protected:
  void start(const std::vector<std::string>& flags) {
    server_.emplace(ServerProcess::start_debuginfod(root_ + "/data", flags));
    ASSERT_NE(server_->url(), "");
  }
  // The packages and files of the corpus, writable.
  void watch(const std::string& corpus, const std::string& part) {
    const std::string from = corpus + "/symbols/archives/" + part;
    const std::string to = base::join_path(watched_, part);
    must_run("mkdir -p " + std::string(base::parent_of(to)) + " && cp -r " + from + " " + to +
             " && chmod -R u+w " + watched_);
  }
  net::ClientAnswer get(const std::string& path, const net::Headers& headers = {}) {
    net::ClientRequest request;
    request.url = server_->url() + path;
    request.headers = headers;
    net::ClientOptions options;
    options.accept_compressed = false;
    options.redirects_max = 0;
    const auto answer = net::Client(options).send(request);
    EXPECT_TRUE(answer.ok()) << path;
    return answer.ok() ? *answer : net::ClientAnswer{};
  }
  bool comes_to(const std::string& path, int status) {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (std::chrono::steady_clock::now() < until) {
      if (get(path).status == status) return true;
      std::this_thread::sleep_for(50ms);
    }
    return false;
  }
  static std::string header(const net::ClientAnswer& answer, std::string_view name) {
    return std::string(answer.headers.find(name).value_or(""));
  }
  static std::string url(std::string_view id, std::string_view what) {
    return "/buildid/" + std::string(id) + "/" + std::string(what);
  }
  std::string client_environment() const {
    return "HOME=" + root_ + " DEBUGINFOD_URLS=" + server_->url() +
           " DEBUGINFOD_CACHE_PATH=" + root_ + "/cache ";
  }
  static base::JsonValue expected_of(const std::string& corpus) {
    return base::JsonValue::parse(
               base::read_file(corpus + "/symbols/archives/expected.json").value())
        .value();
  }
  base::JsonValue metadata(const std::string& query) {
    const net::ClientAnswer answer = get("/metadata?" + query);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(header(answer, "Content-Type"), "application/json");
    return base::JsonValue::parse(answer.body).value();
  }
  // The packages are all known when the last pass has counted no more of them than before.
  void wait_for_all(const base::JsonValue& expected) {
    for (const auto& [id, what] : *expected["by_build_id"].object()) {
      for (const std::string_view type : {"executable", "debuginfo"}) {
        if (what[type].size() == 0) continue;
        ASSERT_TRUE(comes_to(url(id, type), 200)) << id << " " << type << server_->log();
      }
    }
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("debuginfod").value();
  std::string root_ = directory_.path();
  std::string watched_ = root_ + "/watched";
  const std::vector<std::string> kPackages{"-R", "-U", "-Z", ".tar.xz", "-Z", ".tar.bz2"};
  std::optional<ServerProcess> server_;
};

std::vector<std::string> with(std::vector<std::string> flags, const std::string& more) {
  flags.push_back(more);
  return flags;
}

TEST_F(Debuginfod, AnswersTheReferencePackagesWithThePeersHeaders) {
  REQUIRE_CORPUS(corpus);
  for (const char* part : {"rpms", "debs", "tars", "ima"}) watch(corpus, part);
  start(with(kPackages, watched_));
  const base::JsonValue expected = expected_of(corpus);
  wait_for_all(expected);
  int compared = 0;
  for (const auto& [id, what] : *expected["by_build_id"].object()) {
    for (const std::string_view type : {"executable", "debuginfo"}) {
      const base::JsonValue& peer = what["peer_debuginfod_0_188"][type];
      const net::ClientAnswer answer = get(url(id, type));
      EXPECT_EQ(answer.status, peer["status"].integer_or(0)) << id << " " << type;
      if (answer.status != 200) continue;
      EXPECT_EQ(base::sha256_of(base::bytes_of(answer.body)).hex(), peer["sha256"].text_or(""));
      for (const auto& [name, value] : *peer["headers"].object()) {
        std::string wanted(value.text_or(""));
        if (name == "X-DEBUGINFOD-ARCHIVE") wanted.insert(0, watched_ + "/");
        // The peer names the whole member when it has it in its cache, and else its last part.
        if (name == "X-DEBUGINFOD-FILE") wanted = base::basename_of(wanted);
        EXPECT_EQ(header(answer, name), wanted) << id << " " << type;
        ++compared;
      }
    }
  }
  EXPECT_GE(compared, 200);
}

TEST_F(Debuginfod, TellsTheTimeAndTheSignatureOfAMember) {
  REQUIRE_CORPUS(corpus);
  watch(corpus, "rpms");
  watch(corpus, "ima");
  start(with(kPackages, watched_));
  ASSERT_TRUE(comes_to(url(kHello, "executable"), 200)) << server_->log();
  EXPECT_EQ(header(get(url(kHello, "executable")), "Last-Modified"),
            "Fri, 15 Nov 2019 23:23:59 GMT");
  const net::ClientAnswer section = get(url(kHello, "section/.text"));
  EXPECT_EQ(header(section, "Last-Modified"), "Fri, 15 Nov 2019 23:23:59 GMT");
  EXPECT_EQ(header(section, "X-DEBUGINFOD-FILE"), "/usr/local/bin/hello");
  EXPECT_EQ(header(section, "X-DEBUGINFOD-SIZE"), "373");
  EXPECT_EQ(header(section, "X-DEBUGINFOD-IMASIGNATURE"), "");
  const std::string signed_id = "460912dbc989106ec7325d243384df20c5ccec0c";
  ASSERT_TRUE(comes_to(url(signed_id, "executable"), 200)) << server_->log();
  const std::string signature =
      header(get(url(signed_id, "executable")), "X-DEBUGINFOD-IMASIGNATURE");
  EXPECT_TRUE(signature.starts_with("0302042938e7c6010")) << signature;
  EXPECT_EQ(signature.size(), 530u);
}

TEST_F(Debuginfod, ServesEverySectionOfTheReferencePackages) {
  REQUIRE_CORPUS(corpus);
  for (const char* part : {"rpms", "debs", "tars", "ima"}) watch(corpus, part);
  start(with(kPackages, watched_));
  const base::JsonValue expected = expected_of(corpus);
  wait_for_all(expected);
  int compared = 0;
  for (const auto& [id, what] : *expected["by_build_id"].object()) {
    // From the debug file, else from the program: of several with this id any may answer.
    std::map<std::string, std::set<std::string>> hashes;
    for (const std::string_view type : {"executable", "debuginfo"}) {
      for (std::size_t i = 0; i < what[type].size(); ++i) {
        const auto* sections = what[type].at(i)["sections"].object();
        if (sections == nullptr) continue;
        for (const auto& [name, section] : *sections) {
          hashes[name].insert(std::string(section["sha256"].text_or("")));
        }
      }
    }
    for (const auto& [name, wanted] : hashes) {
      const net::ClientAnswer answer = get(url(id, "section/" + name));
      EXPECT_EQ(answer.status, 200) << id << " " << name;
      EXPECT_TRUE(wanted.contains(base::sha256_of(base::bytes_of(answer.body)).hex()))
          << id << " " << name;
      ++compared;
    }
    EXPECT_EQ(get(url(id, "section/.no-such-section")).status, 404);
    EXPECT_EQ(get(url(id, "section/.bss")).status, 404) << "it has no bytes in the file";
  }
  EXPECT_GE(compared, 60);
}

TEST_F(Debuginfod, SearchesByNamePatternAndBuildId) {
  REQUIRE_CORPUS(corpus);
  watch(corpus, "rpms");
  start(with(kPackages, watched_));
  const base::JsonValue expected = expected_of(corpus);
  // What the packages hold, from the independent list.
  std::set<std::string> wanted;
  for (const auto& [id, what] : *expected["by_build_id"].object()) {
    for (const std::string_view type : {"executable", "debuginfo"}) {
      for (std::size_t i = 0; i < what[type].size(); ++i) {
        const std::string archive(what[type].at(i)["archive"].text_or(""));
        if (!archive.starts_with("rpms/")) continue;
        ASSERT_TRUE(comes_to(url(id, type), 200)) << id << server_->log();
        std::string line(type);
        line.append(" ").append(id).append(" ").append(what[type].at(i)["member"].text_or(""));
        wanted.insert(line.append(" ").append(watched_).append("/").append(archive));
      }
    }
  }
  const auto found = [&](const std::string& query) {
    const base::JsonValue answer = metadata(query);
    EXPECT_TRUE(is_complete(answer));
    std::set<std::string> set;
    for (std::size_t i = 0; i < answer["results"].size(); ++i) {
      const base::JsonValue& entry = answer["results"].at(i);
      set.insert(std::string(entry["type"].text_or("")) + " " +
                 std::string(entry["buildid"].text_or("")) + " " +
                 std::string(entry["file"].text_or("")) + " " +
                 std::string(entry["archive"].text_or("")));
    }
    return set;
  };
  const std::set<std::string> all = found("key=glob&value=*");
  for (const std::string& entry : wanted) EXPECT_TRUE(all.contains(entry)) << entry;

  const auto part = [&](const std::function<bool(const std::string&)>& fits) {
    std::set<std::string> some;
    for (const std::string& entry : all) {
      if (fits(entry)) some.insert(entry);
    }
    return some;
  };
  EXPECT_EQ(found("key=glob&value=/usr/local/bin/h*"), part([](const std::string& entry) {
              return entry.find(" /usr/local/bin/h") != std::string::npos;
            }));
  EXPECT_EQ(found("key=file&value=/usr/local/bin/hello"), part([](const std::string& entry) {
              return entry.find(" /usr/local/bin/hello ") != std::string::npos;
            }));
  EXPECT_EQ(found("key=buildid&value=" + std::string(kHello)),
            part([](const std::string& entry) { return entry.find(kHello) != std::string::npos; }));
  EXPECT_FALSE(found("key=buildid&value=" + std::string(kHello)).empty());
  EXPECT_TRUE(found("key=file&value=/no/such/file").empty());
  for (const char* bad : {"", "key=glob", "value=x", "key=name&value=x", "key=glob&value="}) {
    EXPECT_EQ(get("/metadata?" + std::string(bad)).status, 400) << bad;
  }
}

TEST_F(Debuginfod, WatchesFilesAndObeysItsSignals) {
  REQUIRE_OR_SKIP(have_command("cc") && have_command("debuginfod-find"), "no compiler or client");
  must_run("mkdir -p " + watched_ + " && cd " + watched_ +
           " && echo 'int main(void) { return 0; }' >lamp.c && cc -g -Wl,--build-id=0xaabbccdd11 "
           "-o lamp lamp.c");
  start({"-F", "-t", "0", "-g", "0", watched_});
  const std::string path = url("aabbccdd11", "executable");
  ASSERT_TRUE(comes_to(path, 200)) << server_->log();
  const net::ClientAnswer answer = get(path);
  EXPECT_EQ(header(answer, "X-DEBUGINFOD-FILE"), "lamp");
  EXPECT_EQ(header(answer, "X-DEBUGINFOD-ARCHIVE"), "");
  const auto written = std::filesystem::last_write_time(watched_ + "/lamp");
  EXPECT_EQ(header(answer, "Last-Modified"),
            net::http_date(std::chrono::duration_cast<std::chrono::microseconds>(
                               std::chrono::file_clock::to_sys(written).time_since_epoch())
                               .count()));
  const base::JsonValue found = metadata("key=file&value=" + watched_ + "/lamp");
  EXPECT_EQ(found["results"].size(), 2u) << "as program and as debug file";

  // SIGUSR1 looks for what is new…
  must_run("cd " + watched_ + " && cc -g -Wl,--build-id=0xaabbccdd22 -o wick lamp.c");
  EXPECT_EQ(get(url("aabbccdd22", "debuginfo")).status, 404);
  ::kill(server_->pid(), SIGUSR1);
  EXPECT_TRUE(comes_to(url("aabbccdd22", "debuginfo"), 200)) << server_->log();
  // … SIGUSR2 takes out what is gone.
  ASSERT_TRUE(base::remove_file(watched_ + "/wick").ok());
  EXPECT_EQ(get(url("aabbccdd22", "debuginfo")).status, 200);
  ::kill(server_->pid(), SIGUSR2);
  EXPECT_TRUE(comes_to(url("aabbccdd22", "debuginfo"), 404)) << server_->log();

  const auto fetched = must_run(client_environment() + "debuginfod-find -v debuginfo aabbccdd11");
  EXPECT_NE((fetched.output + fetched.errors).find("X-DEBUGINFOD-FILE: lamp"), std::string::npos)
      << fetched.errors;
  EXPECT_TRUE(server_->log_comes_to_say("client=debuginfod")) << server_->log();
  EXPECT_EQ(server_->stop(), 0);
}

TEST_F(Debuginfod, WhatSlashSays) {
  start({});
  EXPECT_TRUE(get("/").body.starts_with("debuginfod (faultline) "));
  server_.reset();
  must_run("rm -r " + root_ + "/data && echo '<p>Lamps</p>' >" + root_ + "/home.html");
  start({"--home-html=" + root_ + "/home.html"});
  EXPECT_EQ(get("/").body, "<p>Lamps</p>\n");
  server_.reset();
  must_run("rm -r " + root_ + "/data");
  start({"--home-redirect=https://lamps.example/"});
  const auto answer =
      must_run("curl -s -o /dev/null -w '%{http_code} %{redirect_url}' " + server_->url() + "/");
  EXPECT_EQ(answer.output, "302 https://lamps.example/");
}

TEST_F(Debuginfod, AnExpressionThatIsNoneIsBadUsage) {
  const auto end =
      run(testing_support::faultline_program() +
          " debuginfod --listen-address=127.0.0.1 -F -I '(' -d " + root_ + "/data " + watched_);
  EXPECT_EQ(end.exit_code, 2);
  EXPECT_NE(end.errors.find("\"(\" is no regular expression"), std::string::npos) << end.errors;
  EXPECT_FALSE(base::file_exists(root_ + "/data"));
}

TEST_F(Debuginfod, ASearchThatTakesTooLongSaysSo) {
  start({"--passive", "--metadata-maxtime", "1"});
  EXPECT_TRUE(is_complete(metadata("key=glob&value=*")));
}

TEST_F(Debuginfod, ElfutilsUnwindsAndJoinsWithOurFiles) {
  REQUIRE_OR_SKIP(have_command("cc") && have_command("eu-stack") && have_command("eu-unstrip") &&
                      have_command("eu-addr2line") && have_command("gdb"),
                  "no compiler, or no elfutils");
  // The program that runs is stripped; what it was made of is on the server only.
  must_run("mkdir -p " + watched_ + " " + root_ + "/run && cd " + watched_ +
           " && cat >lamp.c <<'END'\n"
           "#include <stdlib.h>\n"
           "__attribute__((noinline)) static void burn(int n) { if (n > 0) abort(); }\n"
           "__attribute__((noinline)) static void glow(int n) { burn(n); __asm__(\"\"); }\n"
           "int main(int c, char** v) { (void)v; glow(c); return 0; }\n"
           "END\n"
           "cc -g -O0 -no-pie -Wl,--build-id -o lamp lamp.c && strip -o ../run/lamp lamp");
  start({"-F", "-t", "0", watched_});
  const std::string id = std::string(base::trim(
      must_run("readelf -n " + root_ + "/run/lamp | sed -n 's/.*Build ID: //p'").output));
  ASSERT_TRUE(comes_to(url(id, "debuginfo"), 200)) << server_->log();

  must_run("cd " + root_ +
           "/run && gdb -nx -batch -iex 'set debuginfod enabled off' -ex run -ex "
           "'generate-core-file core' ./lamp");
  const auto stack = run(client_environment() + "eu-stack --source --core=" + root_ +
                         "/run/core --executable=" + root_ + "/run/lamp");
  EXPECT_NE(stack.output.find("burn"), std::string::npos) << stack.output << stack.errors;
  EXPECT_NE(stack.output.find("lamp.c:2"), std::string::npos) << stack.output << stack.errors;
  EXPECT_NE(stack.output.find("lamp.c:3"), std::string::npos) << stack.output << stack.errors;

  const auto joined = must_run("cd " + root_ + " && " + client_environment() +
                               "sh -c 'eu-unstrip -o joined run/lamp $(debuginfod-find debuginfo " +
                               id + ")' && eu-readelf -S joined");
  EXPECT_NE(joined.output.find(".debug_info"), std::string::npos) << joined.errors;
  const std::string address =
      std::string(base::trim(must_run("nm " + watched_ + "/lamp | sed -n 's/ t burn$//p'").output));
  const auto line =
      must_run(client_environment() + "eu-addr2line -f -e " + root_ + "/run/lamp 0x" + address);
  EXPECT_NE(line.output.find("burn"), std::string::npos) << line.output;
  EXPECT_NE(line.output.find("lamp.c:2"), std::string::npos) << line.output;
}

TEST_F(Debuginfod, ValgrindNamesLinesWithOurFiles) {
  REQUIRE_OR_SKIP(have_command("cc") && have_command("valgrind"), "no valgrind");
  must_run("mkdir -p " + watched_ + " " + root_ + "/run && cd " + watched_ +
           " && cat >leak.c <<'END'\n"
           "#include <stdlib.h>\n"
           "__attribute__((noinline)) static int* spill(void) { return malloc(44); }\n"
           "int main(void) { return *spill() == 7 ? 3 : 0; }\n"
           "END\n"
           "cc -g -O0 -Wl,--build-id -o leak leak.c && strip -o ../run/leak leak");
  start({"-F", "-t", "0", watched_});
  const std::string id = std::string(base::trim(
      must_run("readelf -n " + root_ + "/run/leak | sed -n 's/.*Build ID: //p'").output));
  ASSERT_TRUE(comes_to(url(id, "debuginfo"), 200)) << server_->log();
  const auto end = run(client_environment() + "valgrind --leak-check=full " + root_ + "/run/leak");
  EXPECT_NE(end.errors.find("(leak.c:2)"), std::string::npos) << end.errors;
  EXPECT_NE(end.errors.find("(leak.c:3)"), std::string::npos) << end.errors;
}

}  // namespace
