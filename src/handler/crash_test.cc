// Programs that really crash, each in its own way, with the client linked in and a handler beside
// them. Every case asks the same: it dies of the right signal and soon, its dump is in the spool
// and can be read, and nothing of us is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "handler/proc_files.h"
#include "handler/spool.h"
#include "handler/stack_capture.h"
#include "snapshot/snapshot_from_minidump.h"
#include "testing/corpus.h"
#include "testing/sanitized.h"
#include "testing/small_disk.h"

namespace handler {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing_support::kSanitized;

std::string program(const std::string& name) {
  char self[4096];
  const ssize_t size = ::readlink("/proc/self/exe", self, sizeof self);
  return base::join_path(base::parent_of({self, static_cast<std::size_t>(size)}), name);
}

// "pid=12 tid=13 handler=14 address=0x15" and other lines of the driver.
std::map<std::string, std::string> words_of(std::string_view output) {
  std::map<std::string, std::string> words;
  for (const auto line : base::split(output, '\n')) {
    for (const auto word : base::split(line, ' ')) {
      const auto equals = word.find('=');
      if (equals != std::string_view::npos) {
        words[std::string(word.substr(0, equals))] = word.substr(equals + 1);
      }
    }
  }
  return words;
}

bool process_runs(int pid) {
  // A zombie is its parent's business, and that is init.
  const std::string status = read_proc(pid, "status");
  const auto state = find_status_field(status, "State");
  return state && !state->starts_with("Z") && !state->starts_with("X");
}

bool ends_soon(int pid) {
  for (int i = 0; i < 100 && process_runs(pid); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return !process_runs(pid);
}

struct Scene {
  std::string spool;
  base::ChildEnd end;
  std::int64_t took_ms = 0;
  std::map<std::string, std::string> words;

  int number(const std::string& word) const {
    const auto at = words.find(word);
    return at == words.end() ? 0 : static_cast<int>(std::strtol(at->second.c_str(), nullptr, 10));
  }
  std::vector<std::string> dumps() const {
    std::vector<std::string> paths;
    const auto opened = Spool::open(spool);
    if (!opened) return paths;
    for (const std::string& id : opened->pending()) paths.push_back(opened->dump_path(id));
    return paths;
  }
};

class Crash : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = base::TemporaryDirectory::create("crash-test");
    ASSERT_TRUE(made.ok());
    directory_ = std::make_unique<base::TemporaryDirectory>(std::move(made).value());
  }

  std::string spool() const { return base::join_path(directory_->path(), "spool"); }

  Scene run(std::vector<std::string> arguments) { return run_in(spool(), std::move(arguments)); }

  Scene run_in(const std::string& spool, std::vector<std::string> arguments,
               const std::string& handler = program("faultline-handler")) {
    Scene scene;
    scene.spool = spool;
    const std::string driver = program("crash_driver");
    std::vector<std::string> all{driver, "--handler", handler, "--spool", spool};
    all.insert(all.end(), arguments.begin(), arguments.end());
    base::ChildLimits limits;
    limits.wall = std::chrono::seconds(60);
    const std::int64_t start = base::monotonic_us();
    auto end = base::run_child(driver, all, limits);
    scene.took_ms = (base::monotonic_us() - start) / 1000;
    EXPECT_TRUE(end.ok());
    if (end) scene.end = std::move(end).value();
    scene.words = words_of(scene.end.output);
    return scene;
  }

  // The one dump of a scene, read back.
  snapshot::Crash must_read_dump(const Scene& scene) {
    const auto paths = scene.dumps();
    EXPECT_THAT(paths, SizeIs(1)) << scene.end.output << scene.end.errors;
    if (paths.size() != 1) return {};
    auto file = base::MappedFile::open(paths[0]);
    EXPECT_TRUE(file.ok());
    auto crash = snapshot::snapshot_from_minidump(*file);
    EXPECT_TRUE(crash.ok()) << (crash.ok() ? "" : crash.error().what);
    return std::move(crash).value_or({});
  }

  void expect_nothing_left(const Scene& scene) {
    EXPECT_TRUE(ends_soon(scene.number("handler"))) << "the handler outlives its client";
    EXPECT_THAT(*base::list_files(base::join_path(scene.spool, "tmp")), IsEmpty());
  }

  std::unique_ptr<base::TemporaryDirectory> directory_;
};

const snapshot::Thread* find_thread(const snapshot::Crash& crash, std::uint32_t id) {
  for (const auto& thread : crash.threads) {
    if (thread.id == id) return &thread;
  }
  return nullptr;
}

const snapshot::Module* module_at_pc(const snapshot::Crash& crash) {
  return crash.find_module({crash.exception->registers->instruction_pointer()});
}

struct Row {
  const char* way;
  int signal_number;
  bool has_address;  // the driver says which
  bool in_driver;    // the first frame is the driver's own code
};

class CrashTable : public Crash, public ::testing::WithParamInterface<std::tuple<Row, bool>> {};

TEST_P(CrashTable, IsDumpedAndDiesOfItsSignal) {
  const auto& [row, second_thread] = GetParam();
  std::vector<std::string> arguments{"--threads", "3", row.way};
  if (second_thread) arguments.push_back("--second-thread");
  const Scene scene = run(arguments);
  EXPECT_EQ(scene.end.signal, row.signal_number) << scene.end.output << scene.end.errors;
  const snapshot::Crash crash = must_read_dump(scene);
  ASSERT_TRUE(crash.exception && crash.exception->registers);
  const auto tid = static_cast<std::uint32_t>(scene.number("tid"));
  EXPECT_EQ(crash.exception->thread_id, tid);
  EXPECT_EQ(crash.exception->code, static_cast<std::uint32_t>(row.signal_number));
  if (row.has_address) {
    EXPECT_EQ(crash.exception->address,
              std::strtoull(scene.words.at("address").c_str(), nullptr, 16));
  }
  EXPECT_THAT(crash.threads, SizeIs(second_thread ? 5 : 4));
  const snapshot::Thread* const thread = find_thread(crash, tid);
  ASSERT_NE(thread, nullptr);
  EXPECT_EQ(*thread->registers, *crash.exception->registers) << "those of the fault in both places";
  EXPECT_EQ(thread->name, second_thread ? "second" : "crash_driver");
  if (row.in_driver) {
    ASSERT_NE(module_at_pc(crash), nullptr);
    EXPECT_THAT(module_at_pc(crash)->code_file, ::testing::EndsWith("/crash_driver"));
    EXPECT_EQ(module_at_pc(crash), &crash.modules.front());
    const auto sp = thread->registers->stack_pointer();
    // An overflow may leave SP in the guard page, below the stack.
    EXPECT_LE(thread->stack.base.value, sp + kGuardGapMax);
    EXPECT_GT(thread->stack.base.value + thread->stack.bytes.size(), sp);
    EXPECT_NE(crash.find_memory({crash.exception->registers->instruction_pointer()}, 16), nullptr)
        << "the code around pc";
  }
  expect_nothing_left(scene);
}

constexpr Row kRows[] = {
    {"segv", SIGSEGV, true, true},          {"bus", SIGBUS, true, true},
    {"ill", SIGILL, false, true},           {"fpe", SIGFPE, false, true},
    {"abort", SIGABRT, false, false},       {"trap", SIGTRAP, false, true},
    {"non-canonical", SIGSEGV, true, true}, {"jump", SIGSEGV, true, false},
    {"overflow", SIGSEGV, false, true},     {"wild-stack", SIGSEGV, false, false},
    {"malloc", SIGABRT, false, false},      {"loader", SIGSEGV, true, true},
    {"kill", SIGSEGV, false, false},        {"undumpable", SIGSEGV, true, true},
    {"fds-full", SIGSEGV, true, true},      {"fds-closed", SIGSEGV, true, true},
    {"hook", SIGSEGV, false, true},
};

std::string name_of_row(const ::testing::TestParamInfo<std::tuple<Row, bool>>& info) {
  std::string name = std::get<0>(info.param).way;
  std::replace(name.begin(), name.end(), '-', '_');
  return name + (std::get<1>(info.param) ? "_second" : "_main");
}

INSTANTIATE_TEST_SUITE_P(Ways, CrashTable,
                         ::testing::Combine(::testing::ValuesIn(kRows), ::testing::Bool()),
                         name_of_row);

TEST_F(Crash, StackOverflowKeepsBothEndsOfTheStack) {
  const Scene scene = run({"--second-thread", "overflow"});
  const snapshot::Crash crash = must_read_dump(scene);
  ASSERT_TRUE(crash.exception);
  const auto* const thread = find_thread(crash, crash.exception->thread_id);
  ASSERT_NE(thread, nullptr);
  EXPECT_GE(thread->stack.bytes.size(), 64u << 10) << "nearest to SP";
  EXPECT_LE(thread->stack.bytes.size(), 256u << 10);
  std::uint64_t base_end = 0;
  for (const auto& region : crash.memory) {
    if (region.bytes.size() == 16u << 10) base_end = region.base.value + region.bytes.size();
  }
  EXPECT_GT(base_end, thread->stack.base.value + (4u << 20)) << "the oldest frames, 8 MiB above";
}

TEST_F(Crash, BuildIdsAreThoseOfTheFiles) {
  REQUIRE_OR_SKIP(base::file_exists("/usr/bin/readelf"), "readelf (binutils)");
  const snapshot::Crash crash = must_read_dump(run({"segv"}));
  int compared = 0;
  for (const auto& module : crash.modules) {
    if (!base::file_exists(module.code_file)) continue;
    const auto notes = base::run_child("/usr/bin/readelf", {"readelf", "-n", module.code_file});
    ASSERT_TRUE(notes.ok());
    EXPECT_FALSE(module.build_id.empty()) << module.code_file;
    EXPECT_THAT(notes->output, HasSubstr("Build ID: " + base::hex_of(module.build_id)));
    ++compared;
  }
  EXPECT_GE(compared, 3) << "the program, libc, the loader";
  const auto is_vdso = [](const snapshot::Module& m) { return m.code_file == "linux-vdso.so.1"; };
  EXPECT_EQ(std::count_if(crash.modules.begin(), crash.modules.end(), is_vdso), 1);
}

TEST_F(Crash, CarriesWhatTheMachineAndTheProgramSay) {
  const Scene scene = run({"segv"});
  const snapshot::Crash crash = must_read_dump(scene);
  EXPECT_EQ(crash.system.cpu, snapshot::Cpu::amd64);
  EXPECT_EQ(crash.system.os, snapshot::Os::linux);
  EXPECT_GT(crash.system.os_major, 2u);
  EXPECT_EQ(crash.system.cpu_count, ::sysconf(_SC_NPROCESSORS_ONLN));
  EXPECT_EQ(crash.process_id, static_cast<std::uint32_t>(scene.number("pid")));
  EXPECT_NEAR(static_cast<double>(crash.process_create_time.value_or(0)),
              static_cast<double>(crash.time_stamp), 30);
  EXPECT_TRUE(crash.linux_status && crash.linux_maps && crash.linux_auxv && crash.linux_cpu_info);
  EXPECT_FALSE(crash.linux_environment) << "it may hold secrets";
  EXPECT_FALSE(crash.linux_command_line);
  std::map<std::string, std::string> annotations;
  for (const auto& a : crash.annotations) annotations[a.key] = a.value;
  EXPECT_EQ(annotations["prod"], "Driver");
  EXPECT_EQ(annotations["ver"], "1.0");
  EXPECT_EQ(annotations["key"], "value");
  EXPECT_FALSE(annotations.contains("removed"));
  EXPECT_FALSE(crash.soft_errors) << *crash.soft_errors;
}

// The strings above the main thread's stack hold arguments and environment.
TEST_F(Crash, KeepsTheEnvironmentOut) {
  ::setenv("PLANTED_SECRET", "hunter2-hunter2", 1);
  const Scene scene = run({"segv"});
  ::unsetenv("PLANTED_SECRET");
  ASSERT_THAT(scene.dumps(), SizeIs(1));
  const auto bytes = base::read_file(scene.dumps()[0]);
  ASSERT_TRUE(bytes.ok());
  EXPECT_EQ(bytes->find("hunter2-hunter2"), std::string::npos);
}

TEST_F(Crash, EightThreadsTogetherGiveOneDump) {
  const Scene scene = run({"together"});
  EXPECT_EQ(scene.end.signal, SIGSEGV);
  const snapshot::Crash crash = must_read_dump(scene);
  EXPECT_THAT(crash.threads, SizeIs(9));
  expect_nothing_left(scene);
}

TEST_F(Crash, HundredThreadsAreAllListed) {
  const Scene scene = run({"--threads", "100", "segv"});
  EXPECT_EQ(scene.end.signal, SIGSEGV);
  const snapshot::Crash crash = must_read_dump(scene);
  EXPECT_THAT(crash.threads, SizeIs(101));
  for (const auto& thread : crash.threads) {
    EXPECT_TRUE(thread.registers.has_value());
    EXPECT_FALSE(thread.stack.bytes.empty());
  }
  expect_nothing_left(scene);
}

TEST_F(Crash, ForkedChildIsReportedAsItself) {
  const Scene scene = run({"child"});
  EXPECT_EQ(scene.end.exit_code, 0);
  EXPECT_EQ(scene.number("signal"), SIGSEGV);
  const snapshot::Crash crash = must_read_dump(scene);
  EXPECT_EQ(crash.process_id, static_cast<std::uint32_t>(scene.number("child")));
  expect_nothing_left(scene);
}

TEST_F(Crash, KilledMonitorIsReplacedAtTheCrash) {
  const Scene scene = run({"monitor-killed"});
  EXPECT_EQ(scene.end.signal, SIGSEGV);
  const snapshot::Crash crash = must_read_dump(scene);
  EXPECT_EQ(crash.exception->address, 0x1234u);
  expect_nothing_left(scene);
}

TEST_F(Crash, StoppedMonitorIsReplacedAtTheCrash) {
  const Scene scene = run({"monitor-stopped"});
  EXPECT_EQ(scene.end.signal, SIGSEGV);
  const snapshot::Crash crash = must_read_dump(scene);
  EXPECT_EQ(crash.exception->address, 0x1234u);
  expect_nothing_left(scene);
}

TEST_F(Crash, OlderHandlerIsCalledWithTheSameSignal) {
  const Scene scene = run({"chained"});
  EXPECT_EQ(scene.end.exit_code, 42) << "43: its siginfo was another";
  EXPECT_THAT(scene.dumps(), SizeIs(1));
}

TEST_F(Crash, DumpOnRequestLetsTheProgramGoOn) {
  const Scene scene = run({"dump"});
  EXPECT_EQ(scene.end.exit_code, 0);
  EXPECT_EQ(scene.words.at("answer"), "0");
  const snapshot::Crash crash = must_read_dump(scene);
  EXPECT_EQ(crash.exception->code, 0xFFFFFFFFu);
  expect_nothing_left(scene);
}

TEST_F(Crash, FirstChanceMayRepairOrJumpAway) {
  const Scene scene = run({"first-chances"});
  EXPECT_EQ(scene.end.signal, SIGSEGV);
  EXPECT_EQ(must_read_dump(scene).exception->address, 0x1234u);
}

TEST_F(Crash, UncaughtExceptionIsNamed) {
  const Scene scene = run({"exception"});
  EXPECT_EQ(scene.end.signal, SIGABRT);
  std::map<std::string, std::string> annotations;
  for (const auto& a : must_read_dump(scene).annotations) annotations[a.key] = a.value;
  EXPECT_EQ(annotations["exception.type"], "std::runtime_error");
  EXPECT_EQ(annotations["exception.what"], "boom");
}

TEST_F(Crash, ClientCanStartAgain) {
  const Scene scene = run({"second-init"});
  EXPECT_EQ(scene.end.signal, SIGSEGV);
  must_read_dump(scene);
  expect_nothing_left(scene);
}

TEST_F(Crash, ForkedChildMayHaveItsOwnHandler) {
  const Scene scene = run({"own-child"});
  EXPECT_EQ(scene.end.exit_code, 0);
  EXPECT_EQ(scene.number("signal"), SIGSEGV);
  const snapshot::Crash crash = must_read_dump(scene);
  EXPECT_EQ(crash.process_id, static_cast<std::uint32_t>(scene.number("child")));
}

TEST_F(Crash, ProgramHasNoChildOfOurs) {
  const Scene scene = run({"children"});
  EXPECT_EQ(scene.words.at("children"), "0");
}

TEST_F(Crash, OrderlyEndLeavesNoReport) {
  const Scene scene = run({"end"});
  EXPECT_EQ(scene.end.exit_code, 0);
  EXPECT_THAT(scene.dumps(), IsEmpty());
}

TEST_F(Crash, WithoutHandlerTheProgramRunsAndDiesAsEver) {
  const Scene scene = run_in(spool(), {"segv"}, "/nowhere/faultline-handler");
  EXPECT_THAT(scene.end.output, HasSubstr("init=-5"));
  EXPECT_EQ(scene.end.signal, SIGSEGV);
}

TEST_F(Crash, SpoolThatIsNoDirectoryIsRefusedAtInit) {
  const std::string file = base::join_path(directory_->path(), "file");
  ASSERT_TRUE(base::write_file_durably(file, base::bytes_of("x")).ok());
  const Scene scene = run_in(file, {"segv"});
  EXPECT_THAT(scene.end.output, HasSubstr("init=-7"));
  EXPECT_EQ(scene.end.signal, SIGSEGV);
}

TEST_F(Crash, SpoolThatVanishedDoesNotKeepTheProgramAlive) {
  // The driver's own way out: its spool goes between init and crash.
  const std::string doomed = base::join_path(directory_->path(), "doomed");
  const Scene scene = run_in(doomed, {"--remove-spool", "segv"});
  EXPECT_EQ(scene.end.signal, SIGSEGV);
  EXPECT_LT(scene.took_ms, 20'000);
}

TEST_F(Crash, FullDiskDoesNotKeepTheProgramAlive) {
  const auto disk = testing_support::SmallDisk::mount("64k");
  REQUIRE_OR_SKIP(disk.has_value(), "mounting a tmpfs (root)");
  const Scene scene = run_in(disk->path(), {"--threads", "50", "segv"});
  EXPECT_EQ(scene.end.signal, SIGSEGV);
  EXPECT_THAT(*base::list_files(base::join_path(disk->path(), "pending")), IsEmpty());
  expect_nothing_left(scene);
}

// The handler is killed at each of its steps to disk, and the one that comes in its place too:
// whatever is in pending/ is whole, and the program is gone as fast as ever.
class KilledHandler : public Crash, public ::testing::WithParamInterface<const char*> {};

TEST_P(KilledHandler, LeavesNoHalfFile) {
  REQUIRE_OR_SKIP(base::file_exists("/usr/bin/strace"), "strace");
  const std::string wrapper = base::join_path(directory_->path(), "handler.sh");
  const std::string text =
      std::string("#!/bin/sh\nexec /usr/bin/strace -D -o /dev/null -e inject=") + GetParam() + " " +
      program("faultline-handler") + " \"$@\"\n";
  ASSERT_TRUE(base::write_file_durably(wrapper, base::bytes_of(text)).ok());
  ASSERT_EQ(::chmod(wrapper.c_str(), 0755), 0);
  const Scene scene = run_in(spool(), {"--threads", "2", "segv"}, wrapper);
  EXPECT_EQ(scene.end.signal, SIGSEGV) << scene.end.output;
  const bool started = scene.number("handler") != 0;
  if (kSanitized && !started) GTEST_SKIP() << "the sanitizer makes this system call at the start";
  EXPECT_TRUE(started) << "it was to die later: " << scene.end.output;
  EXPECT_LT(scene.took_ms, 20'000);
  for (const std::string& path : scene.dumps()) {
    auto file = base::MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE(snapshot::snapshot_from_minidump(*file).ok()) << path;
  }
  const auto left = base::list_files(base::join_path(spool(), "pending")).value_or({});
  for (const std::string& path : left) {
    if (!path.ends_with(".json")) continue;
    EXPECT_TRUE(parse_report(*base::read_file(path)).ok()) << path;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Steps, KilledHandler,
    ::testing::Values("write:signal=KILL:when=1", "write:signal=KILL:when=3",
                      "pwrite64:signal=KILL", "fsync:signal=KILL:when=1",
                      "fsync:signal=KILL:when=2", "rename:signal=KILL:when=1",
                      "rename:signal=KILL:when=2", "fsync:signal=KILL:when=3", "fsync:error=EIO",
                      "rename:error=ENOSPC", "write:error=EIO:when=2"),
    [](const auto& info) {
      std::string name = info.param;
      std::replace_if(name.begin(), name.end(), [](char c) { return c == ':' || c == '='; }, '_');
      return name;
    });

// A filter that denies one of the system calls of the crash path costs at most the dump.
TEST_F(Crash, AnySystemCallMayBeDenied) {
  const std::pair<const char*, long> calls[] = {{"gettid", SYS_gettid},
                                                {"getpid", SYS_getpid},
                                                {"prctl", SYS_prctl},
                                                {"clock_gettime", SYS_clock_gettime},
                                                {"sendto", SYS_sendto},
                                                {"futex", SYS_futex},
                                                {"ppoll", SYS_ppoll},
                                                {"fstat", SYS_fstat},
                                                {"nanosleep", SYS_nanosleep},
                                                {"clone", SYS_clone},
                                                {"wait4", SYS_wait4},
                                                {"rt_sigaction", SYS_rt_sigaction},
                                                {"kill", SYS_kill},
                                                {"rt_sigprocmask", SYS_rt_sigprocmask},
                                                {"tgkill", SYS_tgkill},
                                                {"rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo},
                                                {"close_range", SYS_close_range}};
  for (const auto& [name, number] : calls) {
    for (const char* way : {"segv", "trap"}) {
      const int signal_number = std::string_view(way) == "segv" ? SIGSEGV : SIGTRAP;
      const Scene scene = run_in(base::join_path(directory_->path(), name + std::string(way)),
                                 {"--deny", std::to_string(number), way});
      EXPECT_TRUE(scene.end.signal == signal_number || scene.end.exit_code == 128 + signal_number)
          << name << " " << way << ": " << scene.end.describe();
      EXPECT_LT(scene.took_ms, 20'000) << name << " " << way;
      EXPECT_THAT(scene.dumps(), SizeIs(1)) << name << " " << way;
    }
  }
}

TEST_F(Crash, ChildInAnotherNamespaceIsFound) {
  REQUIRE_OR_SKIP(::geteuid() == 0, "unshare (root)");
  const Scene scene = run({"namespace"});
  EXPECT_EQ(scene.number("signal"), SIGSEGV);
  const snapshot::Crash crash = must_read_dump(scene);
  ASSERT_TRUE(crash.exception);
  EXPECT_NE(find_thread(crash, crash.exception->thread_id), nullptr) << "in our numbers, not its";
  EXPECT_EQ(crash.exception->address, 0x1234u);
}

// Our reader is not the only one that must like it.
TEST_F(Crash, PeersReadTheDump) {
  const char* const home = std::getenv("HOME");
  const std::string peer =
      std::string(home != nullptr ? home : "") + "/.cargo/bin/minidump-stackwalk";
  if (!base::file_exists(peer)) GTEST_SKIP() << "no minidump-stackwalk: tools/install-deps peers";
  const Scene scene = run({"--second-thread", "segv"});
  ASSERT_THAT(scene.dumps(), SizeIs(1));
  const auto walk = base::run_child(peer, {"minidump-stackwalk", "--human", scene.dumps()[0]});
  ASSERT_TRUE(walk.ok() && walk->ok());
  EXPECT_THAT(walk->output, HasSubstr("Crash reason:  SIGSEGV / SEGV_MAPERR"));
  EXPECT_THAT(walk->output, HasSubstr("Crash address: 0x0000000000001234"));
  EXPECT_THAT(walk->output, HasSubstr("second (crashed)"));
  EXPECT_THAT(walk->output, HasSubstr(" 0  crash_driver + "));
}

TEST_F(Crash, IdleHandlerIsSmall) {
  if (kSanitized) GTEST_SKIP() << "sanitizers need memory of their own";
  const Scene scene = run({"measure"});
  ASSERT_TRUE(scene.words.contains("pss")) << scene.end.output;
  EXPECT_GT(scene.number("pss"), 0);
  EXPECT_LT(scene.number("pss"), 1024) << "KiB";
}

}  // namespace
}  // namespace handler
