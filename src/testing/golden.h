// Golden answers: whole files beside the tests. `NAME_test --update-golden` (or the environment
// FAULTLINE_UPDATE_GOLDEN=1) rewrites them; the diff is then reviewed like code.
#pragma once

#include <string>
#include <string_view>

namespace testing_support {

// Compares with the file at `path`, relative to the checkout; a failure shows the first
// line that differs.
void expect_golden(const std::string& path, std::string_view actual);

// Where two texts first differ: "line 12: «a» is not «b»"; empty when they are equal.
std::string first_difference(std::string_view expected, std::string_view actual);

}  // namespace testing_support
