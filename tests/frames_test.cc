// Every frame of every dump in the corpus against the reference answers: place, module, name,
// file, line, inlines, trust and unloaded modules, with and without symbols.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "snapshot/snapshot_from_minidump.h"
#include "testing/corpus.h"
#include "unwind/walker.h"

#include "corpus_symbols.h"

namespace {

using base::JsonValue;

std::string text_or_null(const JsonValue& value) {
  return value.is_null() ? "null" : std::string(value.text_or("?"));
}

std::string number_or_null(const JsonValue& value) {
  return value.is_null() ? "null" : std::to_string(value.integer_or(-1));
}

// One line of text for a frame, from the reference's JSON and from ours.
std::string line_of(const JsonValue& frame) {
  std::string line = fmt::format(
      "{} {} {}+{} {}+{} {}:{}", text_or_null(frame["offset"]), text_or_null(frame["trust"]),
      text_or_null(frame["module"]), text_or_null(frame["module_offset"]),
      text_or_null(frame["function"]), text_or_null(frame["function_offset"]),
      text_or_null(frame["file"]), number_or_null(frame["line"]));
  for (std::size_t i = 0; i < frame["inlines"].size(); ++i) {
    const JsonValue& inlined = frame["inlines"].at(i);
    line += fmt::format(" [{} {}:{}]", text_or_null(inlined["function"]),
                        text_or_null(inlined["file"]), number_or_null(inlined["line"]));
  }
  for (std::size_t i = 0; i < frame["unloaded_modules"].size(); ++i) {
    const JsonValue& unloaded = frame["unloaded_modules"].at(i);
    for (std::size_t j = 0; j < unloaded["offsets"].size(); ++j) {
      line += fmt::format(" <{}+{}>", text_or_null(unloaded["module"]),
                          text_or_null(unloaded["offsets"].at(j)));
    }
  }
  return line;
}

class Printer {
 public:
  explicit Printer(const snapshot::Crash& crash) : crash_(crash) {}

  std::string line_of(const unwind::Frame& frame) const {
    std::string line = fmt::format("{} {} ", hex(frame.instruction.value), name_of(frame.trust));
    line += module_of(frame) + " " + function_of(frame) + " " + place_of(frame);
    for (const symbols::SourceFrame& inlined : frame.symbol.inlines) {
      if (!frame.has_symbol) break;
      const bool has_line = inlined.has_line && inlined.line != 0;
      line += fmt::format(" [{} {}:{}]", inlined.function, inlined.has_file ? inlined.file : "null",
                          has_line ? std::to_string(inlined.line) : "null");
    }
    for (const unwind::UnloadedHit& hit : frame.unloaded) {
      line += fmt::format(" <{}+{}>", crash_.unloaded_modules[hit.module].name, hex(hit.offset));
    }
    return line;
  }

 private:
  std::string hex(std::uint64_t value) const {
    return fmt::format("0x{:0{}x}", value, 2 * snapshot::address_width(crash_.system.cpu));
  }
  std::string module_of(const unwind::Frame& frame) const {
    if (!frame.has_module()) return "null+null";
    const snapshot::Module& module = crash_.modules[frame.module];
    return fmt::format("{}+{}", base::basename_of(module.code_file),
                       hex(frame.instruction.value - module.base.value));
  }
  std::string function_of(const unwind::Frame& frame) const {
    if (!frame.has_symbol) return "null+null";
    const std::uint64_t start = crash_.modules[frame.module].base.value + frame.symbol.start.value;
    return fmt::format("{}+{}", frame.symbol.physical.function,
                       hex(frame.instruction.value - start));
  }
  static std::string place_of(const unwind::Frame& frame) {
    const symbols::SourceFrame& where = frame.symbol.physical;
    const bool known = frame.has_symbol;
    return fmt::format("{}:{}", known && where.has_file ? where.file : "null",
                       known && where.has_line ? std::to_string(where.line) : "null");
  }

  const snapshot::Crash& crash_;
};

struct Score {
  std::size_t frames = 0;
  std::size_t wrong = 0;
  std::string first;  // the first difference, for a person
};

void compare_thread(const JsonValue& expected, const unwind::Stack& actual, const Printer& printer,
                    Score& score) {
  const std::size_t count = std::max(expected.size(), actual.frames.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::string theirs = i < expected.size() ? line_of(expected.at(i)) : "nothing";
    const std::string ours =
        i < actual.frames.size() ? printer.line_of(actual.frames[i]) : "nothing";
    ++score.frames;
    if (theirs == ours) continue;
    ++score.wrong;
    if (score.first.empty())
      score.first = fmt::format("frame {}\n  expected {}\n  got      {}", i, theirs, ours);
  }
}

Score compare(const std::string& dump_path, const std::string& expected_path,
              const std::string& symbols) {
  Score score;
  auto file = base::MappedFile::open(dump_path);
  auto text = base::read_file(expected_path);
  if (!file.ok() || !text.ok()) return {0, 1, "cannot read " + dump_path};
  auto expected = JsonValue::parse(*text);
  auto crash = snapshot::snapshot_from_minidump(*file);
  if (!expected.ok() || !crash.ok()) return {0, 1, "cannot parse " + dump_path};
  corpus_symbols::Source source(*crash, symbols);
  const unwind::Walk walk = unwind::walk_all(*crash, source, 2);
  const Printer printer(*crash);
  const JsonValue& threads = (*expected)["threads"];
  EXPECT_EQ(threads.size(), walk.threads.size()) << dump_path;
  for (std::size_t i = 0; i < walk.threads.size(); ++i) {
    const std::size_t wrong = score.wrong;
    compare_thread(threads.at(i)["frames"], walk.threads[i], printer, score);
    if (wrong == 0 && score.wrong != 0) score.first = fmt::format("thread {} {}", i, score.first);
  }
  return score;
}

// Compares all dumps of the corpus and reports each that differs.
void compare_all(const std::string& corpus, const std::string& variant,
                 const std::string& symbols) {
  namespace fs = std::filesystem;
  std::size_t dumps = 0, frames = 0;
  for (const auto& entry : fs::recursive_directory_iterator(corpus + "/minidumps/expected")) {
    const std::string expected = entry.path().string();
    if (!expected.ends_with("." + variant + ".json")) continue;
    const std::string name = entry.path().filename().string();
    const std::string dump = fmt::format("{}/minidumps/dumps/{}/{}.dmp", corpus,
                                         entry.path().parent_path().filename().string(),
                                         name.substr(0, name.size() - variant.size() - 6));
    const Score score = compare(dump, expected, symbols);
    EXPECT_EQ(score.wrong, 0u) << dump << ": of " << score.frames << " frames; " << score.first;
    ++dumps;
    frames += score.frames;
  }
  EXPECT_GT(dumps, 0u);
  fmt::print("{}: {} frames of {} dumps\n", variant, frames, dumps);
}

TEST(CorpusFrames, EqualTheReferenceWithoutSymbols) {
  REQUIRE_CORPUS(corpus);
  compare_all(corpus, "nosymbols", "");
}

TEST(CorpusFrames, EqualTheReferenceWithSymbols) {
  REQUIRE_CORPUS(corpus);
  compare_all(corpus, "symbols", corpus + "/minidumps/symbols");
}

}  // namespace
