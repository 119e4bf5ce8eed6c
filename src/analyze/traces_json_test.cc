#include "analyze/traces_json.h"

#include <gtest/gtest.h>

#include "analyze/reference_fixture.h"
#include "base/file.h"
#include "base/json.h"
#include "testing/corpus.h"

namespace {

using base::JsonValue;

JsonValue must_walk(const std::string& path) {
  auto file = base::MappedFile::open(path);
  EXPECT_TRUE(file.ok()) << path;
  auto analysis = analyze::analyze_dump(std::move(*file), analyze::no_symbols);
  EXPECT_TRUE(analysis.ok()) << path;
  auto value = JsonValue::parse(analyze::traces_json(analysis->report));
  EXPECT_TRUE(value.ok()) << path;
  return std::move(value).value();
}

std::string_view text(const JsonValue& value, std::string_view key) {
  return value[key].text_or("");
}

TEST(TracesJson, FramesAreReturnAddresses) {
  REQUIRE_CORPUS(corpus);
  const JsonValue traces = must_walk(corpus + "/minidumps/dumps/symbolicator/linux.dmp");
  const JsonValue& thread = traces["stacktraces"].at(0);
  EXPECT_EQ(thread["thread_id"].integer_or(0), 1304);
  EXPECT_EQ(text(thread["registers"], "rip"), "0x401d72");
  EXPECT_EQ(text(thread["frames"].at(0), "instruction_addr"), "0x401d72");
  EXPECT_EQ(text(thread["frames"].at(0), "trust"), "context");
  EXPECT_EQ(text(thread["frames"].at(1), "instruction_addr"), "0x7f514025002e");
  EXPECT_EQ(text(thread["frames"].at(1), "trust"), "scan");
}

TEST(TracesJson, ModulesHaveTheirWholePathsAndIds) {
  REQUIRE_CORPUS(corpus);
  const JsonValue traces = must_walk(corpus + "/minidumps/dumps/symbolicator/windows.dmp");
  const JsonValue& first = traces["modules"].at(0);
  EXPECT_EQ(text(first, "type"), "pe");
  EXPECT_EQ(text(first, "code_file"), "C:\\projects\\breakpad-tools\\windows\\Release\\crash.exe");
  EXPECT_EQ(text(first, "debug_file"), "C:\\projects\\breakpad-tools\\windows\\Release\\crash.pdb");
  EXPECT_EQ(text(first, "code_id"), "5ab380779000");
  EXPECT_EQ(text(first, "debug_id"), "3249D99D0C4049318610F4E4FB0B69361");
  EXPECT_EQ(text(first, "image_addr"), "0x2a0000");
  EXPECT_EQ(first["image_size"].integer_or(0), 36864);
}

TEST(TracesJson, SystemsAreNamedAsTheProtocolNamesThem) {
  REQUIRE_CORPUS(corpus);
  struct Row {
    const char* dump;
    const char* name;
    const char* version;
    const char* arch;
    const char* type;
  };
  for (const Row& row : {Row{"linux", "Linux", "4.9.60-linuxkit-aufs", "x86_64", "elf"},
                         Row{"macos", "macOS", "10.14.0", "x86_64", "macho"},
                         Row{"windows", "Windows", "10.0.14393", "x86", "pe"}}) {
    const JsonValue traces =
        must_walk(corpus + "/minidumps/dumps/symbolicator/" + row.dump + ".dmp");
    const JsonValue& system = traces["facts"]["system_info"];
    EXPECT_EQ(text(system, "os_name"), row.name);
    EXPECT_TRUE(text(system, "os_version").starts_with(std::string_view(row.version).substr(0, 3)))
        << text(system, "os_version");
    EXPECT_EQ(text(system, "cpu_arch"), row.arch);
    EXPECT_EQ(text(traces["modules"].at(0), "type"), row.type);
    EXPECT_TRUE(traces["facts"]["crashed"].boolean() != nullptr);
  }
}

TEST(TracesJson, EveryDumpBecomesJson) {
  REQUIRE_CORPUS(corpus);
  const auto files = base::list_files(corpus + "/minidumps/dumps");
  ASSERT_TRUE(files.ok());
  int made = 0;
  for (const std::string& path : *files) {
    if (!path.ends_with(".dmp")) continue;
    auto file = base::MappedFile::open(path);
    ASSERT_TRUE(file.ok());
    const auto analysis = analyze::analyze_dump(std::move(*file), analyze::no_symbols);
    if (!analysis.ok()) continue;
    EXPECT_TRUE(JsonValue::parse(analyze::traces_json(analysis->report)).ok()) << path;
    ++made;
  }
  EXPECT_GE(made, 30);
}

}  // namespace
