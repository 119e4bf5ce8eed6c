// What the commands say when files that they count on are lost: contents that a server should have
// and has not, files that somebody cuts short while they are read.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

using testing_support::faultline_program;
using testing_support::have_command;
using testing_support::must_run;
using testing_support::run;
using testing_support::ServerProcess;

class LostFiles : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  static base::ChildEnd faultline(const std::string& arguments) {
    return run(faultline_program() + " " + arguments);
  }
  // Two libraries with build ids, as one transaction.
  void add_two(const std::string& store) const {
    must_run("mkdir -p " + path("files") + " && cd " + path("files") +
             " && for n in one two; do echo \"int $n(void) { return 1; }\" >../$n.c && cc -shared "
             "-g -Wl,--build-id -o lib$n.so ../$n.c || exit 1; done");
    must_run(faultline_program() + " store add --product lamps --store " + store + " " +
             path("files") + "/libone.so " + path("files") + "/libtwo.so");
  }
  // The server's bytes of a file, gone as a broken disk takes them.
  void lose(const std::string& file) const {
    const std::string hash = must_run("sha256sum " + path("files/" + file)).output.substr(0, 64);
    must_run("rm " + path("data/blobs/") + hash.substr(0, 2) + "/" + hash);
  }
  static std::size_t libraries_in(const std::string& tree) {
    const auto files = base::list_files(tree);
    return files.ok() ? static_cast<std::size_t>(
                            std::count_if(files->begin(), files->end(),
                                          [](const auto& file) { return file.ends_with(".so"); }))
                      : 0;
  }
  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("lost").value();
};

TEST_F(LostFiles, AnExportThatLacksOneFailsAndNamesIt) {
  REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
  {
    auto server = ServerProcess::start({path("data"), {}, {}, {}});
    ASSERT_NE(server.url(), "");
    add_two(server.url());
    const auto whole = faultline("store export --store " + server.url() + " " + path("whole"));
    EXPECT_EQ(whole.exit_code, 0) << whole.errors;
    EXPECT_EQ(libraries_in(path("whole")), 2u);
    EXPECT_EQ(server.stop(), 0);  // it has small contents in memory
  }
  lose("libtwo.so");
  auto server = ServerProcess::start({path("data"), {}, {}, {}});
  ASSERT_NE(server.url(), "");
  // From the server, and from its directory when nobody serves it.
  for (const bool serves : {true, false}) {
    if (!serves) EXPECT_EQ(server.stop(), 0);
    const std::string from = serves ? server.url() : path("data");
    const std::string to = path(serves ? "served" : "local");
    const auto end = faultline(fmt::format("store export --json --store {} {}", from, to));
    EXPECT_EQ(end.exit_code, 1) << end.output;
    EXPECT_NE(end.errors.find("not exported: libtwo.so/"), std::string::npos) << end.errors;
    EXPECT_NE(end.errors.find("error: 1 files were not exported"), std::string::npos) << end.errors;
    const auto tally = base::JsonValue::parse(end.output);
    ASSERT_TRUE(tally.ok()) << end.output;
    EXPECT_EQ((*tally)["failed"].integer_or(-1), 1);
    EXPECT_EQ((*tally)["left_out"].integer_or(-1), 0);
    EXPECT_EQ(libraries_in(to), 1u) << "the other one is there";
  }
}

TEST_F(LostFiles, AnExportOfEverythingFailsForAFileOfNoTransaction) {
  REQUIRE_OR_SKIP(have_command("cc"), "no C compiler");
  auto server = ServerProcess::start({path("data"), {}, {}, {}});
  ASSERT_NE(server.url(), "");
  add_two(path("tree"));  // which builds them
  must_run(faultline_program() + " upload-symbols --url " + server.url() + " " + path("files"));
  lose("libone.so");
  EXPECT_EQ(server.stop(), 0);
  const auto end = faultline("store export --all --store " + path("data") + " " + path("out"));
  EXPECT_EQ(end.exit_code, 1) << end.output;
  EXPECT_NE(end.errors.find("not exported: libone.so"), std::string::npos) << end.errors;
  EXPECT_EQ(libraries_in(path("out")), 1u);
}

// The mapping is held up until the file has been cut short; the next look would be SIGBUS.
TEST_F(LostFiles, AFileThatIsCutShortMeanwhileIsNamed) {
  REQUIRE_OR_SKIP(have_command("cc") && have_command("strace"), "no C compiler or strace");
  for (const std::string& command : std::vector<std::string>{
           "dump-syms FILE", "upload-symbols --url http://127.0.0.1:1 FILE",
           "symbolicate --symbols FILE 10", "store add --product p --store STORE FILE"}) {
    const std::string file = path("cut.so");
    must_run("cd " + root_.path() +
             " && echo 'int f(void) { return 1; }' >f.c && cc -shared -g "
             "-Wl,--build-id -o cut.so f.c");
    std::string arguments = command;
    for (const auto& [from, to] :
         std::map<std::string, std::string>{{"FILE", file}, {"STORE", path("store")}}) {
      if (const auto at = arguments.find(from); at != std::string::npos) {
        arguments.replace(at, from.size(), to);
      }
    }
    const auto end = run(fmt::format(
        "strace -f -o /dev/null -P {0} -e trace=mmap -e inject=mmap:delay_exit=2000000 {1} {2} & "
        "while ! grep -qs {0} /proc/[0-9]*/maps; do sleep 0.02; done; truncate -s 0 {0}; wait $!",
        file, faultline_program(), arguments));
    EXPECT_EQ(end.exit_code, 1) << command << end.output << end.describe();
    EXPECT_NE(end.errors.find("faultline: error: " + file + ": was cut short by somebody else"),
              std::string::npos)
        << command << "\n"
        << end.errors;
  }
}

}  // namespace
