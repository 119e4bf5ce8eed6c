// The wall clock of a server, to be put wrong while it runs: for tests of what has an end.
// REQUIRES: the test's target depends on jumping_clock.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.h"
#include "testing/server_process.h"

namespace testing_support {

class WrongClock {
 public:
  explicit WrongClock(std::string path) : path_(std::move(path)) { set(0); }
  // So many seconds later than it is.
  void set(std::int64_t seconds) {
    const base::Fd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    EXPECT_EQ(::pwrite(fd.get(), &seconds, sizeof seconds, 0), 8);
  }
  // Of the server whose clock it is.
  std::vector<std::string> environment() const {
    const std::string library =
        base::join_path(base::parent_of(faultline_program()), "libjumping_clock.so");
    EXPECT_TRUE(base::file_exists(library)) << library;
    return {"LD_PRELOAD=" + library, "JUMPING_CLOCK=" + path_};
  }

 private:
  std::string path_;
};

}  // namespace testing_support
