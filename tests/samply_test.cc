// samply, the profiler that answers as we do, against a server of ours on the ELF objects of the
// corpus. tests/compare-with-samply does it, and has the list of what differs and why.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "testing/commands.h"
#include "testing/corpus.h"
#include "testing/server_process.h"

namespace {

// In PATH, or where cargo puts it; "" when it is not there.
std::string find_samply() {
  if (testing_support::have_command("samply")) return "samply";
  const char* const home = std::getenv("HOME");
  const std::string path = std::string(home == nullptr ? "" : home) + "/.cargo/bin/samply";
  return ::access(path.c_str(), X_OK) == 0 ? path : "";
}

TEST(Samply, SaysTheSameOfTheCorpusElfObjects) {
  REQUIRE_CORPUS(corpus);
  const std::string samply = find_samply();
  if (samply.empty()) GTEST_SKIP() << "no samply: tools/install-deps peers";
  const auto end =
      testing_support::run(testing_support::source_root() + "/tests/compare-with-samply " +
                           testing_support::faultline_program() + " " + samply + " " + corpus);
  EXPECT_TRUE(end.ok()) << end.output << end.errors;
  RecordProperty("differences", end.output);
}

}  // namespace
