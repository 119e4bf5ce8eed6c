// `faultline dsym-for-uuid`, also by the name dsymForUUID: what LLDB on macOS runs to find symbols.
// Prints a property list with an entry for each UUID: paths, or the error to show. LLDB reads it
// only after exit code 0, so a symbol file that is not there is no failure of the program.
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/dsym_cache.h"
#include "cli/options.h"
#include "cli/plist.h"

namespace cli {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? "" : value;
}

std::string home_path(const char* variable, const char* below_home) {
  const std::string set = environment(variable);
  if (!set.empty()) return set + "/faultline";
  return environment("HOME") + "/" + below_home + "/faultline";
}

// dsym.conf: lines `url = …`, `token = …`, `cache = …`, `source-map = BUILD=PRESENT`.
struct Settings {
  std::string url, token, cache;
  std::vector<std::string> source_maps;
};

Settings read_settings() {
  Settings settings;
  const std::string path = home_path("XDG_CONFIG_HOME", ".config") + "/dsym.conf";
  const auto text = base::read_file(path, 1 << 20);
  if (!text.ok()) return settings;
  for (const std::string_view line : base::split(*text, '\n')) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || base::trim(line).starts_with('#')) continue;
    const std::string_view key = base::trim(line.substr(0, equals));
    const std::string value(base::trim(line.substr(equals + 1)));
    if (key == "url") settings.url = value;
    if (key == "token") settings.token = value;
    if (key == "cache") settings.cache = value;
    if (key == "source-map") settings.source_maps.push_back(value);
  }
  return settings;
}

// A UUID, or those of the file at a path.
base::Result<std::vector<ModuleId>> ids_of(const std::string& argument) {
  if (argument.find('/') == std::string::npos) {
    if (auto id = ModuleId::find(argument)) return std::vector<ModuleId>{std::move(*id)};
  }
  return ids_of_file(argument);
}

Plist error_entry(std::string_view what) {
  Plist entry = Plist::dictionary();
  entry.add("DBGError", what);
  return entry;
}

Plist entry_of(const Located& located, const DsymOptions& options) {
  Plist entry = Plist::dictionary();
  if (!located.arch.empty()) entry.add("DBGArchitecture", located.arch);
  if (!options.source_maps.empty()) {
    entry.add("DBGBuildSourcePath", options.source_maps.front().build);
    entry.add("DBGSourcePath", options.source_maps.front().present);
    entry.add("DBGVersion", "3");
    Plist all = Plist::dictionary();
    for (const SourceMap& map : options.source_maps) all.add(map.build, map.present);
    entry.add("DBGSourcePathRemapping", std::move(all));
  }
  entry.add("DBGDSYMPath", located.symbols);
  if (!located.executable.empty()) entry.add("DBGSymbolRichExecutable", located.executable);
  return entry;
}

bool read_maps(const std::vector<std::string>& texts, std::vector<SourceMap>& maps) {
  for (const std::string& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) return false;
    maps.push_back({text.substr(0, equals), text.substr(equals + 1)});
  }
  return true;
}

}  // namespace

int run_dsym_for_uuid(int argc, char** argv) {
  DsymOptions dsym;
  std::vector<std::string> arguments;
  std::vector<std::string> maps;
  std::uint64_t timeout = 600;
  Options options(argv[0], "Finds the symbols of a UUID for LLDB and prints a property list.");
  options.text("--url", dsym.url, "symbol server (default: $FAULTLINE_URL, then dsym.conf)");
  options.text("--token", dsym.token, "read token (default: $FAULTLINE_TOKEN)");
  options.text("--cache", dsym.cache, "directory to keep files in (default: ~/.cache/faultline)");
  options.list("--source-map", maps, "BUILD=PRESENT: where sources are now; the first is the pair");
  options.number("--timeout", timeout, "seconds for everything (default: 600)");
  options.flag("--ignoreNegativeCache", dsym.ignore_misses, "ask again for what was not there");
  options.flag("--copyExecutable", dsym.want_executable, "fetch the unstripped binary, too");
  options.positionals("UUID", arguments, "UUIDs, build ids, or files that have one");
  options.footer("Set up LLDB with it: docs/lldb-and-gdb.md");
  if (const auto code = options.parse(argc, argv)) return *code;

  Settings settings = read_settings();
  const auto choose = [](std::string& value, const char* variable, const std::string& set) {
    if (value.empty()) value = environment(variable);
    if (value.empty()) value = set;
  };
  choose(dsym.url, "FAULTLINE_URL", settings.url);
  choose(dsym.token, "FAULTLINE_TOKEN", settings.token);
  choose(dsym.cache, "FAULTLINE_DSYM_CACHE", settings.cache);
  if (dsym.cache.empty()) dsym.cache = home_path("XDG_CACHE_HOME", ".cache");
  if (maps.empty()) maps = settings.source_maps;
  dsym.timeout = std::chrono::seconds(timeout);
  if (!read_maps(maps, dsym.source_maps)) {
    fail("--source-map: expected BUILD=PRESENT");
    return kBadUsage;
  }

  Plist document = Plist::dictionary();
  for (const std::string& argument : arguments) {
    const auto ids = ids_of(argument);
    if (!ids.ok()) document.add(argument, error_entry(ids.error().what));
    for (const ModuleId& id : ids.ok() ? *ids : std::vector<ModuleId>{}) {
      if (dsym.url.empty()) {
        document.add(id.shown(), error_entry("no symbol server: set FAULTLINE_URL or give --url"));
        continue;
      }
      const auto located = locate(id, dsym);
      document.add(id.shown(),
                   located.ok() ? entry_of(*located, dsym) : error_entry(located.error().what));
    }
  }
  std::fputs(document.document().c_str(), stdout);
  return kDone;
}

}  // namespace cli
