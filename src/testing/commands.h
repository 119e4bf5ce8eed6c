// Programs that a test may need and a machine may lack: skip, say which. And how a test runs them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/child.h"

namespace testing_support {

// Whether `name` can be run, by PATH.
bool have_command(std::string_view name);

// One line for the shell; it may map as much as debuggers do. The test fails when it cannot be
// started, and with must_run() when it does not end well.
base::ChildEnd run(const std::string& command,
                   std::chrono::seconds wall = std::chrono::seconds(200));
base::ChildEnd must_run(const std::string& command);

}  // namespace testing_support
