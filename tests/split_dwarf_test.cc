// Split DWARF over debuginfod's routes: gdb and LLDB ask for different files by the same path,
// and each must get the one that it can use.
#include <gtest/gtest.h>

#include "base/child.h"
#include "base/file.h"
#include "base/text.h"
#include "extract/identify.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

using testing_support::have_command;
using testing_support::ServerProcess;

struct Toolchain {
  const char* name;
  const char* compiler;
  const char* flags;
  const char* packer;   // makes the package of what is in the working directory
  bool is_read_by_gdb;  // gdb 13 complains of llvm-dwp's packages of DWARF 5
};

void PrintTo(const Toolchain& toolchain, std::ostream* out) { *out << toolchain.name; }

class SplitDwarf : public testing::TestWithParam<Toolchain> {
 protected:
  void SetUp() override {
    const std::string packer(GetParam().packer);
    REQUIRE_OR_SKIP(have_command(GetParam().compiler) &&
                        have_command(packer.substr(0, packer.find(' '))) &&
                        have_command("lldb-22") && have_command("gdb") && have_command("curl"),
                    "no compiler for split DWARF, or no debuggers");
    build();
    server_.emplace(ServerProcess::start({root_ + "/data", {}, {}, {}}));
    ASSERT_NE(server_->url(), "");
  }

  // The tree that it was built in goes, or the debuggers would read the units from there.
  void build() {
    must_run("mkdir -p " + root_ + "/build " + root_ + "/whole " + root_ + "/stripped " + root_ +
             "/debug " + root_ + "/home");
    const std::string text =
        "int shade(int);\n"
        "__attribute__((noinline)) int flicker(int lumen) { return shade(lumen) * 3; }\n"
        "int main(int c, char** v) { (void)v; return flicker(c); }\n";
    ASSERT_TRUE(base::write_file_durably(root_ + "/build/lantern.c", base::bytes_of(text)).ok());
    const std::string other = "int shade(int a) { return a + 1; }\n";
    ASSERT_TRUE(base::write_file_durably(root_ + "/build/shade.c", base::bytes_of(other)).ok());
    const std::string compile =
        std::string(GetParam().compiler) + " -c -O0 -gsplit-dwarf " + GetParam().flags;
    must_run("cd " + root_ + "/build && " + compile + " lantern.c && " + compile + " shade.c && " +
             GetParam().compiler + " -Wl,--build-id -o lantern lantern.o shade.o && " +
             GetParam().packer + " && cp lantern ../whole/ && cp lantern.dwp .. && cd .. && " +
             "strip -o stripped/lantern whole/lantern && "
             "objcopy --only-keep-debug whole/lantern debug/lantern.debug && rm -r build");
    build_id_ = extract::identify(base::bytes_of(must_read("whole/lantern"))).build_id;
  }

  std::string must_read(const std::string& name) const {
    const auto text = base::read_file(base::join_path(root_, name));
    EXPECT_TRUE(text.ok()) << name;
    return text.ok() ? *text : "";
  }
  std::string run(const std::string& command) const {
    base::ChildLimits limits;
    limits.data_bytes_max = 64ull << 30;
    limits.wall = std::chrono::seconds(200);
    const auto end = base::run_child("/bin/sh", {"sh", "-c", command}, limits);
    EXPECT_TRUE(end.ok()) << command;
    return end.ok() ? end->output + (end->ok() ? "" : end->errors) : "";
  }
  void must_run(const std::string& command) const {
    const auto end = base::run_child("/bin/sh", {"sh", "-c", command});
    ASSERT_TRUE(end.ok() && end->ok()) << command << (end.ok() ? end->errors : "");
  }
  void upload(const std::string& files) const {
    must_run("cd " + root_ + " && " + testing_support::faultline_program() +
             " upload-symbols --url " + server_->url() + " " + files);
  }
  // "" as agent: none, as LLVM's tools.
  std::string get(const std::string& what, const std::string& agent,
                  const std::string& flags = "-sf") const {
    return run("curl " + flags + " -H 'User-Agent:" + (agent.empty() ? "" : " " + agent) + "' " +
               server_->url() + "/buildid/" + build_id_ + "/" + what);
  }
  std::string lldb(const std::string& program) const {
    const std::string setting = "-o 'settings set plugin.symbol-locator.debuginfod.";
    return run(
        "cd " + root_ + "/home && rm -rf lldb-cache && HOME=" + root_ +
        "/home lldb-22 --no-lldbinit -b -o 'settings set symbols.enable-external-lookup 1' " +
        setting + "server-urls " + server_->url() + "' " + setting + "cache-path " + root_ +
        "/home/lldb-cache' -o 'target create " + root_ + "/" + program +
        "' -o 'image lookup -v -n flicker' 2>&1");
  }
  std::string gdb(const std::string& program, const std::string& command,
                  const std::string& setting = "set pagination off") const {
    return run("cd " + root_ + "/home && rm -rf cache && HOME=" + root_ +
               "/home DEBUGINFOD_URLS=" + server_->url() + " DEBUGINFOD_CACHE_PATH=" + root_ +
               "/home/cache gdb -nx -batch -iex 'set debuginfod enabled on' -iex '" + setting +
               "' -ex '" + command + "' " + root_ + "/" + program + " 2>&1");
  }

  static constexpr const char* kElfutils = "elfutils/0.190,Linux/x86_64,debian,12";
  base::TemporaryDirectory directory_ = base::TemporaryDirectory::create("split").value();
  std::string root_ = directory_.path();
  std::string build_id_;
  std::optional<ServerProcess> server_;
};

TEST_P(SplitDwarf, ADebugFileAndAPackageShareABuildId) {
  upload("stripped/lantern debug/lantern.debug lantern.dwp");
  EXPECT_TRUE(get("debuginfo", kElfutils) == must_read("debug/lantern.debug"));
  EXPECT_TRUE(get("executable", kElfutils) == must_read("stripped/lantern"));
  EXPECT_TRUE(get("debuginfo", "") == must_read("lantern.dwp"));
  EXPECT_TRUE(get("executable", "") == must_read("debug/lantern.debug"));
  for (const std::string& agent : std::vector<std::string>{kElfutils, ""}) {
    EXPECT_NE(get("debuginfo", agent, "-sI").find("Vary: User-Agent"), std::string::npos);
  }

  const std::string lldb_says = lldb("stripped/lantern");
  EXPECT_NE(lldb_says.find("lantern.c:2"), std::string::npos) << lldb_says;
  EXPECT_NE(lldb_says.find("name = \"lumen\", type = \"int\""), std::string::npos) << lldb_says;

  // gdb takes the debug file from us; for variables it wants the package beside the program.
  const std::string gdb_says = gdb("stripped/lantern", "info scope flicker");
  EXPECT_NE(gdb_says.find("Downloading separate debug info"), std::string::npos) << gdb_says;
  EXPECT_EQ(gdb_says.find("No debugging symbols found"), std::string::npos) << gdb_says;
  must_run("curl -sf -o " + root_ + "/fetched.dwp " + server_->url() + "/artifacts/dwp/" +
           build_id_ + "/lantern.dwp && cmp " + root_ + "/fetched.dwp " + root_ + "/lantern.dwp");
}

TEST_P(SplitDwarf, AWholeProgramAndItsPackage) {
  upload("lantern.dwp whole/lantern");
  EXPECT_TRUE(get("debuginfo", kElfutils) == must_read("whole/lantern"));
  EXPECT_TRUE(get("debuginfo", "") == must_read("lantern.dwp"));
  EXPECT_TRUE(get("executable", "") == must_read("whole/lantern"));
  for (const std::string& program : std::vector<std::string>{"stripped/lantern", "whole/lantern"}) {
    const std::string says = lldb(program);
    EXPECT_NE(says.find("name = \"lumen\", type = \"int\""), std::string::npos) << says;
  }
  if (!GetParam().is_read_by_gdb) return;
  // gdb asks no server for a package: it looks for one among its directories of debug files.
  must_run("mkdir " + root_ + "/packages && curl -sf -o " + root_ + "/packages/lantern.dwp " +
           server_->url() + "/artifacts/dwp/" + build_id_ + "/lantern.dwp");
  for (const std::string& program : std::vector<std::string>{"stripped/lantern", "whole/lantern"}) {
    const std::string says =
        gdb(program, "info scope flicker", "set debug-file-directory " + root_ + "/packages");
    EXPECT_NE(says.find("Symbol lumen is a"), std::string::npos) << says;
  }
}

TEST_P(SplitDwarf, WithoutAPackageNothingIsDifferent) {
  upload("stripped/lantern debug/lantern.debug");
  for (const std::string& agent : std::vector<std::string>{kElfutils, ""}) {
    EXPECT_TRUE(get("debuginfo", agent) == must_read("debug/lantern.debug"));
    EXPECT_TRUE(get("executable", agent) == must_read("stripped/lantern"));
    EXPECT_EQ(get("debuginfo", agent, "-sI").find("Vary: User-Agent"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Toolchains, SplitDwarf,
                         testing::Values(Toolchain{"clang", "clang-22", "-gdwarf-5",
                                                   "llvm-dwp-22 -e lantern -o lantern.dwp", false},
                                         Toolchain{"gcc", "gcc", "-gdwarf-4",
                                                   "dwp -e lantern -o lantern.dwp", true}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
