// Real clients through the proxy: elfutils' own client, gdb and LLDB ask us, and all that there is
// lies on Debian's debuginfod. The sources lie in its archive alone, nowhere on this machine.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/file.h"
#include "base/text.h"
#include "extract/identify.h"
#include "net/client.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/free_port.h"
#include "testing/peer_process.h"
#include "testing/server_process.h"

namespace {

using testing_support::have_command;
using testing_support::must_run;
using testing_support::PeerProcess;
using testing_support::run;
using testing_support::ServerProcess;

constexpr const char* kMain =
    "#include \"lamp.h\"\n"
    "int flicker(int a) {\n"
    "  return dim(a) - 1;\n"
    "}\n"
    "int main(void) { return flicker(7) == 77; }\n";
constexpr const char* kHeader = "static inline int dim(int a) { return a * 3 + 1; }\n";
constexpr const char* kMainPath = "/usr/src/proxied-lamp-1.0/src/lamp.c";
constexpr const char* kHeaderPath = "/usr/src/proxied-lamp-1.0/inc/lamp.h";

std::string must_read(const std::string& path) {
  const auto text = base::read_file(path);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? *text : "";
}

class ProxyClients : public testing::Test {
 protected:
  void SetUp() override {
    REQUIRE_OR_SKIP(have_command("cc") && have_command("debuginfod"),
                    "no C compiler or no debuginfod");
    build();
    start_debuginfod();
    start(upstream_);
  }
  // A stripped program, its debug file and its sources as a distribution packs them.
  void build() {
    write("tree" + std::string(kMainPath), kMain);
    write("tree" + std::string(kHeaderPath), kHeader);
    must_run("cd " + path("tree/usr/src/proxied-lamp-1.0/src") +
             " && cc -g -O0 -Wl,--build-id=sha1 -I../inc -ffile-prefix-map=" + path("tree") +
             "= -o " + path("whole") + " lamp.c && cd " + root_ +
             " && mkdir -p tree/usr/bin tree/usr/lib/debug run archives && " +
             "objcopy --only-keep-debug whole tree/usr/lib/debug/lamp.debug && " +
             "strip -o tree/usr/bin/lamp whole && cp tree/usr/bin/lamp run/lamp && " +
             "cp tree/usr/lib/debug/lamp.debug lamp.debug && " +
             "tar -C tree -cf archives/lamp.tar ./usr && rm -r tree whole");
    id_ = extract::identify(base::bytes_of(must_read(path("run/lamp")))).build_id;
    ASSERT_EQ(id_.size(), 40u);
    ASSERT_FALSE(base::file_exists(kMainPath)) << "the machine has the source itself";
  }
  void start_debuginfod() {
    const std::uint16_t port = testing_support::free_port();
    debuginfod_.emplace(
        std::vector<std::string>{"debuginfod", "-d", path("theirs.db"), "-p", std::to_string(port),
                                 "-t0", "-g0", "-Z", ".tar=cat", path("archives")},
        port, path("theirs.log"));
    ASSERT_TRUE(debuginfod_->is_up());
    upstream_ = debuginfod_->url();
    // It scans while it answers; the sources come last.
    for (const std::string& what :
         std::vector<std::string>{"executable", "debuginfo", "source" + std::string(kMainPath)}) {
      ASSERT_TRUE(comes_to(upstream_ + "/buildid/" + id_ + "/" + what, 200)) << what << "\n"
                                                                             << debuginfod_->log();
    }
  }
  void start(const std::string& url, const std::string& more = "") {
    write("faultline.toml",
          "[[upstream]]\nlayout = \"debuginfod\"\nurl = \"" + url + "\"\n" + more);
    server_.emplace(
        ServerProcess::start({path("data"), {"--config", path("faultline.toml")}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }
  static bool comes_to(const std::string& url, int status) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < until) {
      const auto answer = net::Client().get(url);
      if (answer.ok() && answer->status == status) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }
  std::string path(const std::string& name) const { return root_ + "/" + name; }
  void write(const std::string& name, std::string_view text) const {
    ASSERT_TRUE(base::make_directories(std::string(base::parent_of(path(name)))).ok());
    ASSERT_TRUE(base::write_file_durably(path(name), base::bytes_of(text)).ok());
  }
  // A client that has never asked before.
  std::string fresh_environment(const std::string& urls) {
    const std::string home = path("home" + std::to_string(++homes_));
    must_run("mkdir -p " + home);
    return fmt::format("HOME={0} DEBUGINFOD_URLS='{1}' DEBUGINFOD_CACHE_PATH={0}/cache ", home,
                       urls);
  }
  base::ChildEnd find(const std::string& what, const std::string& more = "") {
    return run(fresh_environment(server_->url()) + "debuginfod-find " + what + " " + id_ + " " +
               more);
  }
  std::string must_find(const std::string& what, const std::string& more = "") {
    const auto end = find(what, more);
    EXPECT_TRUE(end.ok()) << what << " " << more << ": " << end.errors << server_->log();
    return end.ok() ? must_read(std::string(base::trim(end.output))) : "";
  }
  void expect_all_found() {
    EXPECT_TRUE(must_find("debuginfo") == must_read(path("lamp.debug")));
    EXPECT_TRUE(must_find("executable") == must_read(path("run/lamp")));
    EXPECT_EQ(must_find("source", kMainPath), kMain);
    EXPECT_EQ(must_find("source", kHeaderPath), kHeader);
  }

  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("proxied").value();
  const std::string root_ = directory_.path();
  std::string id_, upstream_;
  int homes_ = 0;
  std::optional<PeerProcess> debuginfod_;
  std::optional<ServerProcess> server_;
};

TEST_F(ProxyClients, DebuginfodFindGetsAllAndAgainWhenTheUpstreamIsGone) {
  REQUIRE_OR_SKIP(have_command("debuginfod-find"), "no debuginfod-find");
  expect_all_found();
  debuginfod_->stop();
  expect_all_found();
  // We too may have been away.
  EXPECT_EQ(server_->stop(), 0);
  start(upstream_);
  expect_all_found();
  // What we never had is neither there nor a miss that the client would remember.
  const auto other =
      run(fresh_environment(server_->url()) + "debuginfod-find debuginfo " + std::string(40, 'a'));
  EXPECT_FALSE(other.ok());
  EXPECT_NE(other.errors.find("reset by peer"), std::string::npos) << other.errors;
}

// Only what the symbols name is asked for, whoever has it.
TEST_F(ProxyClients, SourcesThatTheSymbolsDoNotNameAreAskedForNowhere) {
  REQUIRE_OR_SKIP(have_command("debuginfod-find"), "no debuginfod-find");
  EXPECT_EQ(must_find("source", kMainPath), kMain);
  for (const std::string& other : std::vector<std::string>{
           "/etc/passwd", "/usr/bin/lamp", std::string(kMainPath) + "/../../../../../etc/passwd"}) {
    EXPECT_FALSE(find("source", other).ok()) << other;
  }
  EXPECT_EQ(debuginfod_->log().find("passwd"), std::string::npos) << debuginfod_->log();
}

TEST_F(ProxyClients, AFilterHoldsForSourcesToo) {
  ASSERT_EQ(server_->stop(), 0);
  start(upstream_, "deny = [\"lamp\\\\.h\"]\n");
  EXPECT_EQ(must_find("source", kMainPath), kMain);
  EXPECT_FALSE(find("source", kHeaderPath).ok());
}

// Ours behind ours: each hop proves and keeps for itself.
TEST_F(ProxyClients, TwoOfUsInARow) {
  REQUIRE_OR_SKIP(have_command("debuginfod-find"), "no debuginfod-find");
  const std::string config = path("second.toml");
  write("second.toml", "[[upstream]]\nlayout = \"debuginfod\"\nurl = \"" + server_->url() + "\"\n");
  auto second = ServerProcess::start({path("second"), {"--config", config}, {}, {}});
  ASSERT_NE(second.url(), "");
  const auto source =
      run(fresh_environment(second.url()) + "debuginfod-find source " + id_ + " " + kMainPath);
  EXPECT_EQ(must_read(std::string(base::trim(source.output))), kMain) << source.errors;
  EXPECT_EQ(server_->stop(), 0);
  debuginfod_->stop();
  const auto debug = run(fresh_environment(second.url()) + "debuginfod-find debuginfo " + id_);
  EXPECT_TRUE(must_read(std::string(base::trim(debug.output))) == must_read(path("lamp.debug")))
      << debug.errors;
}

TEST_F(ProxyClients, GdbShowsFunctionFileLineAndSource) {
  REQUIRE_OR_SKIP(have_command("gdb"), "no gdb");
  const auto gdb = run(fresh_environment(server_->url()) +
                       "gdb -nx -batch -iex 'set debuginfod enabled on' -ex 'info line flicker' "
                       "-ex 'list flicker' -ex 'list dim' " +
                       path("run/lamp") + " 2>&1");
  EXPECT_NE(gdb.output.find("Line 2 of \"lamp.c\" starts at"), std::string::npos) << gdb.output;
  EXPECT_NE(gdb.output.find("<flicker>"), std::string::npos) << gdb.output;
  EXPECT_NE(gdb.output.find("return dim(a) - 1;"), std::string::npos) << gdb.output;
  EXPECT_NE(gdb.output.find("return a * 3 + 1;"), std::string::npos) << gdb.output;
}

TEST_F(ProxyClients, GdbStopsTheRunningProgramAtItsLine) {
  REQUIRE_OR_SKIP(have_command("gdb"), "no gdb");
  const auto gdb = run(fresh_environment(server_->url()) +
                       "gdb -nx -batch -iex 'set debuginfod enabled on' -ex 'break flicker' "
                       "-ex run -ex backtrace -ex kill " +
                       path("run/lamp") + " 2>&1");
  if (gdb.output.find("Breakpoint 1, ") == std::string::npos &&
      gdb.output.find("trace") != std::string::npos) {
    GTEST_SKIP() << "gdb cannot run programs here: " << gdb.output;
  }
  EXPECT_NE(gdb.output.find("#0  flicker (a=7) at lamp.c:3"), std::string::npos) << gdb.output;
  EXPECT_NE(gdb.output.find("in main () at lamp.c:5"), std::string::npos) << gdb.output;
}

TEST_F(ProxyClients, LldbFindsTheLineOfAStrippedProgram) {
  REQUIRE_OR_SKIP(have_command("lldb-22"), "no lldb-22");
  const std::string asking =
      "lldb-22 --no-lldbinit -b -O 'settings set "
      "plugin.symbol-locator.debuginfod.server-urls ";
  const auto said = [&](const std::string& url) {
    return run(fresh_environment("") + asking + url + "' -o 'image lookup -v -n flicker' " +
               path("run/lamp") + " 2>&1")
        .output;
  };
  const std::string nobody = "http://127.0.0.1:" + std::to_string(testing_support::free_port());
  EXPECT_EQ(said(nobody).find("lamp.c:2"), std::string::npos) << "it knows that without us";
  const std::string found = said(server_->url());
  EXPECT_NE(found.find("lamp.c:2"), std::string::npos) << found;
  debuginfod_->stop();
  EXPECT_NE(said(server_->url()).find("lamp.c:2"), std::string::npos) << "from our cache";
}

}  // namespace
