#include "analyze/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace analyze {
namespace {

using std::chrono::milliseconds;

ChildEnd must_run(const std::string& script, std::string_view input = "",
                  milliseconds timeout = milliseconds(20'000), std::uint64_t output_max = 1 << 24) {
  auto end = run_child({"/bin/sh", "-c", script}, input, timeout, output_max);
  EXPECT_TRUE(end.ok());
  return end.ok() ? std::move(*end) : ChildEnd{};
}

TEST(ChildProcess, GivesInputAndTakesOutput) {
  const std::string big(3 << 20, 'x');  // far more than a socket holds
  const ChildEnd end = must_run("cat", big);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.output, big);
}

TEST(ChildProcess, TellsHowTheChildEnded) {
  EXPECT_EQ(must_run("exit 3").exit_code, 3);
  EXPECT_EQ(must_run("kill -SEGV $$").signal, SIGSEGV);
  EXPECT_EQ(must_run("kill -KILL $$").signal, SIGKILL);
}

TEST(ChildProcess, AChildThatDoesNotReadIsNoError) {
  const ChildEnd end = must_run("echo done", std::string(3 << 20, 'x'));
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.output, "done\n");
}

TEST(ChildProcess, KillsAChildWhoseTimeIsUp) {
  EXPECT_TRUE(must_run("exec sleep 100", "", milliseconds(50)).timed_out);
  // Its output has ended, but it stays.
  EXPECT_TRUE(must_run("exec sleep 100 >&- <&-", "", milliseconds(50)).timed_out);
}

TEST(ChildProcess, KillsAChildThatTalksTooMuch) {
  const ChildEnd end = must_run("exec yes", "", milliseconds(20'000), 100'000);
  EXPECT_TRUE(end.output_too_long);
  EXPECT_EQ(end.signal, SIGKILL);
}

TEST(ChildProcess, AProgramThatIsNotThereIsAnError) {
  EXPECT_FALSE(run_child({"/nonexistent/program"}, "", milliseconds(1000), 100).ok());
}

}  // namespace
}  // namespace analyze
