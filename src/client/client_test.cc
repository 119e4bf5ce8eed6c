// The library as it is linked, without a handler: what it imports, and that every call is
// harmless before and after a failed start. Crashes are tested in handler/crash_test.cc.
#include <faultline/client.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <set>
#include <string>

#include "base/child.h"
#include "base/file.h"
#include "base/text.h"
#include "testing/corpus.h"

namespace {

using ::testing::HasSubstr;

std::string beside_the_test(const std::string& name) {
  std::string self(4096, '\0');
  const auto size = ::readlink("/proc/self/exe", self.data(), self.size());
  self.resize(static_cast<std::size_t>(size));
  return base::join_path(base::parent_of(base::parent_of(self)), name);
}

std::string must_run(const std::string& program, const std::vector<std::string>& arguments) {
  base::ChildLimits limits;
  limits.text_bytes_max = 4 << 20;
  std::vector<std::string> all{program};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const auto end = base::run_child(program, all, limits);
  EXPECT_TRUE(end.ok() && end->ok())
      << program << ": " << (end.ok() ? end->describe() : end.error().what);
  return end.ok() ? end->output : "";
}

std::set<std::string> must_read_allowed() {
  const auto text =
      base::read_file(testing_support::source_root() + "/src/client/allowed_imports.txt");
  EXPECT_TRUE(text.ok());
  std::set<std::string> names;
  if (!text.ok()) return names;
  for (const auto line : base::split(*text, '\n')) {
    if (!line.empty() && line.front() != '#') names.emplace(line);
  }
  return names;
}

// Undefined symbols by the object in which nm reports them: "FILE:" lines, then "  U name".
std::map<std::string, std::set<std::string>> imports_of(const std::string& archive) {
  std::map<std::string, std::set<std::string>> imports;
  std::string object;
  const std::string output = must_run("/usr/bin/nm", {"-u", "-C", archive});
  for (const auto line : base::split(output, '\n')) {
    const auto text = base::trim(line);
    if (text.ends_with(":")) object = text.substr(0, text.size() - 1);
    if (text.starts_with("U ") || text.starts_with("w ")) imports[object].emplace(text.substr(2));
  }
  return imports;
}

bool is_our_own(const std::string& symbol) {
  return symbol.starts_with("client::") || symbol.starts_with("faultline_");
}

TEST(ClientSymbols, ImportsOnlyWhatTheListAllows) {
  REQUIRE_OR_SKIP(base::file_exists("/usr/bin/nm"), "nm (binutils)");
  const auto allowed = must_read_allowed();
  for (const auto& [object, symbols] : imports_of(beside_the_test("lib/libfaultline-client.a"))) {
    for (const std::string& symbol : symbols) {
      EXPECT_TRUE(allowed.contains(symbol)) << symbol << " is not in allowed_imports.txt";
    }
  }
}

TEST(ClientSymbols, CrashPathImportsNothing) {
  REQUIRE_OR_SKIP(base::file_exists("/usr/bin/nm"), "nm (binutils)");
  const auto imports = imports_of(beside_the_test("src/client/libfl_client.a"));
  ASSERT_TRUE(imports.contains("crash_path.cc.o"));
  for (const char* object : {"crash_path.cc.o", "spawn.cc.o", "clone_amd64.cc.o"}) {
    const auto at = imports.find(object);
    if (at == imports.end()) continue;  // clone_amd64 imports nothing at all
    for (const std::string& symbol : at->second) {
      EXPECT_TRUE(is_our_own(symbol)) << object << " calls " << symbol;
    }
  }
}

TEST(ClientSymbols, ArchiveExportsOnlyThePublicNames) {
  REQUIRE_OR_SKIP(base::file_exists("/usr/bin/nm"), "nm (binutils)");
  const std::string archive = beside_the_test("lib/libfaultline-client.a");
  const std::string output = must_run("/usr/bin/nm", {"-g", "--defined-only", archive});
  for (const auto line : base::split(output, '\n')) {
    const auto space = line.rfind(' ');
    if (space == std::string_view::npos) continue;
    const std::string name(line.substr(space + 1));
    EXPECT_TRUE(name.starts_with("faultline_") || name == "pthread_create") << name;
  }
}

TEST(ClientSymbols, HasNeitherExceptionsNorTypeInformation) {
  REQUIRE_OR_SKIP(base::file_exists("/usr/bin/nm"), "nm (binutils)");
  const std::string symbols =
      must_run("/usr/bin/nm", {beside_the_test("lib/libfaultline-client.a")});
  for (const char* trace : {"_ZTI", "_ZTS", "__cxa_", "__gxx_personality", "_Unwind_"}) {
    EXPECT_THAT(symbols, ::testing::Not(HasSubstr(trace)));
  }
}

TEST(ClientHeader, IsC99) {
  REQUIRE_OR_SKIP(base::file_exists("/usr/bin/cc"), "cc");
  const auto directory = base::TemporaryDirectory::create("client-c99");
  ASSERT_TRUE(directory.ok());
  const std::string source = base::join_path(directory->path(), "main.c");
  const std::string text =
      "#include <faultline/client.h>\n"
      "int main(void) { faultline_config c = {0}; c.size = sizeof c;\n"
      "  return faultline_init(&c) == -FAULTLINE_E_ARGUMENT ? 0 : 1; }\n";
  ASSERT_TRUE(base::write_file_durably(source, base::bytes_of(text)).ok());
  const std::string program = base::join_path(directory->path(), "main");
  must_run("/usr/bin/cc", {"-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", source, "-o",
                           program, "-I" + testing_support::source_root() + "/src/client/include",
                           beside_the_test("lib/libfaultline-client.a")});
  must_run(program, {});
}

TEST(Client, CallsBeforeInitDoNothing) {
  EXPECT_EQ(faultline_set("key", "value"), -FAULTLINE_E_STATE);
  EXPECT_EQ(faultline_dump("note"), -FAULTLINE_E_STATE);
  EXPECT_EQ(faultline_thread_enter(nullptr), -FAULTLINE_E_STATE);
  faultline_thread_leave();
  faultline_shutdown();
  EXPECT_EQ(faultline_handler_pid(), 0);
}

TEST(Client, InitSaysWhatIsWrong) {
  faultline_config config{};
  EXPECT_EQ(faultline_init(nullptr), -FAULTLINE_E_ARGUMENT);
  EXPECT_EQ(faultline_init(&config), -FAULTLINE_E_ARGUMENT) << "size 0";
  config.size = sizeof config;
  EXPECT_EQ(faultline_init(&config), -FAULTLINE_E_ARGUMENT) << "no spool";
  config.spool = "/tmp";
  config.handler_path = "/nowhere/faultline-handler";
  EXPECT_EQ(faultline_init(&config), -FAULTLINE_E_HANDLER);
  EXPECT_EQ(faultline_set("key", "value"), -FAULTLINE_E_STATE) << "harmless after a failed init";
  config.handler_path = "/bin/true";
  EXPECT_EQ(faultline_init(&config), -FAULTLINE_E_HANDLER) << "it ends without a word";
  const std::string long_text(5000, 'x');
  config.product = long_text.c_str();
  EXPECT_EQ(faultline_init(&config), -FAULTLINE_E_ARGUMENT);
}

TEST(Client, EveryAnswerHasASentence) {
  for (int answer = -FAULTLINE_E_DUMP; answer <= FAULTLINE_CUT; ++answer) {
    EXPECT_THAT(faultline_error_text(answer), ::testing::Not(HasSubstr("unknown"))) << answer;
  }
}

}  // namespace
