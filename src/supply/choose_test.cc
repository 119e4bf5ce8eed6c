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

}  // namespace
}  // namespace supply
