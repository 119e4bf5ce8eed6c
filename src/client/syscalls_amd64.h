// Raw system calls for the crash path: no libc, no errno, no cancellation points, no locks.
// A result below zero is minus the error number. x86_64 Linux only.
// Also clone_call(): a child that shares our memory, which fork() would copy.
#pragma once

#include <cstddef>
#include <cstdint>

namespace client::sys {

inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

inline long address_of(const volatile void* pointer) {
  return static_cast<long>(reinterpret_cast<std::uintptr_t>(pointer));
}

// Loops that compilers would turn into calls of memcpy and memset.
inline void copy(void* to, const void* from, std::size_t size) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}
inline void clear(void* to, std::size_t size) {
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(0) : "memory");
}

}  // namespace client::sys

// Starts `function(argument)` in a child on `stack_top` with clone() flags, which must hold
// CLONE_VM. The child ends with the function's answer as its exit code. Returns the pid.
extern "C" __attribute__((visibility("hidden"))) long faultline_clone_call(long flags,
                                                                           void* stack_top,
                                                                           int (*function)(void*),
                                                                           void* argument);
