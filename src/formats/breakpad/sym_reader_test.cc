#include "formats/breakpad/sym_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>

#include "base/file.h"
#include "testing/corpus.h"
#include "testing/sanitized.h"

namespace breakpad {
namespace {

std::string module_line() {
  return "MODULE Linux x86_64 000102030405060708090A0B0C0D0E0F0 a.out\n";
}

SymFile read_text(const std::string& text, Reading reading = Reading::kStrict) {
  return read(base::bytes_of(text), reading);
}

TEST(SymReader, ReadsEveryRecord) {
  const std::string text =
      module_line() +
      "INFO CODE_ID 0102\nINFO URL http://x/\nFILE 3 /src/a b.c\nINLINE_ORIGIN 7 inl()\n"
      "FUNC m 1000 20 8 f(int, long)\nINLINE 0 12 3 7 1004 8 1010 4\n1000 4 10 3\n1004 8 11 3\n"
      "PUBLIC m 2000 0 pub lic\n"
      "STACK CFI INIT 1000 20 .cfa: $rsp 8 +\nSTACK CFI 1001 .cfa: $rsp 16 +\n"
      "STACK WIN 4 3000 10 1 2 3 4 5 6 1 $T0 .raSearch =\nSTACK WIN 0 3010 10 1 2 3 4 5 6 0 1\n";
  const SymFile file = read_text(text);
  ASSERT_FALSE(file.corrupt) << file.problem;
  EXPECT_EQ(file.module.os, "Linux");
  EXPECT_EQ(file.module.cpu, "x86_64");
  EXPECT_EQ(file.module.id, "000102030405060708090A0B0C0D0E0F0");
  EXPECT_EQ(file.module.name, "a.out");
  ASSERT_EQ(file.parts.size(), 1u);
  const Part& part = file.parts[0];
  EXPECT_EQ(part.url, "http://x/");
  ASSERT_EQ(part.infos.size(), 1u);
  EXPECT_EQ(part.infos[0], "CODE_ID 0102");
  ASSERT_EQ(part.files.size(), 1u);
  EXPECT_EQ(part.files[0].number, 3u);
  EXPECT_EQ(part.files[0].name, "/src/a b.c");
  ASSERT_EQ(part.origins.size(), 1u);
  EXPECT_EQ(part.origins[0].name, "inl()");
  ASSERT_EQ(part.functions.size(), 1u);
  const Func& f = part.functions[0];
  EXPECT_TRUE(f.multiple);
  EXPECT_EQ(f.address, 0x1000u);
  EXPECT_EQ(f.size, 0x20u);
  EXPECT_EQ(f.parameter_size, 8u);
  EXPECT_EQ(f.name, "f(int, long)");
  EXPECT_EQ(f.line_count, 2u);
  EXPECT_EQ(f.inline_count, 1u);
  EXPECT_EQ(part.lines[1].address, 0x1004u);
  EXPECT_EQ(part.lines[1].line, 11u);
  EXPECT_EQ(part.inlines[0].range_count, 2u);
  EXPECT_EQ(part.inlines[0].call_line, 12u);
  EXPECT_EQ(part.inline_ranges[1].address, 0x1010u);
  EXPECT_EQ(part.publics[0].name, "pub lic");
  EXPECT_EQ(part.cfi_inits[0].rules, ".cfa: $rsp 8 +");
  EXPECT_EQ(part.cfi_inits[0].row_count, 1u);
  EXPECT_EQ(part.cfi_rows[0].address, 0x1001u);
  ASSERT_EQ(part.stack_win.size(), 2u);
  EXPECT_EQ(part.stack_win[0].program, "$T0 .raSearch =");
  EXPECT_EQ(part.stack_win[0].sizes[3], 3u);
  EXPECT_TRUE(part.stack_win[1].allocates_base_pointer);
}

struct Verdict {
  const char* what;
  std::string body;
  bool corrupt;
};

// Each row was checked against rust-minidump 0.27's grammar.
TEST(SymReader, CallsCorruptWhatOthersDo) {
  const std::string func = "FUNC 10 10 0 f\n";
  const Verdict rows[] = {
      {"nothing more", "", false},
      {"empty lines", "\n\r\n\r\r\n", false},
      {"carriage returns", "FUNC 10 10 0 f\r\n10 4 1 1\r\n", false},
      {"carriage return in a name", "FUNC 10 10 0 a\rb\n", true},
      {"carriage return in an INFO", "INFO a\rb\n", true},
      {"INFO with any bytes", "INFO \xff\xfe\n", false},
      {"INFO without a blank", "INFO\n", true},
      {"INFO URL must be UTF-8", "INFO URL \xff\n", true},
      {"name is not UTF-8", "FUNC 10 10 0 \xff\n", true},
      {"name is UTF-8", "FUNC 10 10 0 \xc3\xa4\n", false},
      {"empty name", "FUNC 10 10 0 \n", false},
      {"no name", "FUNC 10 10 0\n", true},
      {"tabs between fields", "FUNC\t10\t10\t0\tf\n", false},
      {"address of 17 digits", "FUNC 00000000000000010 10 0 f\n", true},
      {"address of 16 digits", "FUNC 0000000000000010 10 0 f\n", false},
      {"size of 9 digits", "FUNC 10 000000010 0 f\n", true},
      {"address with 0x", "FUNC 0x10 10 0 f\n", true},
      {"line outside of FUNC", "10 4 1 1\n", true},
      {"line after an empty line", func + "\n10 4 1 1\n", true},
      {"line after PUBLIC", func + "PUBLIC 40 0 p\n10 4 1 1\n", true},
      {"line with a blank at its end", func + "10 4 1 1 \n", true},
      {"line number past 32 bits", func + "10 4 4294967296 1\n", true},
      {"largest line number", func + "10 4 4294967295 1\n", false},
      {"line number of 11 digits", func + "10 4 00000000001 1\n", true},
      {"negative line number", func + "10 4 -1 1\n", true},
      {"INLINE outside of FUNC", "INLINE 0 1 1 1 10 4\n", true},
      {"INLINE without range", func + "INLINE 0 1 1 1\n", true},
      {"INLINE with half a range", func + "INLINE 0 1 1 1 10 4 14\n", true},
      {"INLINE with a blank at its end", func + "INLINE 0 1 1 1 10 4 \n", true},
      {"the older INLINE", func + "INLINE 0 1 1 10 4\n", true},
      {"INLINE_ORIGIN inside FUNC", func + "INLINE_ORIGIN 1 x\n10 4 1 1\n", false},
      {"INLINE_ORIGIN without name", "INLINE_ORIGIN 1\n", true},
      {"FILE without number", "FILE x y\n", true},
      {"PUBLIC with mark", "PUBLIC m 10 0 p\n", false},
      {"PUBLIC without size", "PUBLIC 10 p\n", true},
      {"unknown record", "WHATEVER 1\n", true},
      {"STACK CFI without INIT", "STACK CFI 10 .cfa: $rsp 8 +\n", true},
      {"STACK CFI after an empty line", "STACK CFI INIT 10 4 x\n\nSTACK CFI 10 y\n", true},
      {"STACK CFI with empty rules", "STACK CFI INIT 10 4 \nSTACK CFI 11 \n", false},
      {"STACK CFI without rules", "STACK CFI INIT 10 4\n", true},
      {"unknown STACK", "STACK XYZ 10 4 x\n", true},
      {"STACK WIN of another type", "STACK WIN 2 10 4 0 0 0 0 0 0 0 0\n", false},
      {"STACK WIN that contradicts itself", "STACK WIN 4 10 4 0 0 0 0 0 0 0 0\n", false},
      {"STACK WIN of type g", "STACK WIN g 10 4 0 0 0 0 0 0 0 0\n", true},
      {"STACK WIN without program", "STACK WIN 4 10 4 0 0 0 0 0 0 1\n", true},
      {"second MODULE", module_line(), true},
      {"last line without newline", "FUNC 10 10 0 f", true},
      {"endless line", std::string(200'000, 'x') + "\n", false},
      {"long bad line", std::string(100'000, 'x') + "\n", true},
      {"endless name", "FUNC 10 10 0 " + std::string(200'000, 'x') + "\n", false},
      {"endless last line", std::string(200'000, 'x'), false},
  };
  for (const Verdict& row : rows) {
    const SymFile file = read_text(module_line() + row.body);
    EXPECT_EQ(file.corrupt, row.corrupt) << row.what << ": " << file.problem;
    EXPECT_TRUE(file.has_module) << row.what;
    EXPECT_EQ(file.parts.empty(), row.corrupt) << row.what;
  }
}

TEST(SymReader, ModuleIsWantedFirstButNotRequired) {
  EXPECT_TRUE(read_text("").corrupt);
  EXPECT_FALSE(read_text("\n").corrupt);
  EXPECT_FALSE(read_text("FUNC 10 10 0 f\n").corrupt);
  EXPECT_TRUE(read_text("\n" + module_line()).corrupt);
  EXPECT_TRUE(read_text("MODULE Linux x86_64 XYZ a.out\n").corrupt);
  EXPECT_TRUE(read_text("MODULE Linux x86_64 00\n").corrupt);
  EXPECT_EQ(read_text("MODULE mac x86_64 0AB name with blanks\r\n").module.name,
            "name with blanks");
}

TEST(SymReader, StackWinsThatContradictThemselvesAreDropped) {
  const SymFile file = read_text(
      "STACK WIN 4 10 4 0 0 0 0 0 0 0 0\nSTACK WIN 0 10 4 0 0 0 0 0 0 1 x\n"
      "STACK WIN 0 20 4 0 0 0 0 0 0 0 01\n");
  ASSERT_EQ(file.parts.size(), 1u);
  ASSERT_EQ(file.parts[0].stack_win.size(), 1u);
  EXPECT_FALSE(file.parts[0].stack_win[0].allocates_base_pointer);
}

TEST(SymReader, AnEndlessLineEndsNothing) {
  const SymFile file = read_text("FUNC 10 10 0 f\n" + std::string(200'000, 'x') + "\n10 4 1 1\n");
  ASSERT_FALSE(file.corrupt);
  EXPECT_EQ(file.parts[0].functions[0].line_count, 1u);
}

TEST(SymReader, LenientReadingKeepsWhatItCan) {
  const SymFile file = read_text(
      module_line() +
          "FUNC 10 10 0 f\nINLINE 0 5 1 10 4\nrubbish\n10 4 7 1\n\n14 4 8 1\nPUBLIC 40 0 last",
      Reading::kLenient);
  ASSERT_FALSE(file.corrupt);
  EXPECT_EQ(file.skipped_lines, 1u);
  EXPECT_TRUE(file.older_inlines);
  const Part& part = file.parts[0];
  EXPECT_EQ(part.functions[0].line_count, 2u);
  ASSERT_EQ(part.inlines.size(), 1u);
  EXPECT_EQ(part.inlines[0].origin, 1u);
  EXPECT_EQ(part.inlines[0].call_file, kNoNumber);
  ASSERT_EQ(part.publics.size(), 1u);
  EXPECT_EQ(part.publics[0].name, "last");
}

// Of ASCII.
std::string utf16_of(std::string_view text, base::Endian endian) {
  std::string out = endian == base::Endian::little ? "\xff\xfe" : "\xfe\xff";
  for (const char c : text) {
    if (endian == base::Endian::big) out += '\0';
    out += c;
    if (endian == base::Endian::little) out += '\0';
  }
  return out;
}

TEST(SymReader, MarksAndUtf16AreNamedAndLeniencyReadsThem) {
  const std::string text = module_line() + "FUNC 10 10 0 f\r\n10 10 7 1\r\nPUBLIC 40 0 last";
  for (const std::string& marked : {"\xef\xbb\xbf" + text, utf16_of(text, base::Endian::little),
                                    utf16_of(text, base::Endian::big)}) {
    const SymFile strict = read_text(marked);
    EXPECT_TRUE(strict.corrupt);
    EXPECT_TRUE(strict.problem.starts_with("the text ")) << strict.problem;
    const SymFile file = read_text(marked, Reading::kLenient);
    ASSERT_FALSE(file.corrupt);
    EXPECT_EQ(file.skipped_lines, 0u);
    EXPECT_EQ(file.module.name, "a.out");
    ASSERT_EQ(file.parts.size(), 1u);
    EXPECT_EQ(file.parts[0].functions.at(0).name, "f");
    EXPECT_EQ(file.parts[0].lines.at(0).line, 7u);
    EXPECT_EQ(file.parts[0].publics.at(0).name, "last");
  }
  // Half a unit at the end: it is no text.
  const std::string broken = utf16_of(text, base::Endian::little) + "x";
  EXPECT_TRUE(read_text(broken).corrupt);
  EXPECT_FALSE(read_text(broken, Reading::kLenient).has_module);
}

TEST(SymReader, LeniencyReadsFilesThatWerePutOneBehindTheOther) {
  const std::string text =
      module_line() + "FUNC 10 10 0 f\n10 10 7 1\n" + module_line() + "FUNC 40 10 0 g\n40 10 8 1\n";
  const SymFile file = read_text(text, Reading::kLenient);
  ASSERT_FALSE(file.corrupt);
  EXPECT_EQ(file.skipped_lines, 0u);
  EXPECT_EQ(file.module.name, "a.out");
  ASSERT_EQ(file.parts.at(0).functions.size(), 2u);
  EXPECT_EQ(file.parts[0].functions[1].name, "g");
  EXPECT_EQ(file.parts[0].lines.size(), 2u);
}

TEST(SymReader, ProblemNamesTheLine) {
  EXPECT_EQ(read_text(module_line() + "FUNC 10 10 0 f\n10 4 x 1\n").problem,
            "line 3 is not a record that belongs here: 10 4 x 1");
}

std::string counts_of(const SymFile& file) {
  std::size_t n[10] = {};
  for (const Part& p : file.parts) {
    n[0] += p.files.size();
    n[1] += p.origins.size();
    n[2] += p.functions.size();
    for (const Func& f : p.functions) n[3] += f.line_count;
    for (const Func& f : p.functions) n[4] += f.inline_count;
    n[5] += p.inline_ranges.size();
    n[6] += p.publics.size();
    n[7] += p.cfi_inits.size();
    for (const CfiInit& c : p.cfi_inits) n[8] += c.row_count;
    n[9] += p.stack_win.size();
  }
  std::string out = file.corrupt ? "corrupt" : "";
  for (const std::size_t count : n) out += std::to_string(count) + " ";
  return out;
}

TEST(SymReader, TheNumberOfThreadsChangesNothing) {
  std::string text = module_line();
  for (int i = 0; i < 60'000; ++i) {
    char line[200];
    std::snprintf(line, sizeof line,
                  "FUNC %x 10 0 function_%d\nINLINE 0 1 1 1 %x 4\n%x 8 %d 1\n"
                  "STACK CFI INIT %x 10 .cfa: $rsp 8 +\nSTACK CFI %x .cfa: $rsp 16 +\n",
                  i * 16, i, i * 16, i * 16, i, i * 16, i * 16 + 1);
    text += line;
  }
  const SymFile one = read(base::bytes_of(text), Reading::kStrict, 1);
  const SymFile four = read(base::bytes_of(text), Reading::kStrict, 4);
  ASSERT_FALSE(one.corrupt);
  EXPECT_EQ(one.parts.size(), 1u);
  EXPECT_GT(four.parts.size(), 3u);
  EXPECT_EQ(counts_of(one), counts_of(four));
}

// A line may end with carriage returns, and those that do are read field by field. So a text and
// its copy with one more of them on each line are the same, read on two ways.
std::string with_carriage_returns(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (const char c : text) {
    if (c == '\n') out += '\r';
    out += c;
  }
  return out;
}

// What a bad text means does not depend on how many read it.
TEST(SymReader, LenientReadingIsTheSameOnAnyNumberOfThreads) {
  std::string text = module_line() + "FILE 0 a.c\n";
  while (text.size() < (8u << 20)) {
    text += "FUNC 1000 10 0 f\n1000 8 1 0\nPUBLIC 2000 0 p\nFUNC bad\n1008 8 2 0\n";
  }
  const SymFile one = read(base::bytes_of(text), Reading::kLenient, 1);
  const SymFile four = read(base::bytes_of(text), Reading::kLenient, 4);
  EXPECT_GT(one.skipped_lines, 0u);
  EXPECT_EQ(one.skipped_lines, four.skipped_lines);
  EXPECT_TRUE(one.parts == four.parts);
}

void expect_same_either_way(const std::string& text, const std::string& what) {
  const std::string slow = with_carriage_returns(text);
  for (const Reading reading : {Reading::kStrict, Reading::kLenient}) {
    const SymFile one = read_text(text, reading);
    const SymFile other = read_text(slow, reading);
    ASSERT_EQ(one.corrupt, other.corrupt) << what << one.problem << other.problem;
    ASSERT_EQ(one.skipped_lines, other.skipped_lines) << what;
    ASSERT_EQ(one.older_inlines, other.older_inlines) << what;
    ASSERT_EQ(one.module, other.module) << what;
    ASSERT_TRUE(one.parts == other.parts) << what;
  }
}

TEST(SymReader, FieldsOfAnyWidthAreReadTheSameEitherWay) {
  const std::string filler = "FUNC 10 10 0 f\n";  // so that what comes before is not at the end
  std::string digits;
  for (std::size_t size = 0; size <= 18; ++size, digits += "123456789abcdef09"[size % 17]) {
    const std::string decimal(size, '7');
    const std::string big(size, '9');
    const std::string lines[] = {digits + " 4 1 1",
                                 "10 " + digits + " 1 1",
                                 "10 4 " + decimal + " 1",
                                 "10 4 1 " + decimal,
                                 "10 4 1 " + big,
                                 "10 4 1a 1",
                                 "10 4  1 1",
                                 "10\t4 1 1",
                                 " 10 4 1 1",
                                 "10 4 1 1 ",
                                 "FFfe 4 1 1",
                                 "10 4 1 " + digits,
                                 "INLINE " + decimal + " 1 1 1 10 4",
                                 "INLINE 0 " + decimal + " 1 1 10 4",
                                 "INLINE 0 1 " + decimal + " 1 10 4",
                                 "INLINE 0 1 1 " + decimal + " 10 4",
                                 fmt::format("INLINE 0 1 1 1 {0} 4 20 {0}", digits),
                                 "INLINE 0 1 1 1 10 4 " + digits,
                                 "INLINE 0 1 1 1a 10 4",
                                 "INLINE 0 1 -1 1 10 4",
                                 "INLINE  0 1 1 1 10 4",
                                 "INLINE 0 1 1 1 10 4 ",
                                 "INLINE " + big + " 1 1 1 10 4"};
    for (const std::string& line : lines) {
      std::string body = filler;
      body += line;
      body += '\n';
      expect_same_either_way(body, line);
      body += "10 4 1 1\n";
      body += filler;
      body += filler;
      body += filler;
      expect_same_either_way(body, line);
    }
  }
}

TEST(SymReader, AnInlineOfManyRangesIsOneRecordUpToTheLongestLine) {
  for (const std::size_t ranges : {20'000u, 30'000u}) {
    std::string text = "FUNC 10 10 0 f\nINLINE 0 1 1 1";
    for (std::size_t i = 0; i < ranges; ++i) text += " 10 2c";
    text += "\n10 4 1 1\nPUBLIC 10 0 something behind it\n";
    const SymFile file = read_text(text);
    ASSERT_FALSE(file.corrupt);
    EXPECT_EQ(file.parts[0].inlines.size(), ranges == 20'000 ? 1u : 0u);
    EXPECT_EQ(file.parts[0].inline_ranges.size(), ranges == 20'000 ? ranges : 0u);
    EXPECT_EQ(file.parts[0].lines.size(), 1u);
    expect_same_either_way(text, "many ranges");
  }
}

TEST(SymReader, DamagedTextsAreReadTheSameEitherWay) {
  const std::string sound =
      module_line() + "FILE 1 a b.c\nINLINE_ORIGIN 7 inl()\nFUNC m 1000 20 8 f(int)\n" +
      "INLINE 0 12 3 7 1004 8 1010 4\nINLINE 1 4294967295 3 7 ffffffff 8\n1000 4 10 3\n" +
      "1004 8 11 3\n12345678 abcdef 99999999 3\n100c 4 123456789 3\nFUNC 1030 8 0 g\n" +
      "1030 8 4 1\nPUBLIC m 2000 0 p q\nSTACK CFI INIT 1000 20 .cfa: $rsp 8 +\n" +
      "STACK CFI 1001 .cfa: $rsp 16 +\nSTACK WIN 4 3000 10 1 2 3 4 5 6 1 $T0 =\n";
  constexpr std::string_view kBytes = "0123456789abcdefABCDEFgz  \t\n\n\r-mINLFUC\xc3\x80";
  std::minstd_rand chance(1);
  for (unsigned round = 0; round < testing_support::rounds(20'000); ++round) {
    std::string text = sound;
    for (unsigned i = 0; i <= chance() % 3; ++i) {
      const std::size_t at = chance() % text.size();
      const char byte = kBytes[chance() % kBytes.size()];
      switch (chance() % 3) {
        case 0:
          text[at] = byte;
          break;
        case 1:
          text.insert(at, 1 + chance() % 9, byte);
          break;
        default:
          text.erase(at, 1 + chance() % 9);
      }
    }
    expect_same_either_way(text, text);
    if (testing::Test::HasFatalFailure()) return;
  }
}

TEST(SymReader, TheCorpusIsReadTheSameEitherWay) {
  REQUIRE_CORPUS(corpus);
  for (const char* folder : {"/symbols/sym", "/minidumps/symbols", "/minidumps/hostile"}) {
    const auto paths = base::list_files(corpus + folder);
    ASSERT_TRUE(paths.ok());
    for (const std::string& path : paths.value()) {
      if (!path.ends_with(".sym")) continue;
      const auto text = base::read_file(path);
      ASSERT_TRUE(text.ok());
      expect_same_either_way(text.value(), path);
    }
  }
}

TEST(SymReader, EveryPrefixGivesAnAnswer) {
  const std::string text = module_line() +
                           "FILE 1 a\nFUNC 10 10 0 f\nINLINE 0 1 1 1 10 4\n10 8 1 1\n"
                           "STACK CFI INIT 10 10 .cfa: $rsp 8 +\nSTACK CFI 11 .cfa: $rsp 16 +\n"
                           "STACK WIN 4 3000 10 1 2 3 4 5 6 1 $T0 =\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const std::string prefix = text.substr(0, size);
    const bool whole_lines = size > 0 && text[size - 1] == '\n';
    EXPECT_EQ(read_text(prefix).corrupt, !whole_lines) << size;
    EXPECT_FALSE(read_text(prefix, Reading::kLenient).corrupt && size > module_line().size())
        << size;
  }
}

TEST(SymReader, ReadsTheSymbolFilesOfTheCorpus) {
  REQUIRE_CORPUS(corpus);
  int files = 0;
  for (const char* folder : {"/symbols/sym", "/minidumps/symbols"}) {
    const auto paths = base::list_files(corpus + folder);
    ASSERT_TRUE(paths.ok());
    for (const std::string& path : paths.value()) {
      if (!path.ends_with(".sym")) continue;
      const auto mapped = base::MappedFile::open(path);
      ASSERT_TRUE(mapped.ok());
      const SymFile file = read(mapped.value()->bytes());
      ++files;
      // The strict reading knows neither the older INLINE nor a call file of -1.
      const bool odd = path.find("linux_inline.old") != std::string::npos ||
                       path.find("dwarf2.so.breakpad-inlines") != std::string::npos;
      if (odd) {
        EXPECT_FALSE(read(mapped.value()->bytes(), Reading::kLenient).corrupt);
      }
      EXPECT_EQ(file.corrupt, odd) << path << ": " << file.problem;
    }
  }
  EXPECT_GT(files, 50);
}

// A tree that made Breakpad's processor crash; the verdicts are rust-minidump's.
TEST(SymReader, JudgesADamagedTreeAsOthersDo) {
  REQUIRE_CORPUS(corpus);
  const auto paths = base::list_files(corpus + "/minidumps/hostile/symcrash_bp_2");
  ASSERT_TRUE(paths.ok());
  for (const std::string& path : paths.value()) {
    const auto mapped = base::MappedFile::open(path);
    ASSERT_TRUE(mapped.ok());
    const bool sound =
        path.ends_with("libobjc.A.dylib.sym") || path.ends_with("libsystem_malloc.dylib.sym");
    EXPECT_EQ(read(mapped.value()->bytes()).corrupt, !sound) << path;
  }
}

}  // namespace
}  // namespace breakpad
