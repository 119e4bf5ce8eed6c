#include "analyze/report_json.h"

#include <gtest/gtest.h>

#include "analyze/analyze.h"
#include "base/file.h"
#include "base/json.h"
#include "testing/corpus.h"

namespace {

using base::JsonValue;

std::string text_of(const JsonValue& value) {
  base::JsonWriter writer;
  value.write(writer);
  return writer.take().substr(0, 200);
}

// The differences between two documents, one a line.
void compare(const std::string& path, const JsonValue& expected, const JsonValue& actual,
             std::string& out) {
  if (expected.object() != nullptr && actual.object() != nullptr) {
    for (const auto& [key, value] : *expected.object()) {
      if (actual.object()->count(key) == 0) {
        out += path + "/" + key + ": missing\n";
      } else {
        compare(path + "/" + key, value, actual[key], out);
      }
    }
    for (const auto& [key, value] : *actual.object()) {
      if (expected.object()->count(key) == 0) out += path + "/" + key + ": not expected\n";
    }
    return;
  }
  if (expected.array() != nullptr && actual.array() != nullptr &&
      expected.size() == actual.size() && path != "/proc_limits/limits") {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      compare(path + "/" + std::to_string(i), expected.at(i), actual.at(i), out);
    }
    return;
  }
  if (path == "/proc_limits/limits") return;  // the reference's order is random
  const std::string a = text_of(expected), b = text_of(actual);
  if (a != b) out += path + ": expected " + a + ", got " + b + "\n";
}

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
    const auto actual = JsonValue::parse(text);
    ASSERT_TRUE(actual.ok()) << actual.error().what;
    const auto expected = JsonValue::parse(*expected_text);
    ASSERT_TRUE(expected.ok());
    std::string differences;
    compare("", *expected, *actual, differences);
    EXPECT_EQ("", differences);
    // Byte for byte, but for the one list whose order is random in the reference.
    if ((*expected)["proc_limits"].is_null()) {
      EXPECT_EQ(*expected_text, text);
    }
    ++compared;
  }
  EXPECT_GE(compared, 30);
}

}  // namespace
