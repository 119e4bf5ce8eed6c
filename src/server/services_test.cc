#include "server/services.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "testing/silent_listener.h"

namespace server {
namespace {

using namespace std::chrono_literals;

// They end when their input does.
constexpr const char* kWaits = "read nothing";
constexpr const char* kBearsIt = "trap '' TERM; echo ready; read nothing";

class Services : public testing::Test {
 protected:
  // A shell that waits as `script` says, with more words on its command line.
  class Shell {
   public:
    Shell(const char* script, const std::vector<std::string>& words) {
      std::vector<std::string> all{"sh", "-c", script, "program"};
      all.insert(all.end(), words.begin(), words.end());
      std::vector<char*> argv;
      argv.reserve(all.size() + 1);
      for (std::string& word : all) argv.push_back(word.data());
      argv.push_back(nullptr);
      int in[2];
      int out[2];
      EXPECT_EQ(::pipe2(in, O_CLOEXEC), 0);
      EXPECT_EQ(::pipe2(out, O_CLOEXEC), 0);
      pid_ = ::fork();
      if (pid_ == 0) {
        ::dup2(in[0], 0);
        ::dup2(out[1], 1);
        ::execvp(argv[0], argv.data());
        ::_exit(127);
      }
      ::close(in[0]);
      ::close(out[1]);
      in_ = base::Fd(in[1]);  // the shell reads its end when this closes
      out_ = base::Fd(out[0]);
    }
    ~Shell() { static_cast<void>(end()); }
    Shell(const Shell&) = delete;
    Shell& operator=(const Shell&) = delete;

    pid_t pid() const { return pid_; }
    void wait_until_it_speaks() const {
      char letter = 0;
      EXPECT_EQ(::read(out_.get(), &letter, 1), 1);
    }
    bool runs() const { return ::waitpid(pid_, nullptr, WNOHANG) == 0; }
    int end() {
      in_.reset();
      int status = 0;
      return ::waitpid(pid_, &status, 0) == pid_ ? status : -1;
    }

   private:
    pid_t pid_ = -1;
    base::Fd in_, out_;
  };

  Service service(const std::vector<std::string>& command = {"sh"}) const {
    Service one;
    one.name = "it";
    one.pid_file = path("it.pid");
    one.command = command;
    return one;
  }
  std::string path(const std::string& name) const { return root_.path() + "/" + name; }
  void note(pid_t pid) const {
    const std::string text = std::to_string(pid) + "\n";
    ASSERT_TRUE(base::write_file_durably(path("it.pid"), base::bytes_of(text)).ok());
  }

  base::TemporaryDirectory root_ = base::TemporaryDirectory::create("services").value();
};

// What a child is shows after its exec() alone.
template <class Holds>
bool soon(const Holds& holds) {
  const auto until = std::chrono::steady_clock::now() + 20s;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

TEST_F(Services, AProcessIsKnownByThePidFileOnItsCommandLine) {
  const Shell ours(kWaits, {"--pidfile", path("it.pid")});
  const Shell stranger(kWaits, {"--pidfile", path("other.pid")});
  note(ours.pid());
  EXPECT_TRUE(soon([&] { return running_pid(service()) == ours.pid(); }));
  note(stranger.pid());
  EXPECT_EQ(running_pid(service()), std::nullopt);
  note(::getpid());
  EXPECT_EQ(running_pid(service()), std::nullopt);
}

TEST_F(Services, AProgramOfAnybodyIsKnownByWhereItListens) {
  Service wanted = service({"/bin/sh", "-l", "127.0.0.1", "-p", "11211"});
  wanted.writes_pid_file = false;
  const Shell stranger(kWaits, {"-p", "11999", "-l", "127.0.0.1"});
  note(stranger.pid());
  wanted.command.back() = "11999";
  EXPECT_TRUE(soon([&] { return running_pid(wanted) == stranger.pid(); }));
  wanted.command.back() = "11211";
  EXPECT_EQ(running_pid(wanted), std::nullopt);
  EXPECT_TRUE(stop({wanted}).ok());
  EXPECT_TRUE(stranger.runs());
}

TEST_F(Services, WhatBearsSigtermIsKilled) {
  Shell ours(kBearsIt, {"--pidfile", path("it.pid")});
  ours.wait_until_it_speaks();
  note(ours.pid());
  const auto stopped = stop({service()}, 2s);
  EXPECT_TRUE(stopped.ok()) << stopped.error().what;
  EXPECT_FALSE(base::file_exists(path("it.pid")));
}

// After SIGTERM it becomes another program, as when its number was given to a stranger.
TEST_F(Services, WhoCameToItsNumberMeanwhileIsNotKilled) {
  Shell ours(
      "trap \"exec sh -c 'trap : TERM; read nothing'\" TERM; echo ready; i=0; "
      "while [ $i -lt 3000 ]; do i=$((i+1)); sleep 0.01; done",
      {"--pidfile", path("it.pid")});
  ours.wait_until_it_speaks();
  note(ours.pid());
  EXPECT_TRUE(stop({service()}, 20s).ok());
  EXPECT_TRUE(ours.runs());
  const int status = ours.end();
  EXPECT_TRUE(WIFEXITED(status)) << status;
}

// It listens: who connects waits for the first byte of an answer.
TEST_F(Services, WhatListensAndNeverAnswersIsNamedWhenTheTimeIsUp) {
  const testing_support::SilentListener mute;
  Service silent =
      service({"sh", "-c", "while :; do sleep 0.1; done", "program", "--pidfile", path("it.pid")});
  silent.writes_pid_file = false;
  silent.port = mute.port();
  silent.question = "are you there?";
  silent.answer = "yes";
  std::vector<Started> started;
  started.push_back(Started::start(silent).value());
  ASSERT_TRUE(soon([&] { return running_pid(silent) == started.front().pid(); }));
  const auto waited = wait_for(started, 300ms);
  ASSERT_FALSE(waited.ok());
  EXPECT_EQ(waited.error().what, "it did not answer in time");
  EXPECT_EQ(waited.error().fault, base::Fault::unavailable);
  const auto others = wait_until({silent}, does_answer, 300ms);
  ASSERT_FALSE(others.ok());
  EXPECT_EQ(others.error().what, "it did not answer in time");
  EXPECT_TRUE(stop({silent}, 5s).ok());
}

TEST_F(Services, APidFileIsLeftToTheProcessThatHasIt) {
  {
    const auto own = PidFile::write(path("it.pid"));
    ASSERT_TRUE(own.ok()) << own.error().what;
    EXPECT_EQ(base::read_file(path("it.pid")).value(), std::to_string(::getpid()) + "\n");
  }
  EXPECT_FALSE(base::file_exists(path("it.pid")));
  Shell first("echo ready; read nothing", {"--pidfile", path("it.pid")});
  first.wait_until_it_speaks();
  note(first.pid());
  const std::string text = base::read_file(path("it.pid")).value();
  const auto second = PidFile::write(path("it.pid"));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().what,
            path("it.pid") + ": process " + std::to_string(first.pid()) + " has it");
  EXPECT_EQ(base::read_file(path("it.pid")).value(), text);
  first.end();
  EXPECT_TRUE(PidFile::write(path("it.pid")).ok()) << "nobody has it any more";
}

}  // namespace
}  // namespace server
