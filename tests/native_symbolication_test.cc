// Objects with debug information, sent to a server as their makers made them, and what it then says
// of their addresses; held against llvm-symbolizer's word (native-v5.jsonl of the corpus).
// Deliberate differences, everywhere:
//   names of clones        lose what the compiler put behind them (.isra.0, .cold, .constprop.55):
//                          the signature of a crash must not hang on it
//   names of templates     have no return type in front
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "symbolication_fixture.h"
#include "testing/corpus.h"

namespace {

using base::JsonValue;
using symbolication::must_parse;
using symbolication::must_read;
using symbolication::text_of;
using testing_support::ServerProcess;

// What stands beside an object and belongs to it.
bool is_companion(std::string_view name) {
  return name.ends_with(".dwo") || name.ends_with(".dwp") || name.ends_with(".dwz") ||
         name.ends_with(".sup") || name.ends_with(".multi");
}

// Packages of split DWARF are not read yet, so inlined calls are not known: what is left of a frame
// is the physical function, with the innermost place, which is what a row of the line table says.
bool has_calls_in_a_package(std::string_view object) {
  return object == "elf/eu-dwp-5/testfile-dwp-5" ||
         object == "elf/eu-dwp-4-strict/testfile-dwp-4-strict" ||
         object == "elf/lantern-split/liblantern-split5.so";
}

// llvm-symbolizer does not read .zdebug_* sections; we do, and know more than it told.
bool has_zdebug(std::string_view object) {
  return object == "elf/eu-zdebug/testfile-zdebug" ||
         object == "elf/eu-zcompressed/testfile-zgnu32be" ||
         object == "elf/lantern-variants/zdebug.so";
}

// dump-syms does not read these formats yet: PE with PDB or DWARF, and Mach-O.
const std::set<std::string>& not_read_yet() {
  static const std::set<std::string> objects = {
      "pe-pdb/regtest64/dump_syms_regtest64.exe",
      "pe-pdb/basic64-dwarf/basic64-dwarf.dll",
      "pe-pdb/softokn3-win64/softokn3.dll",
      "pe-pdb/crash-win/crash.exe",
      "pe-pdb/msvc16-x86/msvc-16.0-foo-bar-main-cv.exe",
      "pe-pdb/msvc15-x64/msvc-15.0-foo-bar-main-cv.exe",
      "pe-pdb/lldb-test-pdb/test-pdb.exe",
      "pe-pdb/orbit-libtest/libtest.dll",
      "pe-pdb/lantern-win-arm64/lantern.dll",
      "pe-pdb/lantern-win-extra/lantern-8k.dll",
      "pe-pdb/lantern-win-x64/lantern.dll",
      "pe-pdb/lantern-win-x86/lantern.dll",
      "macho/simple-dsym/main.dSYM/Contents/Resources/DWARF/main",
      "macho/crash-macos/crash.dSYM/Contents/Resources/DWARF/crash",
      "macho/overlapping-funcs/overlapping_funcs.dSYM/Contents/Resources/DWARF/overlapping_funcs",
      "macho/symbolicator-502f/684FA139DCA7",
      "macho/ios-armv7-crashprobe/CrashProbeiOS",
      "macho/electron-dsym/Electron",
      "macho/lantern-arches/arm64_32/liblantern.dwarf",
      "macho/lantern-fat/liblantern.dylib.dwarf"};
  return objects;
}

// "f() (.isra.6)" and "f.cold" are f() and f.
std::string without_clone(std::string name) {
  if (name.ends_with(')')) {
    if (const auto at = name.rfind(" (."); at != std::string::npos) name.resize(at);
  }
  for (const char* suffix : {".cold", ".isra.0"}) {
    if (name.ends_with(suffix)) name.resize(name.size() - std::string_view(suffix).size());
  }
  return name;
}

struct Place {
  std::string function, file;
  std::int64_t line = 0;
  static Place of(const JsonValue& value) {
    return {std::string(value["function"].text_or("")), std::string(value["file"].text_or("")),
            value["line"].integer_or(0)};
  }
};

// The physical function, then the inlined ones, innermost first.
std::vector<Place> places_of(const JsonValue& frame) {
  std::vector<Place> places{Place::of(frame)};
  for (std::size_t i = 0; i < frame["inlines"].size(); ++i) {
    places.push_back(Place::of(frame["inlines"].at(i)));
  }
  return places;
}

bool is_name(const std::string& got, const std::string& wanted) {
  const std::string name = without_clone(wanted);
  return got == name || (got.find('<') != std::string::npos && name.ends_with(" " + got));
}

void expect_same(const std::string& object, const JsonValue& got, const JsonValue& wanted) {
  SCOPED_TRACE(object + " " + text_of(wanted) + "\n got " + text_of(got));
  EXPECT_EQ(got["frame"].integer_or(-1), wanted["frame"].integer_or(-2));
  EXPECT_EQ(got["module"].text_or(""), wanted["module"].text_or("none"));
  EXPECT_EQ(got["module_offset"].text_or(""), wanted["module_offset"].text_or("none"));
  const std::vector<Place> found = places_of(got);
  std::vector<Place> told = places_of(wanted);
  if (has_zdebug(object)) {
    EXPECT_PRED2(is_name, found[0].function, told[0].function);
    EXPECT_EQ(found[0].line == 0, told[0].function.starts_with("__libc_csu_"));
    return;
  }
  if (has_calls_in_a_package(object) && told.size() > 1) {
    told = {{told[0].function, told[1].file, told[1].line}};
  }
  ASSERT_EQ(found.size(), told.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_PRED2(is_name, found[i].function, told[i].function);
    EXPECT_EQ(found[i].file, told[i].file);
    EXPECT_EQ(found[i].line, told[i].line);
  }
}

class NativeSymbolication : public symbolication::Symbolication {
 protected:
  void load(const std::string& corpus) {
    objects_ = corpus + "/symbols/objects/";
    std::ifstream lines(corpus + "/symbols/symbolicate/native-v5.jsonl");
    for (std::string line; std::getline(lines, line);) {
      JsonValue one = must_parse(line);
      const std::string object(one["object"].text_or(""));
      (object.starts_with("elf/") ? elf_ : others_).emplace(object, std::move(one));
    }
  }

  static std::string id_of(const JsonValue& one) {
    return std::string(one["request"]["memoryMap"].at(0).at(1).text_or(""));
  }

  void upload(const std::string& object, const std::string& id) {
    const std::string path = objects_ + object;
    const std::string name(base::basename_of(path));
    const std::string directory = path.substr(0, path.rfind('/'));
    std::vector<std::string> files{path};
    const auto beside = base::list_files(directory);
    ASSERT_TRUE(beside.ok());
    for (const std::string& file : *beside) {
      if (file != path && is_companion(file)) files.push_back(file);
    }
    for (const std::string& file : files) {
      const std::string url = fmt::format("/{}/{}/{}", name, id, base::basename_of(file));
      const auto answer = uploads::send(server_->url(), "PUT", url, must_read(file));
      ASSERT_EQ(answer.status / 100, 2) << url << answer.body;
    }
  }

  void expect_answers(const std::string& object, const JsonValue& one) {
    const auto answer = post("/symbolicate/v5", text_of(one["request"]));
    ASSERT_EQ(answer.status, 200) << object << answer.body;
    const JsonValue result = must_parse(answer.body)["results"].at(0);
    const JsonValue& frames = result["stacks"].at(0);
    ASSERT_EQ(frames.size(), one["frames"].size()) << object;
    for (std::size_t i = 0; i < frames.size(); ++i) {
      expect_same(object, frames.at(i), one["frames"].at(i));
    }
  }

  std::string objects_;
  std::map<std::string, JsonValue> elf_, others_;
};

TEST_F(NativeSymbolication, KnowsEveryElfObjectOfTheCorpus) {
  REQUIRE_CORPUS(corpus);
  load(corpus);
  EXPECT_GE(elf_.size(), 70u);
  // Objects with one id, such as a program and its debug file, go to servers of their own.
  std::vector<std::map<std::string, const std::string*>> rounds;
  for (const auto& [object, one] : elf_) {
    const std::string id = id_of(one);
    const auto free = std::find_if(rounds.begin(), rounds.end(),
                                   [&](const auto& round) { return !round.contains(id); });
    (free == rounds.end() ? rounds.emplace_back() : *free).emplace(id, &object);
  }
  for (std::size_t i = 0; i < rounds.size(); ++i) {
    server_.emplace(ServerProcess::start({root_.path() + "/data" + std::to_string(i), {}, {}, {}}));
    ASSERT_NE(server_->url(), "");
    for (const auto& [id, object] : rounds[i]) upload(*object, id);
    for (const auto& [id, object] : rounds[i]) expect_answers(*object, elf_.at(*object));
  }
}

TEST_F(NativeSymbolication, TheOthersAreRefusedByDumpSyms) {
  REQUIRE_CORPUS(corpus);
  load(corpus);
  std::set<std::string> named;
  for (const auto& [object, one] : others_) {
    named.insert(object);
    const auto end = base::run_child(testing_support::faultline_program(),
                                     {"faultline", "dump-syms", objects_ + object});
    ASSERT_TRUE(end.ok());
    EXPECT_NE(end->exit_code, 0) << object << " is read now: it belongs to the test above";
  }
  EXPECT_EQ(named, not_read_yet());
}

}  // namespace
