// Crashes in a way of your choice with the client linked in: for tests and the benchmark.
//   crash_driver --handler H --spool D [--url U] [--threads N] [--second-thread] HOW
// Prints one line "pid=… tid=… handler=… address=…" just before it dies, for the test to compare.
#include <fcntl.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <faultline/client.hpp>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace {

volatile int g_sink;
long g_init_us;
std::atomic<int> g_ready{0};

// Through a variable, so that no compiler knows where we read and write.
volatile std::uintptr_t g_zero;
volatile int* nowhere(std::uintptr_t address) {
  return reinterpret_cast<volatile int*>(g_zero + address);
}

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "crash_driver: %s\n", what);
  std::_Exit(99);
}

void announce(const void* address) {
  std::printf("pid=%d tid=%ld handler=%d init_us=%ld address=%#lx\n", getpid(), syscall(SYS_gettid),
              faultline_handler_pid(), g_init_us, reinterpret_cast<unsigned long>(address));
  std::fflush(stdout);
}

[[gnu::noinline]] void crash_by_segv() {
  announce(reinterpret_cast<void*>(0x1234));
  *nowhere(0x1234) = 1;
}

[[gnu::noinline]] void crash_by_bus() {
  char name[] = "/tmp/crash-driver-XXXXXX";
  const int fd = mkstemp(name);
  unlink(name);
  char* const page = static_cast<char*>(mmap(nullptr, 4096, PROT_READ, MAP_SHARED, fd, 0));
  if (page == MAP_FAILED) fail("mmap");
  announce(page + 8);
  g_sink = *const_cast<volatile char*>(page + 8);
}

[[gnu::noinline]] void crash_by_ill() {
  announce(nullptr);
  __asm__ volatile("ud2");
}

[[gnu::noinline]] void crash_by_fpe() {
  announce(nullptr);
  volatile int zero = 0;
  int quotient;
  // As an instruction: compilers drop a division by zero.
  __asm__ volatile("mov $1, %%eax; cltd; idivl %1" : "=a"(quotient) : "m"(zero) : "edx");
  g_sink = quotient;
}

[[gnu::noinline]] void crash_by_abort() {
  announce(nullptr);
  std::abort();
}

[[gnu::noinline]] void crash_by_trap() {
  announce(nullptr);
  __asm__ volatile("int3");
}

[[gnu::noinline]] void crash_by_non_canonical() {
  announce(nullptr);
  g_sink = *nowhere(0x8000000000001234);
}

[[gnu::noinline]] void crash_by_jump() {
  announce(reinterpret_cast<void*>(0x5678));
  reinterpret_cast<void (*)()>(0x5678)();
  g_sink = 1;
}

[[gnu::noinline]] void crash_by_wild_stack() {
  announce(nullptr);
  __asm__ volatile("xor %esp, %esp; push %rax");
}

[[gnu::noinline]] int overflow(int depth) {
  volatile char frame[1024];
  frame[0] = static_cast<char>(depth);
  return overflow(depth + 1) + frame[0];
}

void crash_by_overflow() {
  announce(nullptr);
  g_sink = overflow(0);
}

void crash_by_kill() {
  announce(nullptr);
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSEGV);
}

// With the allocator's lock held by the crashing thread: glibc finds the size of its top chunk
// overwritten, inside malloc(), and aborts there. (Needs a second thread: alone it takes no lock.)
[[gnu::noinline]] void crash_in_malloc() {
  announce(nullptr);
  constexpr std::size_t kSize = 64 * 1024;
  volatile char* block = static_cast<volatile char*>(std::malloc(kSize));
  for (std::size_t i = 0; i < kSize + 16; ++i) block[i] = 0x41;
  for (int i = 0; i < 100; ++i) g_sink = *static_cast<volatile char*>(std::malloc(kSize));
  fail("the heap was not broken");
}

// With the loader's lock held: inside a callback of dl_iterate_phdr.
void crash_in_loader() {
  dl_iterate_phdr(
      [](struct dl_phdr_info*, size_t, void*) {
        crash_by_segv();
        return 0;
      },
      nullptr);
}

void crash_in_stdio() {
  flockfile(stdout);
  *nowhere(0x1234) = 1;
}

void* crash_soon(void*) {
  g_ready.fetch_add(1);
  while (g_ready.load() < 8) {
  }
  *nowhere(0x1234) = 1;
  return nullptr;
}

void crash_together() {
  announce(reinterpret_cast<void*>(0x1234));
  pthread_t thread;
  for (int i = 0; i < 8; ++i) pthread_create(&thread, nullptr, &crash_soon, nullptr);
  for (;;) pause();
}

void crash_in_child() {
  const pid_t child = fork();
  if (child == 0) {
    crash_by_segv();
    std::_Exit(98);
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::printf("child=%d signal=%d\n", child, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  std::fflush(stdout);
  std::_Exit(0);
}

void crash_without_monitor() {
  kill(faultline_handler_pid(), SIGKILL);
  usleep(100'000);
  crash_by_segv();
}

void crash_with_stopped_monitor() {
  kill(faultline_handler_pid(), SIGSTOP);
  usleep(50'000);
  crash_by_segv();
}

void crash_after_closing_all() {
  for (int fd = 3; fd < 1024; ++fd) close(fd);
  crash_by_segv();
}

void crash_with_full_fd_table() {
  while (open("/dev/null", O_RDONLY) >= 0) {
  }
  crash_by_segv();
}

void crash_undumpable() {
  prctl(PR_SET_DUMPABLE, 0);
  crash_by_segv();
}

int faulting_hook(int, void*, void*, void*) {
  *nowhere(0x99) = 1;
  return 0;
}

void crash_in_hook() {
  faultline_first_chance(&faulting_hook, nullptr);
  crash_by_segv();
}

void old_handler(int, siginfo_t* info, void*) {
  // Chained with what the kernel said, and with the process still able to leave as it wants.
  _exit(info->si_addr == reinterpret_cast<void*>(0x1234) ? 42 : 43);
}

void request_dump() {
  announce(nullptr);
  const int answer = faultline_dump("just looking");
  std::printf("answer=%d\n", answer);
  std::fflush(stdout);
  std::_Exit(0);
}

// Prints the handler's proportional set size while it waits.
void measure_handler() {
  usleep(200'000);
  const std::string path = "/proc/" + std::to_string(faultline_handler_pid()) + "/smaps_rollup";
  FILE* const file = std::fopen(path.c_str(), "r");
  char line[256];
  while (file != nullptr && std::fgets(line, sizeof line, file) != nullptr) {
    if (std::strncmp(line, "Pss:", 4) != 0) continue;
    std::printf("pss=%ld\n", std::strtol(line + 4, nullptr, 10));
  }
  std::fflush(stdout);
  std::_Exit(0);
}

void end_normally() {
  faultline_shutdown();
  std::_Exit(0);
}

sigjmp_buf g_jump;

// A runtime that turns its own faults into something else, a thousand times; then a real crash.
int jumping_hook(int, void* info, void*, void*) {
  if (static_cast<siginfo_t*>(info)->si_addr != reinterpret_cast<void*>(0x77)) return 0;
  siglongjmp(g_jump, 1);
}

int stepping_hook(int signal_number, void*, void* context, void*) {
  if (signal_number != SIGILL) return 0;
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP] += 2;  // over the ud2
  return 1;
}

void crash_after_first_chances() {
  faultline_first_chance(&jumping_hook, nullptr);
  for (volatile int i = 0; i < 1000; i = i + 1) {
    if (sigsetjmp(g_jump, 1) == 0) *nowhere(0x77) = 1;
  }
  faultline_first_chance(&stepping_hook, nullptr);
  for (int i = 0; i < 1000; ++i) __asm__ volatile("ud2");
  crash_by_segv();
}

void crash_by_exception() {
  announce(nullptr);
  throw std::runtime_error("boom");
}

const faultline_config* g_config;

void crash_after_second_init() {
  faultline_shutdown();
  if (faultline_init(g_config) != 0) fail("no second init");
  crash_by_segv();
}

void crash_in_child_of_its_own() {
  const int parents_handler = faultline_handler_pid();
  const pid_t child = fork();
  if (child == 0) {
    if (faultline_init(g_config) != 0) fail("no init in the child");
    if (faultline_handler_pid() == parents_handler) fail("the same handler");
    faultline_set("whose", "child");
    crash_by_segv();
  }
  int status = 0;
  waitpid(child, &status, 0);
  std::printf("child=%d signal=%d\n", child, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  std::fflush(stdout);
  std::_Exit(0);
}

// A library that waits for any child must not meet ours.
void look_for_children() {
  announce(nullptr);
  const pid_t found = waitpid(-1, nullptr, WNOHANG);
  std::printf("children=%d\n", found == -1 && errno == ECHILD ? 0 : 1);
  std::fflush(stdout);
  std::_Exit(0);
}

// From here on the kernel answers one system call with EPERM.
void deny(unsigned number) {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{sizeof code / sizeof code[0], code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("no_new_privs");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) fail("seccomp");
}

// A child that numbers its processes anew.
void crash_in_namespace() {
  if (unshare(CLONE_NEWPID) != 0) fail("unshare");
  crash_in_child();
}

struct Way {
  const char* name;
  void (*crash)();
};
constexpr Way kWays[] = {
    {"segv", crash_by_segv},
    {"bus", crash_by_bus},
    {"ill", crash_by_ill},
    {"fpe", crash_by_fpe},
    {"abort", crash_by_abort},
    {"trap", crash_by_trap},
    {"non-canonical", crash_by_non_canonical},
    {"jump", crash_by_jump},
    {"wild-stack", crash_by_wild_stack},
    {"overflow", crash_by_overflow},
    {"kill", crash_by_kill},
    {"malloc", crash_in_malloc},
    {"loader", crash_in_loader},
    {"stdio", crash_in_stdio},
    {"together", crash_together},
    {"child", crash_in_child},
    {"monitor-killed", crash_without_monitor},
    {"monitor-stopped", crash_with_stopped_monitor},
    {"fds-closed", crash_after_closing_all},
    {"fds-full", crash_with_full_fd_table},
    {"undumpable", crash_undumpable},
    {"hook", crash_in_hook},
    {"chained", crash_by_segv},
    {"dump", request_dump},
    {"end", end_normally},
    {"measure", measure_handler},
    {"first-chances", crash_after_first_chances},
    {"exception", crash_by_exception},
    {"second-init", crash_after_second_init},
    {"own-child", crash_in_child_of_its_own},
    {"children", look_for_children},
    {"namespace", crash_in_namespace},
    {"sleep",
     [] {
       announce(nullptr);
       for (;;) pause();
     }},
};

void* idle(void*) {
  prctl(PR_SET_NAME, "idle");
  g_ready.fetch_add(1);
  for (;;) pause();
  return nullptr;
}

void* crash_on_thread(void* way) {
  prctl(PR_SET_NAME, "second");
  static_cast<const Way*>(way)->crash();
  return nullptr;
}

const Way* find_way(const std::string& name) {
  for (const Way& way : kWays) {
    if (name == way.name) return &way;
  }
  return nullptr;
}

}  // namespace

int main(int count, char** arguments) {
  faultline_config config{};
  config.size = sizeof config;
  config.product = "Driver";
  config.version = "1.0";
  int threads = 0;
  unsigned denied = 0;
  bool second = false, remove_spool = false;
  const Way* way = nullptr;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    const char* const value = i + 1 < count ? arguments[i + 1] : "";
    if (argument == "--handler")
      config.handler_path = value, ++i;
    else if (argument == "--spool")
      config.spool = value, ++i;
    else if (argument == "--url")
      config.url = value, ++i;
    else if (argument == "--threads")
      threads = static_cast<int>(std::strtol(value, nullptr, 10)), ++i;
    else if (argument == "--keep-stderr")
      config.flags |= FAULTLINE_KEEP_STDERR;
    else if (argument == "--second-thread")
      second = true;
    else if (argument == "--remove-spool")
      remove_spool = true;
    else if (argument == "--deny")
      denied = static_cast<unsigned>(std::strtoul(value, nullptr, 10)), ++i;
    else
      way = find_way(argument);
  }
  if (way == nullptr) fail("no such way to crash");

  if (std::strcmp(way->name, "chained") == 0) {
    struct sigaction action{};
    action.sa_sigaction = &old_handler;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &action, nullptr);
  }
  g_config = &config;
  timespec before{}, after{};
  clock_gettime(CLOCK_MONOTONIC, &before);
  const faultline::Guard guard(config);
  clock_gettime(CLOCK_MONOTONIC, &after);
  g_init_us = (after.tv_sec - before.tv_sec) * 1000000 + (after.tv_nsec - before.tv_nsec) / 1000;
  if (!guard.ok()) {
    std::printf("init=%d %s\n", guard.answer(), faultline_error_text(guard.answer()));
    std::fflush(stdout);
  }
  faultline_set("key", "value");
  faultline_set("removed", "x");
  faultline_set("removed", nullptr);

  if (denied != 0) deny(denied);
  if (remove_spool) std::filesystem::remove_all(config.spool);

  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  pthread_t thread;
  for (int i = 0; i < threads; ++i) {
    if (pthread_create(&thread, &attributes, &idle, nullptr) != 0) fail("pthread_create");
  }
  while (g_ready.load() < threads) usleep(1000);
  g_ready.store(0);
  if (second) {
    if (pthread_create(&thread, nullptr, &crash_on_thread, const_cast<Way*>(way)) != 0) {
      fail("pthread_create");
    }
    for (;;) pause();
  }
  way->crash();
  std::printf("survived\n");
  return 97;
}
