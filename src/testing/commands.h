// Programs that a test may need and a machine may lack: skip, say which.
#pragma once

#include <string_view>

namespace testing_support {

// Whether `name` can be run, by PATH.
bool have_command(std::string_view name);

}  // namespace testing_support
