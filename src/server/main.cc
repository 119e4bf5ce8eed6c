// The one program: finds the sub-command and hands over. `faultline dump-syms …`, or the same
// program under a name that people already know: `minidump-stackwalk …`.
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/cut_short.h"
#include "cli/options.h"
#include "server/config_command.h"
#include "server/debuginfod.h"
#include "server/mozilla_programs.h"
#include "server/quickstart.h"
#include "server/serve.h"
#include "server/version.h"

namespace {

struct Command {
  std::string_view name;
  std::string_view alias;    // argv[0] that means the same; "" for none
  std::string_view summary;  // "" hides it from the list
  int (*run)(int argc, char** argv);
};

// In the order of the five stages.
constexpr std::array kCommands{
    Command{"dump-syms", "dump_syms", "debug file to Breakpad .sym or symbol index",
            cli::run_dump_syms},
    Command{"stackwalk", "minidump-stackwalk", "minidump to stacks and the crash explained",
            cli::run_stackwalk},
    Command{"symbolicate", "", "offsets in a module to functions, files and lines",
            cli::run_symbolicate},
    Command{"serve", "", "the server: symbols, crash reports, pages", server::run_serve},
    Command{"debuginfod", "debuginfod", "the same, with debuginfod's flags",
            server::run_debuginfod},
    Command{"symserver", "", "the same, as Mozilla's SymServer", server::run_symserver},
    Command{"diskcache", "", "the same, as Mozilla's DiskCache", server::run_diskcache},
    Command{"quickstart", "", "memcached, diskcache and symserver in the background",
            server::run_quickstart},
    Command{"config", "", "configuration files: check one, import one of an older program",
            server::run_config},
    Command{"upload-symbols", "", "send debug files and trees to a symbol server",
            cli::run_upload_symbols},
    Command{"store", "symstore", "symbol stores: transactions, as Microsoft's symstore keeps them",
            cli::run_store},
    Command{"export-tree", "", "debug files as a tree that debuggers search by themselves",
            cli::run_export_tree},
    Command{"dsym-for-uuid", "dsymForUUID", "symbols of a UUID, for LLDB on macOS",
            cli::run_dsym_for_uuid},
    Command{"report", "", "crash reports from the shell: list, show, send, reprocess",
            cli::run_report},
    Command{"admin", "", "projects, tokens; fsck, purge, backup, restore, retention, audit",
            cli::run_admin},
    Command{"process-one", "", "", cli::run_process_one},
    Command{"extract-one", "", "", cli::run_extract_one},
    Command{"list-sources", "", "", cli::run_list_sources},
    Command{"unpack-one", "", "", cli::run_unpack_one},
};

int print_help(std::FILE* out) {
  std::fputs(
      "faultline: from a native program's build to a readable crash\n\n"
      "Usage: faultline COMMAND [ARGUMENTS]\n\nCommands:\n",
      out);
  for (const Command& command : kCommands) {
    if (command.summary.empty()) continue;
    std::fprintf(out, "  %-16.*s %.*s\n", static_cast<int>(command.name.size()),
                 command.name.data(), static_cast<int>(command.summary.size()),
                 command.summary.data());
  }
  std::fputs("\n`faultline COMMAND --help` explains one. Documentation: README.md and docs/\n",
             out);
  return out == stdout ? cli::kDone : cli::kBadUsage;
}

const Command* find_command(std::string_view name, bool as_program) {
  for (const Command& command : kCommands) {
    if ((as_program ? command.alias : command.name) == name && !name.empty()) return &command;
  }
  return nullptr;
}

int run(const Command& command, int argc, char** argv) {
  const bool serves = command.run == server::run_serve || command.run == server::run_debuginfod ||
                      command.run == server::run_symserver || command.run == server::run_diskcache;
  if (!serves) cli::say_when_a_file_is_cut_short();
  return command.run(argc, argv);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGCHLD, SIG_DFL);  // who started us may ignore it: then no child has a status
  const std::string_view program = base::basename_of(argv[0]);
  if (const Command* command = find_command(program, true)) return run(*command, argc, argv);
  if (argc < 2) return print_help(stderr);
  const std::string_view name = argv[1];
  if (name == "--help" || name == "-h" || name == "help") return print_help(stdout);
  if (name == "--version" || name == "-V") {
    std::printf("faultline %s\n", server::kVersion);
    return cli::kDone;
  }
  const Command* command = find_command(name, false);
  if (command == nullptr) {
    std::fprintf(stderr, "faultline: no command %s (faultline --help lists them)\n", argv[1]);
    return cli::kBadUsage;
  }
  std::string shown = "faultline " + std::string(name);
  argv[1] = shown.data();
  return run(*command, argc - 1, argv + 1);
}
