#include "testing/golden.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "testing/corpus.h"

namespace testing_support {
namespace {

bool updating() {
  if (std::getenv("FAULTLINE_UPDATE_GOLDEN") != nullptr) return true;
  for (const std::string& argument : ::testing::internal::GetArgvs()) {
    if (argument == "--update-golden") return true;
  }
  return false;
}

}  // namespace

std::string first_difference(std::string_view expected, std::string_view actual) {
  if (expected == actual) return {};
  const auto want = base::split(expected, '\n');
  const auto have = base::split(actual, '\n');
  for (std::size_t i = 0; i < std::max(want.size(), have.size()); ++i) {
    const std::string_view a = i < want.size() ? want[i] : "<end>";
    const std::string_view b = i < have.size() ? have[i] : "<end>";
    if (i >= want.size() || i >= have.size() || a != b) {
      return "line " + std::to_string(i + 1) + ": expected «" + std::string(a) + "», got «" +
             std::string(b) + "»";
    }
  }
  return {};
}

void expect_golden(const std::string& path, std::string_view actual) {
  const std::string full = base::join_path(source_root(), path);
  if (updating()) {
    ASSERT_TRUE(base::write_file_durably(full, base::bytes_of(actual)).ok()) << full;
    return;
  }
  const auto expected = base::read_file(full);
  ASSERT_TRUE(expected.ok()) << expected.error().what << " (--update-golden writes it)";
  EXPECT_EQ(first_difference(*expected, actual), "") << path;
}

}  // namespace testing_support
