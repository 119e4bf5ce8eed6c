#include "extract/symbols_from_breakpad.h"

#include <gtest/gtest.h>

#include <random>

#include "symbols/index_writer.h"
#include "symbols/map.h"
#include "symbols/reference_lookup.h"
#include "testing/corpus.h"
#include "testing/sanitized.h"

namespace extract {
namespace {

using symbols::Hit;
using symbols::Map;
using symbols::Model;

Model model_of(const std::string& text, const BreakpadReading& reading = {}) {
  return symbols_from_breakpad(base::bytes_of(text), nullptr, reading);
}

std::shared_ptr<const Map> must_map(const Model& model, unsigned threads = 0) {
  symbols::IndexOptions options;
  options.threads = threads;
  auto bytes = symbols::write_index(model, options);
  EXPECT_TRUE(bytes.ok());
  auto map = Map::open(base::MappedFile::from_bytes(std::move(bytes).value()));
  EXPECT_TRUE(map.ok());
  return std::move(map).value();
}

std::string frame_text(const symbols::SourceFrame& frame) {
  std::string out(frame.function);
  out += frame.has_file ? " " + std::string(frame.file) : " ?";
  return out + (frame.has_line ? ":" + std::to_string(frame.line) : ":?");
}

std::string frames_at(const Map& map, std::uint64_t rva) {
  Hit hit;
  if (!map.find(base::Rva{rva}, hit)) return "";
  std::string out;
  for (const auto& frame : hit.inlines) out += frame_text(frame) + "\n";
  return out + frame_text(hit.physical);
}

TEST(SymbolsFromBreakpad, NamesMoveInwardsAndPlacesOutwards) {
  const auto map = must_map(
      model_of("FILE 0 a.cc\nFILE 1 b.h\nINLINE_ORIGIN 0 outer()\nINLINE_ORIGIN 1 inner()\n"
               "FUNC 100 20 0 main\nINLINE 0 3 0 0 104 10\nINLINE 1 7 1 1 108 4\n"
               "100 4 1 0\n104 4 5 1\n108 4 9 1\n10c 14 2 0\n"));
  EXPECT_EQ(frames_at(*map, 0x100), "main a.cc:1");
  EXPECT_EQ(frames_at(*map, 0x104), "outer() b.h:5\nmain a.cc:3");
  EXPECT_EQ(frames_at(*map, 0x10b), "inner() b.h:9\nouter() b.h:7\nmain a.cc:3");
  EXPECT_EQ(frames_at(*map, 0x10c), "outer() a.cc:2\nmain a.cc:3");
  EXPECT_EQ(frames_at(*map, 0x11f), "main a.cc:2");
  EXPECT_EQ(frames_at(*map, 0x120), "");
}

TEST(SymbolsFromBreakpad, OddNumbersAndLineZero) {
  const auto map = must_map(
      model_of("FILE 4000000000 far.cc\nINLINE_ORIGIN 4000000001 far()\n"
               "FUNC 100 20 0 f\nINLINE 0 0 4000000000 4000000001 104 4\nINLINE 0 5 9 9 108 4\n"
               "INLINE 0 6 4000000000 9 10c 4\n"
               "100 4 0 4000000000\n104 4 0 4000000000\n108 4 3 4000000000\n10c 4 3 4000000000\n"
               "110 4 3 77\n"));
  EXPECT_EQ(frames_at(*map, 0x100), "f far.cc:0");                  // 0 stays 0 for the real frame
  EXPECT_EQ(frames_at(*map, 0x104), "far() far.cc:?\nf far.cc:0");  // and is no line inside
  EXPECT_EQ(frames_at(*map, 0x108), "f ?:?");  // unknown call file: the real frame has no place
  EXPECT_EQ(frames_at(*map, 0x10c), "f far.cc:6");  // unknown origin: no frame, but its call site
  EXPECT_EQ(frames_at(*map, 0x110), "f ?:?");
}

TEST(SymbolsFromBreakpad, TheLastRecordWithANumberCounts) {
  const auto map = must_map(model_of("FILE 0 old.cc\nFUNC 100 4 0 f\n100 4 1 0\nFILE 0 new.cc\n"));
  EXPECT_EQ(frames_at(*map, 0x100), "f new.cc:1");
}

TEST(SymbolsFromBreakpad, PublicsEndWhereFunctionsBegin) {
  const auto map = must_map(
      model_of("PUBLIC 10 0 early\nPUBLIC 90 0 late\nPUBLIC 90 0 later\nFUNC 40 10 0 f\n"));
  EXPECT_EQ(frames_at(*map, 0x0f), "");
  EXPECT_EQ(frames_at(*map, 0x10), "early ?:?");
  EXPECT_EQ(frames_at(*map, 0x3f), "early ?:?");
  EXPECT_EQ(frames_at(*map, 0x40), "f ?:?");
  EXPECT_EQ(frames_at(*map, 0x50), "");
  EXPECT_EQ(frames_at(*map, 0x90), "later ?:?");
  EXPECT_EQ(frames_at(*map, 0xffffffff), "later ?:?");
}

TEST(SymbolsFromBreakpad, CorruptTextSaysSoAndKeepsWhatCanBeRead) {
  std::string problem;
  BreakpadReading reading;
  reading.problem = &problem;
  const std::string text =
      "MODULE Linux x86_64 000102030405060708090A0B0C0D0E0F0 lib.so\nFUNC 1 1 0 f\nrubbish\n"
      "FUNC 2 1 0 g\n";
  const Model model = model_of(text, reading);
  EXPECT_TRUE(model.info.corrupt);
  EXPECT_EQ(model.info.name, "lib.so");
  EXPECT_EQ(model.info.debug_id.breakpad(), "000102030405060708090A0B0C0D0E0F0");
  EXPECT_NE(problem.find("line 3"), std::string::npos);
  const auto map = must_map(model);
  EXPECT_TRUE(map->info().corrupt);
  EXPECT_EQ(frames_at(*map, 1), "f ?:?");
  EXPECT_EQ(frames_at(*map, 2), "g ?:?");
}

TEST(SymbolsFromBreakpad, InfoRecordsAreKept) {
  const Model model = model_of(
      "MODULE windows x86 000102030405060708090A0B0C0D0E0F1 a.pdb\nINFO CODE_ID 5AB0DF a.exe\n"
      "INFO GENERATOR x 1\nINFO URL http://x/y\n");
  EXPECT_EQ(model.info.code_id, "5ab0df");
  EXPECT_EQ(model.info.code_file, "a.exe");
  EXPECT_EQ(model.info.symbol_url, "http://x/y");
  ASSERT_EQ(model.info.extra_info.size(), 1u);
  EXPECT_EQ(model.info.extra_info[0], "GENERATOR x 1");
}

TEST(SymbolsFromBreakpad, OlderInlinesAreReadLeniently) {
  const std::string text =
      "FILE 0 a.cc\nINLINE_ORIGIN 1 0 outer()\nFUNC 100 20 0 main\nINLINE 0 3 1 104 10\n"
      "100 20 1 0\n";
  EXPECT_TRUE(model_of(text).info.corrupt);
  BreakpadReading reading;
  reading.lenient = true;
  const auto map = must_map(model_of(text, reading));
  EXPECT_EQ(frames_at(*map, 0x104), "outer() a.cc:1\nmain ?:?");
}

void expect_same(const Map& map, const Model& model, std::uint64_t rva) {
  Hit hit;
  const auto expected = symbols::reference::find(model, rva);
  ASSERT_EQ(map.find(base::Rva{rva}, hit), expected.has_value()) << std::hex << rva;
  if (!expected) return;
  std::string wanted;
  const auto add = [&](const symbols::reference::Frame& f) {
    wanted += f.function + " " + f.file.value_or("?") + ":" +
              (f.line ? std::to_string(*f.line) : "?") + "\n";
  };
  for (const auto& frame : expected->inlines) add(frame);
  add(expected->physical);
  ASSERT_EQ(frames_at(map, rva) + "\n", wanted) << std::hex << rva;
  ASSERT_EQ(hit.start.value, expected->start);
  ASSERT_EQ(hit.parameter_size, expected->parameter_size);
  const auto cfi = map.find_cfi(base::Rva{rva});
  const auto wanted_cfi = symbols::reference::find_cfi(model, rva);
  ASSERT_EQ(cfi.has_value(), wanted_cfi.has_value()) << std::hex << rva;
  if (cfi) {
    EXPECT_EQ(cfi->range_start, wanted_cfi->range_start);
    EXPECT_EQ(cfi->rules.size(), wanted_cfi->rules.size());
  }
}

TEST(SymbolsFromBreakpad, TheCorpusReadsAsALinearSearchDoes) {
  REQUIRE_CORPUS(corpus);
  std::mt19937_64 random(20260811);
  for (const char* folder : {"/symbols/sym", "/minidumps/symbols"}) {
    const auto paths = base::list_files(corpus + folder);
    ASSERT_TRUE(paths.ok());
    for (const std::string& path : paths.value()) {
      if (!path.ends_with(".sym")) continue;
      SCOPED_TRACE(path);
      const auto file = base::MappedFile::open(path);
      ASSERT_TRUE(file.ok());
      if (file.value()->bytes().size() > 1'500'000) continue;
      BreakpadReading reading;
      reading.lenient = true;
      const Model model = symbols_from_breakpad(file.value(), reading);
      if (model.functions.empty() && model.publics.empty()) continue;
      const auto map = must_map(model);
      for (unsigned i = 0; i < testing_support::rounds(40); ++i) {
        std::uint64_t rva = 0;
        if (!model.lines.empty() && i % 2 == 0) {
          const symbols::Line& line = model.lines[random() % model.lines.size()];
          rva = line.rva + random() % (std::uint64_t{line.size} + 1);
        } else if (!model.publics.empty()) {
          rva = model.publics[random() % model.publics.size()].rva + random() % 200;
        }
        expect_same(*map, model, rva);
      }
    }
  }
}

}  // namespace
}  // namespace extract
