#include "analyze/report_text.h"

#include <gtest/gtest.h>

#include "analyze/reference_fixture.h"
#include "base/file.h"
#include "testing/corpus.h"
#include "testing/golden.h"

namespace {

using analyze::expected_beside;
using analyze::no_symbols;

TEST(ReportText, BriefEqualsTheReference) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/minidumps/dumps");
  ASSERT_TRUE(files.ok());
  int compared = 0;
  for (const std::string& path : *files) {
    const auto expected = base::read_file(expected_beside(path, ".nosymbols.brief.txt"));
    if (!expected.ok()) continue;
    SCOPED_TRACE(path);
    const auto file = base::MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    const auto analysis = analyze::analyze_dump(*file, no_symbols);
    ASSERT_TRUE(analysis.ok()) << analysis.error().what;
    const auto text = analyze::report_text(analysis->report, analyze::TextLength::brief);
    EXPECT_EQ("", testing_support::first_difference(*expected, text));
    ++compared;
  }
  EXPECT_GE(compared, 30);
}

}  // namespace
