// faultline stackwalk, also as `minidump-stackwalk`: a minidump → all stacks and what went
// wrong, as JSON or text. Options, exit codes and the log's error line are rust-minidump's.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/analyze.h"
#include "analyze/extra_from_json.h"
#include "analyze/report_json.h"
#include "analyze/report_text.h"
#include "base/file.h"
#include "base/log.h"
#include "base/pool.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/symbol_files.h"

namespace cli {
namespace {

struct Arguments {
  std::string dump;
  std::vector<std::string> symbol_paths, more_symbol_paths, symbol_urls;
  bool human = false, json = false, raw = false;
  std::string cyborg;  // path of the JSON beside the text
  bool pretty = false, brief = false, no_color = false, no_interactive = false;
  bool recover_arguments = false, local_debuginfo = false;
  std::string features = "stable-basic", verbose = "error";
  std::string output_file, log_file, evil_json;
  std::string symbols_cache, symbols_tmp;
  std::uint64_t download_timeout_seconds = 1000;
  std::uint64_t threads = 0;
  std::uint64_t frames_max = unwind::Limits{}.frames_per_thread;
};

void declare(Options& options, Arguments& a) {
  options.positional("minidump", a.dump, "The minidump to analyze");
  options.positionals("symbols-path-legacy", a.more_symbol_paths, "As --symbols-path", false);
  options.flag("--human", a.human, "Print a report for people (the default)");
  options.flag("--json", a.json, "Print a report for programs");
  options.text("--cyborg", a.cyborg,
               "Print the report for people, and write the JSON to this file");
  options.flag("--dump", a.raw, "Print the raw contents of the minidump (not supported yet)");
  options.flag("--pretty", a.pretty, "Indent the JSON");
  options.flag("--brief", a.brief, "Only the summary and the thread that crashed (with --human)");
  options.choice("--features", a.features, {"stable-basic", "stable-all", "unstable-all"},
                 "How much to analyze; all levels are the same today");
  options.choice("--verbose", a.verbose, {"off", "error", "warn", "info", "debug", "trace"},
                 "How much to log (error)");
  options.text("--output-file", a.output_file, "Write the report here instead of stdout");
  options.text("--log-file", a.log_file, "Write the log here instead of stderr");
  options.flag("--no-color", a.no_color, "No colours in the log");
  options.flag("--no-interactive", a.no_interactive, "No progress display");
  options.text("--evil-json", a.evil_json, "Mozilla's .extra file: certificates and microcode");
  options.flag("--recover-function-args", a.recover_arguments,
               "Guess x86 function arguments (not supported yet)");
  options.flag("--use-local-debuginfo", a.local_debuginfo,
               "Use local binaries that the dump refers to (not supported yet)");
  options.list("--symbols-path", a.symbol_paths,
               "A directory of symbols (NAME/ID/NAME.sym), or one .sym or index file; repeatable");
  options.list("--symbols-url", a.symbol_urls, "A symbol server, tried in order; repeatable");
  options.text("--symbols-cache", a.symbols_cache,
               "Directory for downloads and symbol indexes (TMP/rust-minidump-cache for downloads,"
               " ~/.cache/faultline for indexes)");
  options.text("--symbols-tmp", a.symbols_tmp,
               "Directory for unfinished downloads, on the cache's file system");
  options.number("--symbols-download-timeout-secs", a.download_timeout_seconds,
                 "Seconds that one download may take (1000)");
  options.number("--threads", a.threads, "Threads to use (as many as there are processors)");
  options.number("--frames-max", a.frames_max, "Frames of one thread at most (8192)");
  options.footer("Exit codes: 0 processed, 1 the dump cannot be read, 2 bad usage.");
  options.version("minidump-stackwalk 0.27.0");
}

// The log's own form: consumers take the second word of the first such line as the error's name.
int log_error(const Arguments& a, std::string_view text) {
  const bool color = !a.no_color && ::isatty(STDERR_FILENO) == 1;
  std::fprintf(stderr, "%s %.*s\n", color ? "\033[31mERROR\033[0m" : "ERROR",
               static_cast<int>(text.size()), text.data());
  return kFailed;
}

void set_log_level(const std::string& verbose) {
  using base::log::Level;
  if (verbose == "off")
    base::log::set_level(Level::off);
  else if (verbose == "error")
    base::log::set_level(Level::error);
  else if (verbose == "warn")
    base::log::set_level(Level::warning);
  else if (verbose == "info")
    base::log::set_level(Level::info);
  else
    base::log::set_level(Level::debug);
}

// The log goes to stderr; with --log-file that is stderr.
bool open_log(const Arguments& a) {
  set_log_level(a.verbose);
  if (a.log_file.empty()) return true;
  const base::Fd fd(::open(a.log_file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  return fd.valid() && ::dup2(fd.get(), STDERR_FILENO) >= 0;
}

std::optional<std::string_view> find_contradiction(const Arguments& a) {
  if (a.brief && a.json) {
    return "Robots cannot be brief! (The --brief flag is only valid for --human, --cyborg, and "
           "--dump)";
  }
  if (a.pretty && !a.json && a.cyborg.empty()) {
    return "Humans must be hideous! (The --pretty and --human flags cannot both be set)";
  }
  if (a.raw) return "--dump is not supported yet";
  if (a.recover_arguments) return "--recover-function-args is not supported yet";
  if (a.local_debuginfo) return "--use-local-debuginfo is not supported yet";
  return std::nullopt;
}

std::string temporary_directory() {
  std::error_code error;
  const auto path = std::filesystem::temp_directory_path(error);
  return error ? "/tmp" : path.string();
}

// Indexes are made from what strangers could have put into a shared directory, so unless the
// user names a cache they are kept in the user's own.
std::string default_index_cache() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    return base::join_path(cache, "faultline");
  }
  const char* home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? "" : base::join_path(home, ".cache/faultline");
}

SymbolFilesOptions symbol_options(const Arguments& a, unsigned threads) {
  SymbolFilesOptions options;
  options.paths = a.symbol_paths;
  options.paths.insert(options.paths.end(), a.more_symbol_paths.begin(), a.more_symbol_paths.end());
  options.urls = a.symbol_urls;
  const std::string temporary = temporary_directory();
  options.cache =
      a.symbols_cache.empty() ? base::join_path(temporary, "rust-minidump-cache") : a.symbols_cache;
  options.index_cache = a.symbols_cache.empty() ? default_index_cache() : a.symbols_cache;
  options.temporary = a.symbols_tmp.empty() ? temporary : a.symbols_tmp;
  options.timeout_seconds = a.download_timeout_seconds;
  options.threads = threads;
  return options;
}

analyze::Extra read_extra(const Arguments& a) {
  if (a.evil_json.empty()) return {};
  const auto text = base::read_file(a.evil_json);
  auto extra =
      text.ok() ? analyze::extra_from_json(*text) : base::Result<analyze::Extra>(text.error());
  if (extra.ok()) return std::move(*extra);
  log_error(a, "EvilJson - " + extra.error().what);
  return {};
}

// The error's name and words as the log's readers know them.
std::string words_for(const base::Error& error) {
  switch (error.fault) {
    case base::Fault::not_found:
      return "FileNotFound - Error reading dump: File not found";
    case base::Fault::denied:
    case base::Fault::unavailable:
      return "IoError - Error reading dump: " + error.what;
    default:
      return error.what;
  }
}

// A reader that has gone away is no failure of ours.
int write_output(const Arguments& a, int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t done = ::write(fd, text.data(), text.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0 && errno == EPIPE) return kDone;
    if (done < 0) return log_error(a, base::error_from_errno(errno, "write", "report").what);
    text.remove_prefix(static_cast<std::size_t>(done));
  }
  return kDone;
}

int write_file(const Arguments& a, const std::string& path, std::string_view text) {
  const base::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd.valid()) return log_error(a, base::error_from_errno(errno, "open", path).what);
  return write_output(a, fd.get(), text);
}

int print(const Arguments& a, const analyze::Report& report) {
  using Style = base::JsonWriter::Style;
  const auto json = [&] {
    return analyze::report_json(report, a.pretty ? Style::pretty : Style::compact);
  };
  if (!a.cyborg.empty()) {
    if (const int code = write_file(a, a.cyborg, json()); code != kDone) return code;
  }
  using analyze::TextLength;
  const std::string text =
      a.json ? json()
             : analyze::report_text(report, a.brief ? TextLength::brief : TextLength::full);
  return a.output_file.empty() ? write_output(a, STDOUT_FILENO, text)
                               : write_file(a, a.output_file, text);
}

}  // namespace

int run_stackwalk(int argc, char** argv) {
  Arguments a;
  Options options(argv[0], "Analyzes minidumps and produces a report, for people or as JSON");
  declare(options, a);
  if (const auto code = options.parse(argc, argv)) return *code;
  if (int{a.human} + int{a.json} + int{a.raw} + int{!a.cyborg.empty()} > 1) {
    std::fprintf(stderr, "%s: --human, --json, --cyborg and --dump exclude each other\n", argv[0]);
    return kBadUsage;
  }
  ::signal(SIGPIPE, SIG_IGN);
  if (!open_log(a)) return fail("cannot write the log to " + a.log_file);
  if (const auto problem = find_contradiction(a)) return log_error(a, *problem);

  auto dump = base::MappedFile::open(a.dump);
  if (!dump.ok()) return log_error(a, words_for(dump.error()));
  const unsigned threads =
      a.threads == 0 ? base::default_thread_count() : static_cast<unsigned>(a.threads);
  const SymbolFiles files(symbol_options(a, threads));
  analyze::AnalyzeOptions analyze_options;
  analyze_options.threads = threads;
  analyze_options.limits.frames_per_thread = static_cast<std::uint32_t>(a.frames_max);
  analyze_options.extra = read_extra(a);
  const auto find = [&](const analyze::ModuleKey& key, const snapshot::Module&) {
    return files.find(key);
  };
  const auto analysis = analyze::analyze_dump(std::move(*dump), find, analyze_options);
  if (!analysis.ok()) return log_error(a, words_for(analysis.error()));
  return print(a, analysis->report);
}

}  // namespace cli
