#include "server/config_command.h"

#include <cstdio>
#include <string>

#include "cli/options.h"
#include "server/config_files.h"
#include "server/reachable_upstreams.h"
#include "server/room_options.h"
#include "server/toml_from_settings.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

void warn(const std::string& text) {
  std::fprintf(stderr, "faultline: warning: %s\n", text.c_str());
}

// As serve would read it: with the environment.
Result<void> check(const std::string& given, const std::vector<Setting>& later) {
  std::vector<std::string> files{given.empty() ? find_config() : given};
  if (files.front().empty()) files.clear();
  Options read = TRY(load_options(files, later));
  const Options options = TRY(with_reachable_upstreams(std::move(read), Caches::left_alone));
  for (const std::string& warning : options.warnings) warn(warning);
  TRY(check_rooms(options));
  if (files.empty()) {
    std::printf("no configuration here: the defaults hold, and what the environment says\n");
    return {};
  }
  const ConfigFile file = TRY(read_config(files.front()));
  std::printf("%s: is %s and right: %zu upstream servers and caches, listens on %s\n",
              file.path.c_str(), file.kind.c_str(), options.upstreams.size(),
              options.listen.c_str());
  return {};
}

Result<void> import(const std::string& path) {
  if (path.empty()) return Error{Fault::malformed, "config import: which FILE?"};
  const ConfigFile file = TRY(read_config(path));
  TRY(options_of({file}));
  for (const std::string& warning : file.warnings) warn(warning);
  std::printf("# From %s, which is %s.\n%s", path.c_str(), file.kind.c_str(),
              toml_from_settings(file.settings).c_str());
  return {};
}

}  // namespace

int run_config(int argc, char** argv) {
  std::string action;
  std::string file;
  cli::Options options(argv[0], "Configuration files: ours, and those of programs before us.");
  options.positional("ACTION", action,
                     "check: is it right? import: an old one as TOML, on standard output");
  options.positional("FILE", file, "the file (check without one: that which serve would read)",
                     false);
  std::vector<std::string> shares;
  options.list("--unc", shares, "\\\\server\\share=/directory, as serve will be told");
  options.footer("Every key: docs/configuration.md. Old configurations: docs/pysymproxy.md.");
  if (const auto code = options.parse(argc, argv)) return *code;
  if (action != "check" && action != "import") {
    cli::fail("config " + action + ": say check or import");
    return cli::kBadUsage;
  }
  const Result<void> done =
      action == "check" ? check(file, share_settings(shares, "--unc")) : import(file);
  return done.ok() ? cli::kDone : cli::fail(done.error().what);
}

}  // namespace server
