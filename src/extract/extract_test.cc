#include "extract/extract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/child.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "extract/breakpad_from_symbols.h"
#include "extract/identify.h"
#include "formats/elf/elf.h"
#include "symbols/demangle.h"
#include "symbols/index_writer.h"
#include "symbols/map.h"
#include "testing/corpus.h"

namespace extract {
namespace {

using Shared = std::shared_ptr<const base::MappedFile>;

Shared must_open(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  EXPECT_TRUE(file.ok()) << file.error().what;
  return file.ok() ? *file : base::MappedFile::from_bytes({});
}

Extracted must_extract(base::Bytes image, base::Bytes debug = {}, unsigned threads = 1) {
  Options options;
  options.threads = threads;
  auto extracted = extract(Module{image, debug, "module"}, options);
  EXPECT_TRUE(extracted.ok()) << extracted.error().what;
  return extracted.ok() ? std::move(extracted).value() : Extracted{};
}

std::shared_ptr<const symbols::Map> must_map(const symbols::Model& model) {
  auto index = symbols::write_index(model);
  EXPECT_TRUE(index.ok());
  auto map = symbols::Map::open(base::MappedFile::from_bytes(std::move(index).value()));
  EXPECT_TRUE(map.ok()) << map.error().what;
  return *map;
}

// "innermost f.cc:3 < outer g.cc:9"; functions without arguments.
std::string chain_at(const symbols::Map& map, std::uint64_t rva) {
  symbols::Hit hit;
  if (!map.find(base::Rva{rva}, hit)) return "nothing";
  std::string text;
  hit.inlines.push_back(hit.physical);
  for (const symbols::SourceFrame& frame : hit.inlines) {
    if (!text.empty()) text += " < ";
    text += std::string(frame.function.substr(0, frame.function.find('('))) + " " +
            std::string(base::basename_of(frame.file)) + ":" + std::to_string(frame.line);
  }
  return text;
}

const symbols::Function* find_function(const symbols::Model& model, std::string_view name) {
  for (const symbols::Function& f : model.functions) {
    if (model.strings[f.name] == name) return &f;
  }
  return nullptr;
}

constexpr std::string_view kSource = R"(
extern "C" volatile int sink;                                      // 2
volatile int sink;                                                 // 3
static inline __attribute__((always_inline)) int leaf(int x) {     // 4
  sink = x;                                                        // 5
  return sink + 1;                                                 // 6
}                                                                  // 7
static inline __attribute__((always_inline)) int middle(int x) {   // 8
  return leaf(x) * 3;                                              // 9
}                                                                  // 10
template <class T>                                                 // 11
__attribute__((noinline)) int outer(T x) {                         // 12
  return middle(x + 1);                                            // 13
}                                                                  // 14
struct Error { int code; };                                        // 15
__attribute__((noinline)) void check(int x) {                      // 16
  if (x > 1000000) throw Error{x};                                 // 17
  sink = x;                                                        // 18
}                                                                  // 19
int main(int argc, char**) {                                       // 20
  check(argc);                                                     // 21
  return outer(argc) == 0;                                         // 22
}
)";

// A program built from kSource; "" when the compiler is not there.
class Built {
 public:
  explicit Built(const std::string& compiler, const std::string& flags) {
    auto directory = base::TemporaryDirectory::create("extract-test");
    if (!directory.ok()) return;
    directory_.emplace(std::move(directory).value());
    const std::string source = path("source.cc");
    EXPECT_TRUE(base::write_file_durably(source, base::bytes_of(kSource)).ok());
    run(compiler + " -O2 " + flags + " " + source + " -o " + path("program"));
  }
  bool run(const std::string& command) {
    const auto end = base::run_child("/bin/sh", {"sh", "-c", command + " 2>/dev/null"});
    ok_ = end.ok() && end->ok();
    return ok_;
  }
  bool ok() const { return ok_; }
  std::string path(std::string_view name) const {
    return base::join_path(directory_->path(), name);
  }

 private:
  std::optional<base::TemporaryDirectory> directory_;
  bool ok_ = false;
};

struct Flavour {
  const char* compiler;
  const char* flags;
};
const Flavour kFlavours[] = {
    {"g++", "-g"},
    {"g++", "-gdwarf-4"},
    {"g++", "-gdwarf-3"},
    {"g++", "-gdwarf-5 -gdwarf64"},
    {"g++", "-g -gz=zlib"},
    {"g++", "-g -gz=zlib-gnu"},
    {"g++", "-g -flto"},
    {"g++", "-g -fdebug-types-section"},
    {"clang++-22", "-g"},
    {"clang++-22", "-gdwarf-4"},
    {"clang++-22", "-gdwarf-3"},
    {"clang++-22", "-g -gz=zstd -fuse-ld=lld-22"},
    {"clang++-22", "-g -flto -fuse-ld=lld-22"},
    {"clang++-22", "-g -gsimple-template-names"},
    {"clang++-22", "-g -ffunction-sections -fuse-ld=lld-22 -Wl,--icf=all,--gc-sections"},
    {"clang++-22", "-g -no-pie -fno-pie"},
};

// In every flavour of debug information the store in leaf() has its whole chain of callers.
TEST(Extract, FindsTheInlinedChainInEveryFlavour) {
  int seen = 0;
  for (const Flavour& flavour : kFlavours) {
    const std::string name = std::string(flavour.compiler) + " " + flavour.flags;
    Built built(flavour.compiler, flavour.flags);
    if (!built.ok()) continue;
    ++seen;
    const auto file = must_open(built.path("program"));
    const Extracted out = must_extract(file->bytes());
    EXPECT_TRUE(out.report.skipped.empty()) << name;
    const symbols::Function* outer = find_function(out.model, "outer<int>(int)");
    ASSERT_NE(outer, nullptr) << name;
    const auto map = must_map(out.model);
    std::map<std::string, int> chains;
    for (std::uint64_t i = 0; i < outer->size; ++i) ++chains[chain_at(*map, outer->rva + i)];
    EXPECT_GT(chains["leaf source.cc:5 < middle source.cc:9 < outer<int> source.cc:13"], 0) << name;
    const symbols::Function* check = find_function(out.model, "check(int)");
    ASSERT_NE(check, nullptr) << name;
    EXPECT_NE(find_function(out.model, "main"), nullptr) << name;
    EXPECT_FALSE(out.model.cfi_ranges.empty()) << name;
  }
  REQUIRE_OR_SKIP(seen > 0, "no compiler to make inputs with");
}

// GCC moves the throw into check(int).cold: two ranges of one function.
TEST(Extract, GivesEachRangeOfASplitFunctionItsOwnRecord) {
  Built built("g++", "-g -fPIC");
  REQUIRE_OR_SKIP(built.ok(), "g++ is not there");
  const Extracted out = must_extract(must_open(built.path("program"))->bytes());
  std::vector<const symbols::Function*> parts;
  for (const symbols::Function& f : out.model.functions) {
    if (out.model.strings[f.name] == "check(int)") parts.push_back(&f);
  }
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0]->group, parts[1]->group);
  for (const symbols::Function* part : parts) {
    for (std::uint32_t i = 0; i < part->line_count; ++i) {
      const symbols::Line& line = out.model.lines[part->first_line + i];
      EXPECT_GE(line.rva, part->rva);
      EXPECT_LE(line.rva + line.size, part->rva + part->size);
    }
  }
}

TEST(Extract, KeepsLinesWhereOnlyTheLineTableIsThere) {
  Built built("clang++-22", "-gline-tables-only");
  REQUIRE_OR_SKIP(built.ok(), "clang++-22 is not there");
  const Extracted out = must_extract(must_open(built.path("program"))->bytes());
  const symbols::Function* check = find_function(out.model, "check(int)");
  ASSERT_NE(check, nullptr);
  EXPECT_GT(check->line_count, 0u);
}

TEST(Extract, ReadsFramesFromDebugFrameAlone) {
  Built built("clang++-22",
              "-g -fno-exceptions -fno-asynchronous-unwind-tables -fno-unwind-tables "
              "'-Dthrow=__builtin_trap(),'");
  REQUIRE_OR_SKIP(built.ok(), "clang++-22 is not there");
  const Extracted out = must_extract(must_open(built.path("program"))->bytes());
  const symbols::Function* outer = find_function(out.model, "outer<int>(int)");
  ASSERT_NE(outer, nullptr);
  const auto covers = [&](const symbols::CfiRange& r) { return r.rva == outer->rva; };
  EXPECT_TRUE(std::any_of(out.model.cfi_ranges.begin(), out.model.cfi_ranges.end(), covers));
}

TEST(Extract, GivesTheSameTextForAnyNumberOfThreads) {
  // Our own test program: a few dozen units of C++.
  const auto file = must_open("/proc/self/exe");
  const std::string one = breakpad_text(must_extract(file->bytes()).model);
  EXPECT_GT(one.size(), 100'000u);
  for (const unsigned threads : {2u, 3u}) {
    BreakpadOptions options;
    options.threads = threads;
    EXPECT_EQ(breakpad_text(must_extract(file->bytes(), {}, threads).model, options), one);
  }
}

TEST(Extract, JoinsAStrippedImageAndItsDebugFile) {
  Built built("g++", "-g -Wl,--build-id");
  REQUIRE_OR_SKIP(built.ok(), "g++ is not there");
  const std::string whole =
      breakpad_text(must_extract(must_open(built.path("program"))->bytes()).model);
  REQUIRE_OR_SKIP(
      built.run("objcopy --only-keep-debug " + built.path("program") + " " +
                built.path("program.debug") + " && strip -g -s " + built.path("program")),
      "objcopy is not there");
  const auto image = must_open(built.path("program"));
  const auto debug = must_open(built.path("program.debug"));
  EXPECT_EQ(breakpad_text(must_extract(image->bytes(), debug->bytes()).model), whole);
  // Alone each says what it can: the debug file has no unwind rules, the image no functions.
  const Extracted alone = must_extract({}, debug->bytes());
  EXPECT_TRUE(alone.model.cfi_ranges.empty());
  EXPECT_NE(find_function(alone.model, "main"), nullptr);
  const Extracted stripped = must_extract(image->bytes());
  EXPECT_FALSE(stripped.model.cfi_ranges.empty());
  EXPECT_EQ(find_function(stripped.model, "outer<int>(int)"), nullptr);
}

// Packed into the stripped file: functions that .dynsym does not name.
TEST(Extract, ReadsTheSymbolTableInMiniDebugInfo) {
  REQUIRE_CORPUS(corpus);
  const auto file = must_open(corpus + "/symbols/objects/elf/lantern-variants/gnu_debugdata.so");
  const Extracted out = must_extract(file->bytes());
  EXPECT_TRUE(out.report.skipped.empty());
  const auto map = must_map(out.model);
  EXPECT_EQ(chain_at(*map, 0x1230), "deepen :0");
  EXPECT_EQ(chain_at(*map, 0x1060), "lantern::OilWick::burn :0") << ".dynsym's name stays";
  EXPECT_EQ(chain_at(*map, 0x1260), "lantern_main :0");

  std::vector<std::uint8_t> damaged(file->bytes().begin(), file->bytes().end());
  const elf::File elf = *elf::File::parse(file->bytes());
  const elf::Section* section = elf.find_section(".gnu_debugdata");
  ASSERT_NE(section, nullptr);
  std::fill_n(damaged.begin() + static_cast<std::ptrdiff_t>(section->offset + 40), 60, 0);
  const Extracted rest = must_extract(damaged);
  ASSERT_EQ(rest.report.skipped.size(), 1u);
  EXPECT_EQ(rest.report.skipped[0].section, ".gnu_debugdata");
  EXPECT_EQ(chain_at(*must_map(rest.model), 0x1260), "lantern_main :0");
}

TEST(Extract, SaysSoWhenTheFileIsNoElf) {
  const auto extracted = extract(Module{base::bytes_of("hello"), {}, "x"}, Options{});
  ASSERT_FALSE(extracted.ok());
  EXPECT_THAT(extracted.error().what, testing::HasSubstr("not an ELF file"));
}

TEST(Extract, IsStrictOnlyWhenAsked) {
  Built built("g++", "-g");
  REQUIRE_OR_SKIP(built.ok(), "g++ is not there");
  const auto file = must_open(built.path("program"));
  std::vector<std::uint8_t> cut(file->bytes().begin(), file->bytes().end());
  cut.resize(cut.size() - 10);  // the section headers stand last
  Options options;
  EXPECT_TRUE(extract(Module{cut, {}, "x"}, options).ok());
  options.strict = true;
  EXPECT_FALSE(extract(Module{cut, {}, "x"}, options).ok());
}

TEST(Extract, SurvivesTheMalformedFilesOfTheCorpus) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/symbols/objects/malformed");
  ASSERT_TRUE(files.ok());
  for (const std::string& path : *files) {
    const auto file = must_open(path);
    identify(file->bytes());
    const auto out = extract(Module{file->bytes(), {}, "x"}, Options{});
    if (out.ok()) breakpad_text(out->model);
  }
}

TEST(Extract, AnswersForAFileCutAnywhere) {
  REQUIRE_CORPUS(corpus);
  const auto file = must_open(corpus + "/symbols/objects/elf/lantern-x86_64/liblantern-dwarf5.so");
  const base::Bytes whole = file->bytes();
  for (std::size_t size = 0; size < whole.size(); size += 211) {
    // A copy, so that a read behind the end is seen by the sanitizer.
    const std::vector<std::uint8_t> cut(whole.begin(),
                                        whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto out = extract(Module{cut, {}, "x"}, Options{});
    if (!out.ok()) {
      EXPECT_FALSE(out.error().what.empty());
    }
  }
}

// Bytes changed here and there: sections that lie, units that end early.
TEST(Extract, SurvivesDamagedBytes) {
  REQUIRE_CORPUS(corpus);
  const auto file = must_open(corpus + "/symbols/objects/elf/lantern-x86_64/liblantern-dwarf4.so");
  std::uint64_t state = 1;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::uint8_t> bytes(file->bytes().begin(), file->bytes().end());
    for (int i = 0; i < 20; ++i) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      bytes[static_cast<std::size_t>(state >> 33) % bytes.size()] =
          static_cast<std::uint8_t>(state >> 20);
    }
    const auto out = extract(Module{bytes, {}, "x"}, Options{});
    if (out.ok()) breakpad_text(out->model);
  }
}

// "std::vector<int>::push_back(int&&)" → "push_back"; enough for the names of the corpus.
std::string base_name(std::string_view name) {
  std::string plain;  // without template arguments
  int depth = 0;
  for (const char c : symbols::without_clone_suffix(name)) {
    depth += c == '<' ? 1 : 0;
    if (depth == 0) plain += c;
    depth -= c == '>' ? 1 : 0;
  }
  plain = plain.substr(0, plain.find('('));
  if (const std::size_t at = plain.rfind("::"); at != std::string::npos) plain.erase(0, at + 2);
  if (const std::size_t at = plain.rfind(' '); at != std::string::npos) plain.erase(0, at + 1);
  return plain;
}

std::string expected_chain(const base::JsonValue& frames) {
  std::string text;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const base::JsonValue& frame = frames.at(i);
    const std::string_view file = frame["file"].text_or("");
    text += base_name(frame["function"].text_or("")) + " " +
            std::string(file == "??" ? "" : base::basename_of(file)) + ":" +
            std::to_string(frame["line"].integer_or(0)) + "\n";
  }
  return text;
}

std::string our_chain(const symbols::Map& map, std::uint64_t rva) {
  symbols::Hit hit;
  if (!map.find(base::Rva{rva}, hit)) return "";
  std::string text;
  hit.inlines.push_back(hit.physical);
  for (const symbols::SourceFrame& frame : hit.inlines) {
    text += base_name(frame.function) + " " + std::string(base::basename_of(frame.file)) + ":" +
            std::to_string(frame.line) + "\n";
  }
  return text;
}

// These need another file (.dwo, .dwp, a dwz supplement), which is not read yet.
bool differs_for_a_reason(std::string_view object) {
  for (const std::string_view part :
       {"eu-addrx/", "eu-dwarf5-sup/", "eu-dwp-", "eu-dwzstr/", "eu-split-5/", "lantern-split/",
        "simple-dwo/", "/dwz_",
        // and here we know more than the oracle, which leaves .zdebug sections out
        "testfile-zgnu32be"}) {
    if (object.find(part) != std::string_view::npos) return true;
  }
  return false;
}

// What llvm-symbolizer and a second tool agree on, for every ELF of the corpus.
TEST(Extract, AgreesWithTheCorpusOnAddresses) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/symbols/expected");
  ASSERT_TRUE(files.ok());
  int compared = 0;
  for (const std::string& path : *files) {
    const auto json = base::JsonValue::parse(base::read_file(path).value_or(""));
    ASSERT_TRUE(json.ok()) << path;
    if ((*json)["kind"].text_or("") != "elf" || (*json)["addresses"].object() == nullptr) continue;
    for (const auto& [name, answers] : *(*json)["addresses"].object()) {
      const std::string object = base::join_path(
          base::join_path(corpus + "/symbols/objects/elf", (*json)["name"].text_or("")), name);
      if (differs_for_a_reason(object) || !base::file_exists(object)) continue;
      const auto file = must_open(object);
      const auto map = must_map(must_extract(file->bytes()).model);
      const std::uint64_t image_base = elf::File::parse(file->bytes())->image_base();
      for (std::size_t i = 0; i < answers["answers"].size(); ++i) {
        const base::JsonValue& answer = answers["answers"].at(i);
        const bool* agrees = answer["second_tool_agrees"].boolean();
        if (agrees != nullptr && !*agrees) continue;
        const auto address = base::parse_hex(answer["address"].text_or("").substr(2));
        EXPECT_EQ(our_chain(*map, *address - image_base),
                  expected_chain(answer["frames_innermost_first"]))
            << object << " " << answer["address"].text_or("");
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 300);
}

}  // namespace
}  // namespace extract
