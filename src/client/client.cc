#include <faultline/client.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "client/state.h"
#include "client/syscalls_amd64.h"

#ifndef FAULTLINE_INSTALLED_HANDLER
#define FAULTLINE_INSTALLED_HANDLER "/usr/local/libexec/faultline-handler"
#endif

extern char** environ;

namespace client {

constinit State g_state{};

namespace {

constexpr std::uint32_t kDeadlineMs = 10000;
constexpr std::uint32_t kStartTimeoutMs = 5000;
constexpr std::uint64_t kMaxDumpBytes = 16 << 20;

// What the handler and the uploader may see of our environment; the rest is nobody's business.
constexpr const char* kPassedVariables[] = {
    "HOME",        "PATH",          "TMPDIR",       "LD_LIBRARY_PATH", "http_proxy",
    "https_proxy", "all_proxy",     "no_proxy",     "HTTPS_PROXY",     "ALL_PROXY",
    "NO_PROXY",    "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"};

std::atomic<bool> g_busy{false};  // inside init or shutdown

struct BusyScope {
  bool entered = !g_busy.exchange(true);
  ~BusyScope() {
    if (entered) g_busy.store(false);
  }
};

std::size_t length_of(const char* text) {
  std::size_t size = 0;
  while (text[size] != '\0') ++size;
  return size;
}

// Appends to a text in an array of fixed size; false when it does not fit.
bool append(char* out, std::size_t capacity, const char* text) {
  const std::size_t have = length_of(out), more = length_of(text);
  if (have + more + 1 > capacity) return false;
  sys::copy(out + have, text, more + 1);
  return true;
}

bool put_text(char* out, std::size_t capacity, const char* text) {
  out[0] = '\0';
  return text == nullptr || append(out, capacity, text);
}

bool put_absolute(char* out, std::size_t capacity, const char* path) {
  out[0] = '\0';
  if (path[0] != '/') {
    if (getcwd(out, capacity) == nullptr || !append(out, capacity, "/")) return false;
  }
  return append(out, capacity, path);
}

bool directory_of_program(char* out, std::size_t capacity) {
  const ssize_t size = readlink("/proc/self/exe", out, capacity - 1);
  if (size <= 0) return false;
  std::size_t end = static_cast<std::size_t>(size);
  while (end > 0 && out[end - 1] != '/') --end;
  out[end] = '\0';
  return end > 0;
}

bool find_handler(const faultline_config& config, char* out) {
  if (config.handler_path != nullptr) return put_absolute(out, kPathMax, config.handler_path);
  const char* const named = getauxval(AT_SECURE) == 0 ? getenv("FAULTLINE_HANDLER") : nullptr;
  if (named != nullptr && named[0] != '\0') return put_absolute(out, kPathMax, named);
  if (directory_of_program(out, kPathMax) && append(out, kPathMax, "faultline-handler") &&
      access(out, X_OK) == 0) {
    return true;
  }
  out[0] = '\0';
  return append(out, kPathMax, FAULTLINE_INSTALLED_HANDLER);
}

bool starts_with_variable(const char* entry, const char* name) {
  while (*name != '\0' && *entry == *name) ++entry, ++name;
  return *name == '\0' && *entry == '=';
}

void put_environment(char* out) {
  std::size_t at = 0;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    for (const char* name : kPassedVariables) {
      if (!starts_with_variable(*entry, name)) continue;
      const std::size_t size = length_of(*entry) + 1;
      if (at + size + 1 > kEnvironmentMax) return;
      sys::copy(out + at, *entry, size);
      at += size;
    }
  }
}

int put_config(WirePage& page, const faultline_config& config) {
  page.magic = kWireMagic;
  page.version = kWireVersion;
  page.size = sizeof(WirePage);
  WireConfig& out = page.config;
  out.flags = config.flags;
  out.deadline_ms = config.deadline_ms != 0 ? config.deadline_ms : kDeadlineMs;
  out.max_dump_bytes = config.max_dump_bytes != 0 ? config.max_dump_bytes : kMaxDumpBytes;
  out.start_time_s = time(nullptr);
  const bool fits = put_absolute(out.spool, kPathMax, config.spool) &&
                    put_text(out.url, kPathMax, config.url) &&
                    put_text(out.product, kTextMax, config.product) &&
                    put_text(out.version, kTextMax, config.version) &&
                    put_text(out.build, kTextMax, config.build) &&
                    put_text(out.channel, kTextMax, config.channel);
  put_environment(page.environment);
  return fits ? 0 : -FAULTLINE_E_ARGUMENT;
}

// Programs like to close or reuse low numbers: ours go near the end of the table, but not so far
// that the kernel has to grow it much.
int move_high(int fd) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  constexpr rlim_t kHigh = 1000, kRoom = 16;
  rlim_t lowest = limit.rlim_cur > kRoom ? limit.rlim_cur - kRoom : limit.rlim_cur / 2;
  if (lowest > kHigh) lowest = kHigh;
  const int moved = fcntl(fd, F_DUPFD_CLOEXEC, static_cast<int>(lowest));
  if (moved < 0) return fd;
  close(fd);
  return moved;
}

// A page of an earlier init stays mapped, since another thread may be writing an annotation;
// the new one takes its place.
WirePage* g_mapping;

int make_page(int& memory_fd) {
  memory_fd = memfd_create("faultline", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory_fd < 0) return -FAULTLINE_E_MEMORY;
  memory_fd = move_high(memory_fd);
  if (ftruncate(memory_fd, sizeof(WirePage)) != 0) return -FAULTLINE_E_MEMORY;
  fcntl(memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  const int fixed = g_mapping != nullptr ? MAP_FIXED : 0;
  void* const mapping = mmap(g_mapping, sizeof(WirePage), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_POPULATE | fixed, memory_fd, 0);
  if (mapping == MAP_FAILED) return -FAULTLINE_E_MEMORY;
  g_mapping = static_cast<WirePage*>(mapping);
  return 0;
}

int wait_ready(int socket_fd, std::uint32_t timeout_ms) {
  timespec start{}, now{};
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (;;) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    const long passed =
        (now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000;
    if (passed >= static_cast<long>(timeout_ms)) return -FAULTLINE_E_TIMEOUT;
    pollfd poll_entry{socket_fd, POLLIN, 0};
    poll(&poll_entry, 1, static_cast<int>(static_cast<long>(timeout_ms) - passed));
    Message message{};
    const ssize_t size = recv(socket_fd, &message, sizeof message, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (size != static_cast<ssize_t>(sizeof message) || message.magic != kWireMagic) {
      return -FAULTLINE_E_HANDLER;
    }
    g_state.handler_pid = message.pid;
    return -static_cast<int>(message.value);
  }
}

int start_handler(WirePage& page, int memory_fd, std::uint32_t timeout_ms) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return -FAULTLINE_E_SOCKET;
  const int on = 1;
  setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  g_state.socket_fd = move_high(pair[0]);
  const int handler_end = move_high(pair[1]);

  static Spawn spawn;
  spawn = Spawn{};
  spawn.path = g_state.handler_path;
  spawn.arguments[0] = g_state.handler_path;
  fill_environment(spawn, page);
  spawn.socket_fd = handler_end;
  spawn.memory_fd = memory_fd;
  spawn.keep_stderr = (page.config.flags & FAULTLINE_KEEP_STDERR) != 0;
  spawn.start = Start::waiting;
  const bool started = spawn_handler(spawn);
  close(handler_end);
  const int answer = started ? wait_ready(g_state.socket_fd, timeout_ms) : -FAULTLINE_E_HANDLER;
  if (answer != 0) {
    close(g_state.socket_fd);
    g_state.socket_fd = -1;
    return answer;
  }
  struct stat status{};
  fstat(g_state.socket_fd, &status);
  g_state.socket_device = status.st_dev;
  g_state.socket_inode = status.st_ino;
  prctl(PR_SET_PTRACER, static_cast<unsigned long>(g_state.handler_pid));  // EINVAL: no Yama
  return 0;
}

bool is_ours(const KernelAction& action) {
  return action.handler == reinterpret_cast<std::uintptr_t>(&on_fatal_signal);
}

// The fatal signals stay open inside our handler: a fault in it must reach us again, where the
// kernel would kill at once.
void install_handlers() {
  struct sigaction action{};
  action.sa_sigaction = &on_fatal_signal;
  sigfillset(&action.sa_mask);
  for (const int signal_number : kFatalSignals) sigdelset(&action.sa_mask, signal_number);
  constexpr int kExposeTagBits = 0x800;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | kExposeTagBits;
  for (int i = 0; i < kFatalCount; ++i) {
    KernelAction old{};
    sys::call(SYS_rt_sigaction, kFatalSignals[i], 0, sys::address_of(&old), sizeof old.mask);
    if (!is_ours(old)) g_state.old_actions[i] = old;
    sigaction(kFatalSignals[i], &action, nullptr);
  }
}

void remove_handlers() {
  for (int i = 0; i < kFatalCount; ++i) {
    KernelAction now{};
    sys::call(SYS_rt_sigaction, kFatalSignals[i], 0, sys::address_of(&now), sizeof now.mask);
    if (!is_ours(now)) continue;  // someone came after us; they call us or not, as before
    sys::call(SYS_rt_sigaction, kFatalSignals[i], sys::address_of(&g_state.old_actions[i]), 0,
              sizeof now.mask);
  }
}

int initialise(const faultline_config& config) {
  if (!find_handler(config, g_state.handler_path)) return -FAULTLINE_E_ARGUMENT;
  int memory_fd = -1;
  int answer = make_page(memory_fd);
  if (answer == 0) answer = put_config(*g_mapping, config);
  const std::uint32_t timeout =
      config.start_timeout_ms != 0 ? config.start_timeout_ms : kStartTimeoutMs;
  if (answer == 0) answer = start_handler(*g_mapping, memory_fd, timeout);
  if (memory_fd >= 0) close(memory_fd);
  if (answer != 0) return answer;
  g_state.deadline_ms = g_mapping->config.deadline_ms;
  g_state.owner_pid = getpid();
  g_state.claim.store(0);
  give_signal_stack();
  g_state.page.store(g_mapping, std::memory_order_release);
  install_handlers();
  return 0;
}

// After fork() the child holds its parent's page and socket: it lets them go, not shut down.
void leave_parent() {
  g_state.page.store(nullptr);
  if (socket_is_ours()) close(g_state.socket_fd);
  g_state.socket_fd = -1;
}

}  // namespace
}  // namespace client

using namespace client;

int faultline_init(const faultline_config* config) {
  if (config == nullptr || config->size < offsetof(faultline_config, url))
    return -FAULTLINE_E_ARGUMENT;
  faultline_config known{};
  sys::copy(&known, config, config->size < sizeof known ? config->size : sizeof known);
  if (known.spool == nullptr || known.spool[0] == '\0') return -FAULTLINE_E_ARGUMENT;
  const BusyScope busy;
  if (!busy.entered) return -FAULTLINE_E_STATE;
  if (g_state.page.load() != nullptr) {
    if (g_state.owner_pid == getpid()) return -FAULTLINE_E_STATE;
    leave_parent();
  }
  return initialise(known);
}

void faultline_shutdown(void) {
  const BusyScope busy;
  if (!busy.entered || g_state.page.load() == nullptr) return;
  remove_handlers();
  g_state.page.store(nullptr);
  if (socket_is_ours()) {
    if (g_state.owner_pid == getpid()) {
      const Message message{kWireMagic, MessageType::goodbye, 0, 0};
      send(g_state.socket_fd, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    close(g_state.socket_fd);
  }
  g_state.socket_fd = -1;
  g_state.handler_pid = 0;
}

int faultline_dump(const char* note) {
  if (g_state.page.load() == nullptr) return -FAULTLINE_E_STATE;
  ucontext_t context;
  if (getcontext(&context) != 0) return -FAULTLINE_E_DUMP;
  return request_dump(&context, note);
}

int faultline_thread_enter(const char* name) {
  if (name != nullptr) prctl(PR_SET_NAME, name);  // the kernel cuts it at 15 characters
  if (g_state.page.load() == nullptr) return -FAULTLINE_E_STATE;
  return give_signal_stack() ? 0 : -FAULTLINE_E_MEMORY;
}

void faultline_thread_leave(void) { take_signal_stack(); }

void faultline_first_chance(faultline_first_chance_function function, void* user) {
  g_state.first_chance_user.store(user, std::memory_order_relaxed);
  g_state.first_chance.store(function, std::memory_order_release);
}

int faultline_handler_pid(void) { return g_state.page.load() != nullptr ? g_state.handler_pid : 0; }

const char* faultline_error_text(int answer) {
  switch (answer < 0 ? -answer : 0) {
    case 0:
      return answer == FAULTLINE_CUT ? "stored, but cut to the size of its slot" : "done";
    case FAULTLINE_E_ARGUMENT:
      return "an argument is missing or too long; spool is required";
    case FAULTLINE_E_STATE:
      return "faultline_init() has not run, or has run already";
    case FAULTLINE_E_MEMORY:
      return "no memory to share with the handler";
    case FAULTLINE_E_SOCKET:
      return "no socket pair for the handler";
    case FAULTLINE_E_HANDLER:
      return "faultline-handler could not be started: check handler_path";
    case FAULTLINE_E_TIMEOUT:
      return "faultline-handler did not answer in time";
    case FAULTLINE_E_SPOOL:
      return "faultline-handler cannot write into the spool directory";
    case FAULTLINE_E_FULL:
      return "all annotation slots are taken";
    case FAULTLINE_E_BUSY:
      return "busy with another dump or another write of this annotation";
    case FAULTLINE_E_DUMP:
      return "the dump was not written";
    default:
      return "unknown answer";
  }
}
