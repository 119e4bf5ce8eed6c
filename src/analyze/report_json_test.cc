#include "analyze/report_json.h"

#include <gtest/gtest.h>

#include "analyze/reference_fixture.h"
#include "base/file.h"
#include "base/json.h"
#include "testing/corpus.h"
#include "testing/golden.h"

namespace {

using base::JsonValue;

// One key a line, so that a difference can be read.
std::string pretty(const std::string& text) {
  const auto document = JsonValue::parse(text);
  if (!document.ok()) return text;
  base::JsonWriter writer(base::JsonWriter::Style::pretty);
  document->write(writer);
  return writer.take();
}

using analyze::expected_beside;
using analyze::no_symbols;

TEST(ReportJson, EqualsTheReferenceWithoutSymbols) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/minidumps/dumps");
  ASSERT_TRUE(files.ok());
  int compared = 0;
  for (const std::string& path : *files) {
    const auto expected_text = base::read_file(expected_beside(path, ".nosymbols.json"));
    if (!expected_text.ok()) continue;
    SCOPED_TRACE(path);
    const auto file = base::MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    auto analysis = analyze::analyze_dump(*file, no_symbols);
    ASSERT_TRUE(analysis.ok()) << analysis.error().what;
    // Without any source of symbols the reference looks nothing up: no module counts as missing.
    for (unwind::ModuleSymbols& module : analysis->report.walk.modules) module = {};
    const std::string text = analyze::report_json(analysis->report);
    EXPECT_EQ("", testing_support::first_difference(pretty(*expected_text), pretty(text)));
    EXPECT_TRUE(*expected_text == text) << "the bytes differ";
    ++compared;
  }
  EXPECT_GE(compared, 30);
}

}  // namespace
