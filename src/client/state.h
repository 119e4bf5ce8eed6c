// What this library keeps inside the program: one struct, zero before faultline_init().
// Written under the init lock or before it is published in `ready`; the crash path reads it
// without locks. Children made by fork() inherit a copy of it and share the page.
#pragma once

#include <faultline/client.h>
#include <signal.h>

#include <atomic>
#include <cstdint>

#include "client/wire.h"

namespace client {

constexpr int kFatalSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
constexpr int kFatalCount = sizeof kFatalSignals / sizeof kFatalSignals[0];

// As the kernel wants it; libc's struct sigaction has another layout.
struct KernelAction {
  std::uintptr_t handler;
  unsigned long flags;
  void (*restorer)();
  std::uint64_t mask;
};

struct State {
  std::atomic<WirePage*> page;          // null until faultline_init() worked
  std::atomic<std::uint64_t> claim;     // pid << 32 | tid of the thread that reports, or 0
  std::atomic<std::uint32_t> attempts;  // how often that thread has come in
  int socket_fd;
  std::uint64_t socket_device, socket_inode;  // so that a reused number is noticed
  std::int32_t handler_pid;
  std::int32_t owner_pid;  // who called faultline_init()
  std::uint32_t deadline_ms;
  KernelAction old_actions[kFatalCount];
  std::atomic<faultline_first_chance_function> first_chance;
  std::atomic<void*> first_chance_user;
  char handler_path[kPathMax];
};

extern constinit State g_state __attribute__((visibility("hidden")));

// crash_path.cc
void on_fatal_signal(int signal_number, siginfo_t* info, void* context);
int request_dump(const void* context, const char* note);
bool socket_is_ours();  // the number still names what faultline_init() opened

// threads.cc: an alternate signal stack for the calling thread; true when it has one now.
bool give_signal_stack();
void take_signal_stack();

// spawn.cc: starts the handler. All of it is safe on the crash path.
enum class Start : unsigned char { waiting, at_crash };
struct Spawn {
  const char* path;
  const char* arguments[8];
  const char* environment[64];
  int socket_fd, memory_fd;  // for Start::waiting
  bool keep_stderr;
  Start start;
  int error;         // errno of the failed step, 0
  std::int32_t pid;  // for Start::at_crash: our child
};
bool spawn_handler(Spawn& spawn);
void fill_environment(Spawn& spawn, const WirePage& page);

}  // namespace client
