#include "analyze/report_text.h"

#include <gtest/gtest.h>

#include "analyze/analyze.h"
#include "base/file.h"
#include "base/text.h"
#include "testing/corpus.h"
#include "testing/golden.h"

namespace {

unwind::ModuleSymbols no_symbols(const analyze::ModuleKey&, const snapshot::Module&) {
  unwind::ModuleSymbols symbols;
  symbols.state = unwind::SymbolState::missing;
  return symbols;
}

std::string expected_beside(std::string path, std::string_view ending) {
  const std::size_t at = path.find("/dumps/");
  path.replace(at, 7, "/expected/");
  return path.substr(0, path.size() - 4) + std::string(ending);
}

// Without the analyses of the crashing instruction, which are not made yet: all between the
// crash address and the uptime.
std::string without_analyses(const std::string& text) {
  std::string out;
  bool skipping = false;
  for (const std::string_view line : base::split(text, '\n')) {
    if (line.starts_with("Process uptime:") || line.starts_with("Mac ")) skipping = false;
    if (line.starts_with("Crash address:")) {
      out += std::string(line.substr(0, line.find(" **"))) + "\n";
      skipping = true;
    } else if (!skipping) {
      out += std::string(line) + "\n";
    }
  }
  return out;
}

TEST(ReportText, BriefEqualsTheReferenceOutsideAnalyses) {
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
    EXPECT_EQ(
        "", testing_support::first_difference(without_analyses(*expected), without_analyses(text)));
    ++compared;
  }
  EXPECT_GE(compared, 30);
}

}  // namespace
