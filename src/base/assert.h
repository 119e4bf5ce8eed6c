// ASSERT: a promise among ourselves, kept in release builds too.
// Never for input: hostile bytes are a Fault, not an assertion.
#pragma once

namespace base {
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);
}

#define ASSERT(condition)                            \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::base::assertion_failed(#condition, __FILE__, __LINE__))
