#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/state.h"

// A signal stack for every thread, without which a stack overflow dies unseen: the kernel cannot
// push the signal frame. pthread_create() is interposed (weakly, so that a program or sanitizer
// with its own wins) and the new thread gets a mapping of its own:
//
//   | guard page | signal stack, 64 KiB and more | StackHead |
//
// which goes away with the thread, by the destructor of a thread-specific key.
namespace client {
namespace {

constexpr std::size_t kSignalStackSize = 64 * 1024;
constexpr std::size_t kHeadSize = 64;
#ifndef AT_MINSIGSTKSZ
constexpr unsigned long AT_MINSIGSTKSZ = 51;
#endif

struct StackHead {  // at the end of the mapping
  void* mapping;
  std::size_t mapping_size;
  void* (*function)(void*);
  void* argument;
};
static_assert(sizeof(StackHead) <= kHeadSize);

std::atomic<int> g_key_state{0};  // 0 none, 1 being made, 2 ready
pthread_key_t g_key;

std::size_t page_size() { return static_cast<std::size_t>(getpagesize()); }

std::size_t stack_size() {
  const std::size_t frame = getauxval(AT_MINSIGSTKSZ);  // AVX-512 and AMX frames are large
  const std::size_t wanted = kSignalStackSize + (frame > 4096 ? frame : 0);
  return (wanted + page_size() - 1) / page_size() * page_size();
}

StackHead* map_stack() {
  const std::size_t size = page_size() + stack_size();
  void* const mapping = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  mprotect(mapping, page_size(), PROT_NONE);
  auto* const head = reinterpret_cast<StackHead*>(static_cast<char*>(mapping) + size - kHeadSize);
  head->mapping = mapping;
  head->mapping_size = size;
  return head;
}

void unmap_stack(StackHead* head) { munmap(head->mapping, head->mapping_size); }

void on_thread_end(void* value) {
  auto* const head = static_cast<StackHead*>(value);
  stack_t current{};
  if (sigaltstack(nullptr, &current) == 0 &&
      current.ss_sp == static_cast<char*>(head->mapping) + page_size()) {
    stack_t off{};
    off.ss_flags = SS_DISABLE;
    sigaltstack(&off, nullptr);
  }
  unmap_stack(head);
}

bool key_is_ready() {
  int expected = 0;
  if (g_key_state.compare_exchange_strong(expected, 1)) {
    g_key_state.store(pthread_key_create(&g_key, &on_thread_end) == 0 ? 2 : 0);
  }
  return g_key_state.load() == 2;
}

bool has_signal_stack() {
  stack_t current{};
  return sigaltstack(nullptr, &current) == 0 && (current.ss_flags & SS_DISABLE) == 0;
}

bool use_stack(StackHead* head) {
  if (pthread_setspecific(g_key, head) != 0) return false;
  stack_t stack{};
  stack.ss_sp = static_cast<char*>(head->mapping) + page_size();
  stack.ss_size = head->mapping_size - page_size() - kHeadSize;
  return sigaltstack(&stack, nullptr) == 0;
}

void* run_thread(void* value) {
  auto* const head = static_cast<StackHead*>(value);
  void* (*const function)(void*) = head->function;
  void* const argument = head->argument;
  if (has_signal_stack() || !use_stack(head)) {
    pthread_setspecific(g_key, nullptr);
    unmap_stack(head);
  }
  return function(argument);
}

using CreateFunction = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

CreateFunction real_pthread_create() {
  static std::atomic<CreateFunction> found{nullptr};
  CreateFunction function = found.load(std::memory_order_acquire);
  if (function == nullptr) {
    function = reinterpret_cast<CreateFunction>(dlsym(RTLD_NEXT, "pthread_create"));
    found.store(function, std::memory_order_release);
  }
  return function;
}

}  // namespace

bool give_signal_stack() {
  if (has_signal_stack()) return true;
  if (!key_is_ready()) return false;
  StackHead* const head = map_stack();
  if (head == nullptr) return false;
  if (use_stack(head)) return true;
  pthread_setspecific(g_key, nullptr);
  unmap_stack(head);
  return false;
}

void take_signal_stack() {
  if (g_key_state.load() != 2) return;
  void* const value = pthread_getspecific(g_key);
  if (value == nullptr) return;
  pthread_setspecific(g_key, nullptr);
  on_thread_end(value);
}

}  // namespace client

extern "C" FAULTLINE_API __attribute__((weak)) int pthread_create(pthread_t* thread,
                                                                  const pthread_attr_t* attributes,
                                                                  void* (*function)(void*),
                                                                  void* argument) {
  using namespace client;
  const CreateFunction create = real_pthread_create();
  if (create == nullptr) return EAGAIN;
  if (g_state.page.load(std::memory_order_acquire) == nullptr || !key_is_ready()) {
    return create(thread, attributes, function, argument);
  }
  StackHead* const head = map_stack();
  if (head == nullptr) return create(thread, attributes, function, argument);
  head->function = function;
  head->argument = argument;
  const int answer = create(thread, attributes, &run_thread, head);
  if (answer != 0) unmap_stack(head);
  return answer;
}
