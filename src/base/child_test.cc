#include "base/child.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <thread>

namespace base {
namespace {

Result<ChildEnd> shell(const std::string& script, const ChildLimits& limits = {}) {
  return run_child("/bin/sh", {"sh", "-c", script}, limits);
}

TEST(Child, GivesBothOutputsAndTheCode) {
  const auto end = shell("echo out; echo err >&2; exit 3");
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->output, "out\n");
  EXPECT_EQ(end->errors, "err\n");
  EXPECT_EQ(end->exit_code, 3);
  EXPECT_EQ(end->describe(), "exit code 3: err");
}

TEST(Child, ReadsItsInputFromStdin) {
  const std::string input(3 << 20, 'x');
  ChildLimits limits;
  limits.text_bytes_max = input.size();
  const auto end = run_child("/bin/cat", {"cat"}, limits, input);
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->output, input);
  EXPECT_FALSE(end->output_cut);
  limits.text_bytes_max = 10;
  EXPECT_TRUE(run_child("/bin/cat", {"cat"}, limits, input)->output_cut);
}

TEST(Child, IsKilledWhenItTakesTooLong) {
  ChildLimits limits;
  limits.wall = std::chrono::milliseconds(50);
  const auto end = shell("exec sleep 20", limits);
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->timed_out);
  EXPECT_EQ(end->signal, 9);
}

TEST(Child, IsKilledWhenItTakesTooLongWithoutOutputs) {
  ChildLimits limits;
  limits.wall = std::chrono::milliseconds(50);
  const auto end = shell("exec >&- 2>&-; exec sleep 20", limits);
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->timed_out);
  EXPECT_EQ(end->signal, 9);
}

TEST(Child, IsKilledWithoutOutputsWhenWeStop) {
  std::atomic<bool> stop = false;
  ChildLimits limits;
  limits.stop = &stop;
  std::thread stopping([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop = true;
  });
  EXPECT_EQ(shell("exec >&- 2>&-; exec sleep 20", limits)->signal, 9);
  stopping.join();
}

// As a program is started by one that ignores the ends of its children.
TEST(Child, WhoseEndIsNotToldHasNotSucceeded) {
  std::signal(SIGCHLD, SIG_IGN);
  const auto end = shell("exit 0");
  const auto command = run_command({"true"}, std::chrono::seconds(60));
  const auto grandchild = shell("sh -c 'exit 3'; echo $?");
  std::signal(SIGCHLD, SIG_DFL);
  EXPECT_FALSE(end->ok());
  EXPECT_EQ(end->describe(), "ended, and somebody else took its end");
  EXPECT_FALSE(command->ok());
  EXPECT_EQ(grandchild->output, "3\n");
}

TEST(Child, IsKilledWhenWeStop) {
  const std::atomic<bool> stop = true;
  ChildLimits limits;
  limits.stop = &stop;
  EXPECT_EQ(shell("exec sleep 20", limits)->signal, 9);
}

TEST(Child, TalksAsMuchAsItLikesButWeKeepTheLimit) {
  ChildLimits limits;
  limits.text_bytes_max = 10;
  const auto end =
      shell("i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done", limits);
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->exit_code, 0);
  EXPECT_EQ(end->output, "0123456789");
}

TEST(Child, SeesNoneOfOurDescriptorsAndDiesOfSignals) {
  EXPECT_EQ(shell("ls /proc/self/fd | wc -l")->output, "4\n");  // its three, and ls's own
  EXPECT_EQ(shell("kill -SEGV $$")->signal, 11);
}

TEST(Child, AMissingProgramIsAnError) {
  const auto end = run_child("/no/such/program", {"x"});
  ASSERT_FALSE(end.ok());
  EXPECT_EQ(end.error().fault, Fault::unavailable);
}

// A container engine leaves the container behind, which may not have our limits for a child.
TEST(Command, RunsWithOurLimitsAndIsLookedForOnThePath) {
  const auto end = run_command({"sh", "-c",
                                "echo said; echo failed >&2; ulimit -Sn; ls /proc/self/fd "
                                "| wc -l; exit 3"},
                               std::chrono::seconds(60));
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->exit_code, 3);
  EXPECT_EQ(end->errors, "failed\n");
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  EXPECT_EQ(end->output, "said\n" + std::to_string(files.rlim_cur) + "\n4\n");
}

TEST(Command, NobodyWaitsForWhomItLeavesBehind) {
  const auto end = run_command({"sh", "-c", "sleep 20 & echo $!"}, std::chrono::seconds(10));
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->ok()) << end->describe();
  ::kill(static_cast<pid_t>(std::stol(end->output)), SIGKILL);
}

TEST(Command, IsKilledWhenItTakesTooLong) {
  const auto end = run_command({"sleep", "1000"}, std::chrono::milliseconds(1));
  ASSERT_TRUE(end.ok());
  EXPECT_TRUE(end->timed_out);
  EXPECT_EQ(end->signal, SIGKILL);
}

TEST(Command, ThatIsNotThereHasShellsExitCode) {
  EXPECT_EQ(run_command({"no-such-program"}, std::chrono::seconds(60))->exit_code, 127);
}

}  // namespace
}  // namespace base
