// Holds every #include of the product against the map of rooms: an arrow goes to a strictly
// lower line, and only where the table says so. It also keeps the headers of slow libraries
// behind the one room that owns them, and TRY where it may stand.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "testing/corpus.h"

namespace {

using Rooms = std::set<std::string>;

// Room → rooms it may look down at. Every room but client may also use base.
const std::map<std::string, Rooms>& table() {
  static const std::map<std::string, Rooms> kTable = {
      {"base", {}},
      {"ident", {}},
      {"formats/elf", {}},
      {"formats/dwarf", {}},
      {"formats/pe", {}},
      {"formats/pdb", {}},
      {"formats/portable_pdb", {}},
      {"formats/macho", {}},
      {"formats/wasm", {}},
      {"formats/perf_map", {}},
      {"formats/archive", {}},
      {"formats/breakpad", {}},
      {"formats/minidump", {}},
      {"formats/srcsrv", {}},
      {"formats/bitcode", {}},
      {"formats/il2cpp", {}},
      {"formats/apple_report", {}},
      {"net", {}},
      {"db", {}},
      {"client", {}},
      {"store", {"db", "net", "ident"}},
      {"symbols", {"ident"}},
      {"upstream", {"net", "db", "ident"}},
      {"statistics", {"db", "ident"}},
      {"disassemble", {}},
      {"snapshot", {"formats/minidump", "formats/elf", "ident"}},
      {"extract",
       {"formats/elf", "formats/dwarf", "formats/pe", "formats/pdb", "formats/portable_pdb",
        "formats/macho", "formats/wasm", "formats/perf_map", "formats/breakpad", "formats/minidump",
        "formats/archive", "formats/bitcode", "formats/il2cpp", "symbols", "ident"}},
      {"symbolicate", {"symbols", "ident"}},
      {"unwind", {"symbols", "snapshot", "ident"}},
      {"handler", {"client", "snapshot", "ident"}},
      {"ingest",
       {"store", "extract", "formats/archive", "formats/elf", "formats/macho", "formats/breakpad",
        "ident"}},
      {"symstore", {"store", "extract", "formats/archive", "ident"}},
      {"supply", {"store", "extract", "symbols", "formats/elf", "formats/archive", "net", "ident"}},
      {"analyze", {"unwind", "symbolicate", "snapshot", "symbols", "ident"}},
      {"reports", {"analyze", "supply", "store", "db", "ident"}},
      {"sources",
       {"supply", "store", "extract", "symbols", "formats/srcsrv", "formats/archive", "net", "db",
        "ident"}},
      {"upkeep", {"store", "symbols", "db", "ident"}},
  };
  return kTable;
}

// These stand at the top and may look at anything below their own line.
const std::map<std::string, int>& top_rooms() {
  static const std::map<std::string, int> kTop = {{"api", 7}, {"ui", 7}, {"cli", 7}, {"server", 8}};
  return kTop;
}

std::string room_of(const std::string& path_in_src) {
  const auto parts = base::split(path_in_src, '/');
  if (parts.size() > 2 && parts[0] == "formats") return "formats/" + std::string(parts[1]);
  if (parts[0] == "faultline") return "client";  // its public headers, as applications see them
  return std::string(parts[0]);
}

bool is_test_code(const std::string& path) {
  static const std::regex kTest("_(test|fuzz|bench|fixture)\\.(cc|h)$");
  return std::regex_search(path, kTest);
}

bool may_include(const std::string& from, const std::string& to) {
  if (from == to || from == "testing") return true;
  if (to == "base") return from != "client";
  if (const auto top = top_rooms().find(from); top != top_rooms().end()) {
    const auto other = top_rooms().find(to);
    return other == top_rooms().end() ? to != "testing" : other->second < top->second;
  }
  const auto row = table().find(from);
  return row != table().end() && row->second.contains(to);
}

struct Line {
  std::string path;  // under src/
  int number;
  std::string text;
};

std::vector<Line> source_lines() {
  const std::string root = testing_support::source_root() + "/src/";
  std::vector<Line> lines;
  const auto files = base::list_files(root);
  EXPECT_TRUE(files.ok());
  for (const std::string& file : *files) {
    if (!file.ends_with(".h") && !file.ends_with(".cc")) continue;
    std::ifstream in(file);
    std::string text;
    for (int number = 1; std::getline(in, text); ++number) {
      lines.push_back({file.substr(root.size()), number, text});
    }
  }
  return lines;
}

std::string place(const Line& line) {
  return "src/" + line.path + ":" + std::to_string(line.number) + ": " + line.text;
}

TEST(Arrows, EveryIncludeRunsDownTheMap) {
  static const std::regex kInclude("^#include \"([^\"]+/[^\"/]+)\"");
  for (const Line& line : source_lines()) {
    std::smatch match;
    if (!line.text.starts_with("#include") || !std::regex_search(line.text, match, kInclude)) {
      continue;
    }
    const std::string from = room_of(line.path);
    const std::string to = room_of(match[1]);
    if (to == "testing" && (is_test_code(line.path) || from == "testing")) continue;
    if (is_test_code(line.path)) continue;  // a test may look around
    EXPECT_TRUE(may_include(from, to))
        << place(line) << "\n  " << from << " may not look at " << to;
  }
}

TEST(Arrows, SlowHeadersStayBehindTheirOwner) {
  // A header that costs seconds to compile, and the paths that may include it.
  const std::vector<std::pair<std::regex, std::regex>> owners = {
      {std::regex("<boost/"), std::regex("^net/")},
      {std::regex("<curl/"), std::regex("^(net|handler)/")},
      {std::regex("<libmemcached"), std::regex("^net/memcached_with_libmemcached\\.cc$")},
      {std::regex("<simdjson"),
       std::regex("^(base/json\\.cc|symbolicate/document_with_simdjson\\.h)$")},
      {std::regex("<spdlog/"), std::regex("^base/log\\.cc$")},
      {std::regex("<CLI/"), std::regex("^cli/options\\.cc$")},
      {std::regex("<toml"), std::regex("^server/")},
      {std::regex("<sqlite3"), std::regex("^db/")},
      {std::regex("<capstone/"), std::regex("^disassemble/")},
      {std::regex("<(libpq|postgresql)"), std::regex("^db/")},
      {std::regex("<archive"), std::regex("^formats/archive/")},
      {std::regex("<(re2/|pcre2)"),
       std::regex("^(upstream/pattern_with_|symbolicate/rewrite_rules_with_re2\\.cc$)")},
      {std::regex("<llvm/"), std::regex("^symbols/demangle")},
      {std::regex("<openssl/"), std::regex("^(base/(sha256|digest)\\.cc|net/)")},
  };
  for (const Line& line : source_lines()) {
    if (!line.text.starts_with("#include <")) continue;
    for (const auto& [header, owner] : owners) {
      if (!std::regex_search(line.text, header)) continue;
      EXPECT_TRUE(std::regex_search(line.path, owner)) << place(line);
    }
  }
}

TEST(Arrows, EveryHeaderOpensWithItsContract) {
  std::map<std::string, std::string> first;
  for (const Line& line : source_lines()) {
    if (line.path.ends_with(".h")) first.emplace(line.path, line.text);
  }
  for (const auto& [path, text] : first) {
    EXPECT_TRUE(text.starts_with("// ") || text.starts_with("/*")) << path << " begins: " << text;
  }
}

// TRY is a statement expression: right of = or return, or a statement of its own.
TEST(Arrows, TryStandsAlone) {
  static const std::regex kUse("\\bTRY\\(");
  static const std::regex kGood("(^|[=;{)]|return|else|:)\\s*TRY\\(");
  for (const Line& line : source_lines()) {
    const std::size_t at = line.text.find("TRY(");
    if (at == std::string::npos || line.path == "base/result.h") continue;
    if (line.text.find("//") < at) continue;
    if (!std::regex_search(line.text, kUse)) continue;
    EXPECT_TRUE(std::regex_search(line.text, kGood)) << place(line);
  }
}

}  // namespace
