#include "supply/choose.h"

#include <gtest/gtest.h>

namespace supply {
namespace {

using ident::Artifact;

constexpr const char* kBuildId = "aabbccddeeff00112233445566778899aabbccdd";

store::Found row(const std::string& name, bool has_code, bool has_debug,
                 const std::string& format = "elf") {
  store::Found found;
  found.file.name = name;
  found.file.format = format;
  found.file.has_code = has_code;
  found.file.has_debug = has_debug;
  found.key = {ident::SymbolKey::from_text(ident::KeyKind::build_id, name, kBuildId), true, false};
  return found;
}

std::string served(Artifact artifact, const std::vector<store::Found>& rows) {
  ident::SymbolRequest request = *ident::find_buildid_request(kBuildId, "debuginfo");
  request.artifact = artifact;
  std::vector<std::vector<store::Found>> found(request.keys.size());
  found.front() = rows;
  const Choice choice = choose(request, found, {});
  const auto* serve = std::get_if<Serve>(&choice);
  if (serve == nullptr) return "nothing";
  return serve->file.name + (serve->depends_on_agent ? " *" : "");
}

// One build id, several files: what gdb and LLDB are given for the same path.
TEST(Choose, APackageOfUnitsIsDebuginfoForLldbOnly) {
  const store::Found whole = row("whole", true, true);
  const store::Found stripped = row("stripped", true, false);
  const store::Found debug = row("debug", false, true);
  const store::Found package = row("dwp", false, false, "dwp");
  struct Row {
    const char* name;
    std::vector<store::Found> rows;
    const char* debuginfo;
    const char* executable;
    const char* lldb_debuginfo;
    const char* lldb_executable;
  };
  const std::vector<Row> table = {
      Row{"no package", {debug, stripped}, "debug", "stripped", "debug", "stripped"},
      Row{"whole image", {whole, package}, "whole *", "whole *", "dwp *", "whole *"},
      Row{"two halves", {debug, stripped, package}, "debug *", "stripped *", "dwp *", "debug *"},
      Row{"all of them",
          {debug, whole, stripped, package},
          "debug *",
          "whole *",
          "dwp *",
          "whole *"},
      Row{"no debug file", {stripped, package}, "nothing", "stripped *", "dwp *", "stripped *"},
      Row{"alone", {package}, "nothing", "nothing", "dwp *", "nothing"},
  };
  for (const Row& row : table) {
    EXPECT_EQ(served(Artifact::debuginfo, row.rows), row.debuginfo) << row.name;
    EXPECT_EQ(served(Artifact::executable, row.rows), row.executable) << row.name;
    EXPECT_EQ(served(Artifact::package_or_debuginfo, row.rows), row.lldb_debuginfo) << row.name;
    EXPECT_EQ(served(Artifact::skeleton_or_executable, row.rows), row.lldb_executable) << row.name;
  }
}

// What NAME/ID/FILE is given when these rows answer: by the path, by the id and name, by the id.
std::string stored(std::vector<store::Found> by_path, std::vector<store::Found> by_id) {
  const ident::StorePath path{"lantern.pdb", "0123456789ABCDEF0123456789ABCDEF1", "lantern.pdb"};
  const ident::SymbolRequest request = ident::request_of(path);
  std::vector<std::vector<store::Found>> found(request.keys.size());
  for (store::Found& row : by_path) {
    row.key.key = ident::path_key(path);
    found.front().push_back(row);
  }
  for (std::size_t i = 0; i < request.keys.size(); ++i) {
    if (request.keys[i].kind != ident::KeyKind::debug_id) continue;
    for (store::Found& row : by_id) {
      const std::string name = row.file.name == "lantern.pdb" ? row.file.name : "other.pdb";
      row.key.key = ident::SymbolKey::from_text(ident::KeyKind::debug_id, name, path.id);
      found[i].push_back(row);
    }
    break;
  }
  const Choice choice = choose(request, found, {});
  const auto* serve = std::get_if<Serve>(&choice);
  return serve == nullptr ? "nothing" : serve->file.os;  // the tests' own word for a row
}

store::Found pdb(const std::string& word, bool has_debug) {
  store::Found found = row("lantern.pdb", false, has_debug, "pdb");
  found.file.os = word;
  found.file.has_symbols = true;
  found.file.debug_id = "0123456789ABCDEF0123456789ABCDEF1";
  return found;
}

TEST(Choose, AStrippedFileUnderThePathLosesToTheSameFileWhole) {
  const store::Found stripped = pdb("stripped", false);
  const store::Found full = pdb("full", true);
  store::Found renamed = pdb("renamed", true);
  renamed.file.name = "vc140.pdb";
  EXPECT_EQ(stored({stripped}, {stripped, full}), "full");
  EXPECT_EQ(stored({}, {stripped, full}), "full");
  EXPECT_EQ(stored({stripped}, {stripped, renamed}), "stripped");  // .NET keeps both, two names
  EXPECT_EQ(stored({full}, {renamed, full}), "full");              // a tie stays with the path

  const auto changed = [&](auto change) {
    store::Found other = full;
    change(other);
    return stored({stripped}, {stripped, other});
  };
  // Another container, machine, module or build than the one under the path.
  EXPECT_EQ(changed([](store::Found& f) { f.file.format = "portable_pdb"; }), "stripped");
  EXPECT_EQ(changed([](store::Found& f) { f.file.arch = "arm64"; }), "stripped");
  EXPECT_EQ(changed([](store::Found& f) { f.file.debug_id.front() = 'F'; }), "stripped");
  EXPECT_EQ(changed([](store::Found& f) { f.key.verified = false; }), "stripped");
  EXPECT_EQ(changed([](store::Found& f) { f.key.is_try = true; }), "stripped");
  EXPECT_EQ(changed([](store::Found&) {}), "full");

  // Bytes that do not say the path's id come last, and nothing stands for them.
  store::Found foreign = pdb("foreign", false);
  foreign.key.verified = false;
  foreign.file.format = "";
  EXPECT_EQ(stored({foreign}, {}), "foreign");
  EXPECT_EQ(stored({foreign}, {stripped}), "stripped");
}

// Under /try/, where rows of both come, it does not matter which of them has the path.
TEST(Choose, ARegularFileServesBeforeOneOfATryBuild) {
  store::Found attempt = pdb("try", true);
  attempt.key.is_try = true;
  EXPECT_EQ(stored({attempt}, {pdb("regular", true), attempt}), "regular");
  EXPECT_EQ(stored({pdb("regular", true)}, {attempt}), "regular");
  EXPECT_EQ(stored({attempt}, {attempt}), "try");
  store::Found renamed = pdb("renamed", true);
  renamed.file.name = "vc140.pdb";
  EXPECT_EQ(stored({attempt}, {renamed, attempt}), "try") << "the other is called differently";
}

// SSQP's keys of modules mean the file that runs, whatever bears its name.
TEST(Choose, AModulesKeyIsAnsweredByCodeIfThereIsAny) {
  for (const std::string& id : std::vector<std::string>{
           std::string("elf-buildid-") + kBuildId, "mach-uuid-00112233445566778899aabbccddeeff"}) {
    const ident::SymbolRequest request = ident::request_of({"libfoo.so", id, "libfoo.so"});
    std::size_t at = 0;
    while (at < request.keys.size() && request.keys[at].kind == ident::KeyKind::path) ++at;
    ASSERT_LT(at, request.keys.size()) << id;
    const auto served = [&](const std::vector<store::Found>& rows) -> std::string {
      std::vector<std::vector<store::Found>> found(request.keys.size());
      found[at] = rows;
      const Choice choice = choose(request, found, {});
      const auto* serve = std::get_if<Serve>(&choice);
      return serve == nullptr ? "nothing" : serve->file.format;
    };
    store::Found debug = row("libfoo.so", false, true, "elf");
    store::Found code = row("stripped", true, false, "macho");
    EXPECT_EQ(served({debug, code}), "macho") << id;
    EXPECT_EQ(served({debug}), "elf") << "better than nothing";
  }
}

TEST(Choose, ASymWithoutFunctionsGivesWayToDebugInformation) {
  const ident::StorePath path{"libfoo.so", "0123456789ABCDEF0123456789ABCDEF0", "libfoo.so.sym"};
  const ident::SymbolRequest request = ident::request_of(path);
  const auto answer = [&](bool sym_has_functions, bool elf_has_debug) -> std::string {
    store::Found sym = row("libfoo.so.sym", false, sym_has_functions, "breakpad_sym");
    sym.key.key = ident::path_key(path);
    store::Found elf = row("libfoo.so", true, elf_has_debug);
    elf.file.has_symbols = true;
    std::vector<std::vector<store::Found>> found(request.keys.size());
    found.front() = {sym};
    const Choice choice = choose(request, found, {elf, sym});
    if (std::holds_alternative<Serve>(choice)) return "the uploaded";
    return std::holds_alternative<Make>(choice) ? "made" : "nothing";
  };
  EXPECT_EQ(answer(true, true), "the uploaded");
  EXPECT_EQ(answer(true, false), "the uploaded");
  EXPECT_EQ(answer(false, true), "made");
  EXPECT_EQ(answer(false, false), "the uploaded");
}

// A source bundle bears its module's ids, but is no file of the module.
TEST(Choose, AFileBesideAModuleAnswersByItsKindOnly) {
  const store::Found bundle = row("hello", false, false, "sourcebundle");
  const auto given = [&](Artifact artifact, const std::string& detail,
                         const std::vector<store::Found>& rows) -> std::string {
    ident::SymbolRequest request =
        *ident::find_request("/artifacts/file/" + std::string(kBuildId) + "/hello");
    request.artifact = artifact;
    request.detail = detail;
    std::vector<std::vector<store::Found>> found(request.keys.size());
    found.back() = rows;
    const Choice choice = choose(request, found, {});
    const auto* serve = std::get_if<Serve>(&choice);
    return serve == nullptr ? "nothing" : serve->file.format;
  };
  EXPECT_EQ(given(Artifact::formatted, "sourcebundle", {bundle}), "sourcebundle");
  EXPECT_EQ(given(Artifact::formatted, "il2cpp", {bundle}), "nothing");
  EXPECT_EQ(given(Artifact::stored, "", {bundle}), "nothing");
  EXPECT_EQ(given(Artifact::stored, "", {bundle, row("hello", true, false)}), "elf");
  EXPECT_EQ(given(Artifact::executable, "", {bundle}), "nothing");
  EXPECT_EQ(given(Artifact::sym, "", {bundle}), "nothing");

  store::Found sent = bundle;
  sent.key.key.kind = ident::KeyKind::path;
  EXPECT_EQ(given(Artifact::stored, "", {sent}), "sourcebundle") << "to this very path";
}

}  // namespace
}  // namespace supply
