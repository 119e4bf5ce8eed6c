#include "base/lazy_library.h"

#include <gtest/gtest.h>

#include <cstring>

namespace {

TEST(LazyLibrary, FindsAFunction) {
  void* const address = faultline_lazy_function("libc.so.6", "strlen");
  std::size_t (*length)(const char*) = nullptr;
  // NOLINTNEXTLINE(bugprone-bitwise-pointer-cast): POSIX's own way for what dlsym() returns
  std::memcpy(&length, &address, sizeof length);
  EXPECT_EQ(length("four"), 4u);
}

TEST(LazyLibrary, NamesWhatIsNotThereAndEnds) {
  EXPECT_EXIT(faultline_lazy_function("libabsent.so.9", "f"), testing::ExitedWithCode(127),
              "f of libabsent.so.9");
  EXPECT_EXIT(faultline_lazy_function("libc.so.6", "no_such_function"),
              testing::ExitedWithCode(127), "no_such_function of libc.so.6");
}

}  // namespace
