// C++ over faultline/client.h: a guard for main(), one for threads, annotations by name, and a
// terminate handler that records the type and text of an uncaught exception.
// Header only: libfaultline-client itself uses no C++ runtime.
// Everything here is used from any thread; nothing throws.
#pragma once

#include <faultline/client.h>

#include <cstddef>
#include <cstdlib>
#include <exception>
#include <typeinfo>

#if __has_include(<cxxabi.h>)
#include <cxxabi.h>
#endif

namespace faultline {

namespace detail {
inline std::terminate_handler previous_terminate = nullptr;

// The type's name as people write it, if that can be had.
inline void set_type(const std::type_info& type) {
#if __has_include(<cxxabi.h>)
  int status = 0;
  char* plain = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  faultline_set("exception.type", status == 0 ? plain : type.name());
  std::free(plain);
#else
  faultline_set("exception.type", type.name());
#endif
}

// Says what ends the program, in annotations, and then lets it end as it would have.
inline void on_terminate() {
#if defined(__cpp_exceptions)
  if (const std::exception_ptr current = std::current_exception()) {
    try {
      std::rethrow_exception(current);
    } catch (const std::exception& e) {
      set_type(typeid(e));
      faultline_set("exception.what", e.what());
    } catch (...) {
#if __has_include(<cxxabi.h>)
      if (const std::type_info* type = abi::__cxa_current_exception_type()) set_type(*type);
#endif
    }
  } else {
    faultline_set("terminate", "std::terminate() without an exception");
  }
#endif
  if (previous_terminate != nullptr) previous_terminate();
  std::abort();
}
}  // namespace detail

// Starts the client; lets it go at the end of the scope. answer() is that of faultline_init().
class Guard {
 public:
  explicit Guard(const faultline_config& config) noexcept : answer_(faultline_init(&config)) {
    if (answer_ == 0) detail::previous_terminate = std::set_terminate(&detail::on_terminate);
  }
  ~Guard() {
    if (answer_ != 0) return;
    std::set_terminate(detail::previous_terminate);
    faultline_shutdown();
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  bool ok() const noexcept { return answer_ == 0; }
  int answer() const noexcept { return answer_; }

 private:
  int answer_;
};

// For threads that pthread_create() did not make.
class ThreadGuard {
 public:
  explicit ThreadGuard(const char* name = nullptr) noexcept { faultline_thread_enter(name); }
  ~ThreadGuard() { faultline_thread_leave(); }
  ThreadGuard(const ThreadGuard&) = delete;
  ThreadGuard& operator=(const ThreadGuard&) = delete;
};

// An annotation that lasts as long as its scope.
class Annotation {
 public:
  Annotation(const char* key, const char* value) noexcept : key_(key) { set(value); }
  ~Annotation() { faultline_set(key_, nullptr); }
  Annotation(const Annotation&) = delete;
  Annotation& operator=(const Annotation&) = delete;
  int set(const char* value) noexcept { return faultline_set(key_, value); }

 private:
  const char* key_;  // a literal, or text that outlives this
};

}  // namespace faultline
