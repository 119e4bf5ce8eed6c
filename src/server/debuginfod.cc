#include "server/debuginfod.h"

#include <getopt.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/text.h"
#include "cli/options.h"
#include "net/origin.h"
#include "server/room_options.h"
#include "server/serve.h"
#include "server/version.h"
#include "server/wire.h"

namespace server {

using base::Error;
using base::Fault;
using base::Result;

namespace {

constexpr std::uint64_t kPort = 8002;

// Long options without a letter.
enum Only : int {
  kFdcacheFds = 256,
  kFdcacheMbs,
  kFdcachePrefetch,
  kFdcachePrefetchFds,
  kFdcachePrefetchMbs,
  kFdcacheMintmp,
  kForwardedTtl,
  kPassive,
  kDisableSourceScan,
  kListenAddress,
  kScanCheckpoint,
  kCors,
  kKoji,
  kMetadataMaxtime,
  kHomeHtml,
  kHomeRedirect,
  kExtracted
};

constexpr std::array<option, 36> kLong{{
    {"scan-file-dir", no_argument, nullptr, 'F'},
    {"scan-rpm-dir", no_argument, nullptr, 'R'},
    {"scan-deb-dir", no_argument, nullptr, 'U'},
    {"scan-archive", required_argument, nullptr, 'Z'},
    {"database", required_argument, nullptr, 'd'},
    {"ddl", required_argument, nullptr, 'D'},
    {"port", required_argument, nullptr, 'p'},
    {"include", required_argument, nullptr, 'I'},
    {"exclude", required_argument, nullptr, 'X'},
    {"rescan-time", required_argument, nullptr, 't'},
    {"regex-groom", no_argument, nullptr, 'r'},
    {"groom-time", required_argument, nullptr, 'g'},
    {"maxigroom", no_argument, nullptr, 'G'},
    {"concurrency", required_argument, nullptr, 'c'},
    {"connection-pool", optional_argument, nullptr, 'C'},
    {"verbose", no_argument, nullptr, 'v'},
    {"help", no_argument, nullptr, '?'},
    {"version", no_argument, nullptr, 'V'},
    {"fdcache-fds", required_argument, nullptr, kFdcacheFds},
    {"fdcache-mbs", required_argument, nullptr, kFdcacheMbs},
    {"fdcache-prefetch", required_argument, nullptr, kFdcachePrefetch},
    {"fdcache-prefetch-fds", required_argument, nullptr, kFdcachePrefetchFds},
    {"fdcache-prefetch-mbs", required_argument, nullptr, kFdcachePrefetchMbs},
    {"fdcache-mintmp", required_argument, nullptr, kFdcacheMintmp},
    {"forwarded-ttl-limit", required_argument, nullptr, kForwardedTtl},
    {"passive", no_argument, nullptr, kPassive},
    {"disable-source-scan", no_argument, nullptr, kDisableSourceScan},
    {"listen-address", required_argument, nullptr, kListenAddress},
    {"scan-checkpoint", required_argument, nullptr, kScanCheckpoint},
    {"cors", no_argument, nullptr, kCors},
    {"metadata-maxtime", required_argument, nullptr, kMetadataMaxtime},
    {"home-html", required_argument, nullptr, kHomeHtml},
    {"home-redirect", required_argument, nullptr, kHomeRedirect},
    {"koji-sigcache", no_argument, nullptr, kKoji},
    {"extracted-mbs", required_argument, nullptr, kExtracted},
    {nullptr, 0, nullptr, 0},
}};

constexpr std::string_view kHelp =
    R"(Usage: debuginfod [OPTION]... [PATH]...
The symbol server with the flags of elfutils' debuginfod. PATHs are scanned.

 What is scanned:
  -F                  debug files and programs
  -R                  .rpm packages
  -U                  .deb, .ddeb and (with bsdtar) .ipk packages
  -Z EXT[=CMD]        archives with that extension; CMD FILE makes an archive of one
  -I REGEX, -X REGEX  only paths that match; no path that matches
  -L                  follow links, and onto other disks
  -c NUM              threads that read (default: one for each processor)
  -t SECONDS          between scans (default 300; 0: once, and at SIGUSR1)
  -g SECONDS          between grooms (default: each scan grooms; also at SIGUSR2)
  --disable-source-scan  no sources from the places that files of -F name
  -r                  grooming applies -I and -X
  --passive           no scan, no groom

 The server:
  -p NUM              port (default 8002)
  --listen-address=A  one address only (default: all)
  -d FILE             our directory (default ~/.debuginfod.faultline; :memory: for a temporary one)
  --metadata-maxtime=SECONDS  of one search by /metadata (default 5; 0: no bound)
  --home-html=FILE    what / shows
  --home-redirect=URL  where / leads
  --fdcache-mbs=NUM   budget of extracted files (default: a quarter of the free disk)
  --extracted-mbs=NUM  the same
  --fdcache-mintmp=N  extract nothing ahead when less than N percent of the disk are free
  -v                  more in the log

Accepted without effect: -C -D -G --cors --ddl --fdcache-fds --fdcache-prefetch*
--forwarded-ttl-limit --scan-checkpoint; the log says why. --koji-sigcache is refused.
The servers of DEBUGINFOD_URLS are asked for what is not here. Pages: docs/protocols/debuginfod.md,
docs/scanning.md
)";

Result<std::uint64_t> number_of(const char* flag, const char* text, std::uint64_t min,
                                std::uint64_t max) {
  const auto number = base::parse_decimal(text);
  if (!number || *number < min || *number > max) {
    return Error{Fault::malformed, std::string(flag) + " " + text + ": expected a whole number"};
  }
  return *number;
}

void add_extension(DebuginfodFlags& flags, std::string_view argument) {
  const auto equals = argument.find('=');
  const std::string extension(argument.substr(0, equals));
  std::string command(equals == std::string_view::npos ? "" : argument.substr(equals + 1));
  flags.options.scan_commands[extension] = std::move(command);
}

// What the flag would do there, and why nothing here.
std::string why_ignored(int flag) {
  switch (flag) {
    case 'C':
      return "-C: connections are not bound to threads here";
    case 'D':
      return "-D: no statements of others in our database";
    case 'G':
      return "-G: nothing is kept that grooming would have to look for";
    case kFdcacheFds:
      return "--fdcache-fds: extracted files are bounded by their bytes";
    case kFdcachePrefetch:
    case kFdcachePrefetchFds:
    case kFdcachePrefetchMbs:
      return "--fdcache-prefetch…: members are extracted when they are scanned";
    case kForwardedTtl:
      return "--forwarded-ttl-limit: it is 8, and servers that ask in a circle know it sooner";
    case kScanCheckpoint:
      return "--scan-checkpoint: each package is committed by itself";
    default:
      return "--cors: symbols may always be read from other origins";
  }
}

// True when the flag was one that scans or serves.
Result<void> apply(int flag, const char* argument, DebuginfodFlags& flags) {
  Options& options = flags.options;
  switch (flag) {
    case 'F':
      options.scan_files = 1;
      return {};
    case 'R':
      options.scan_commands[".rpm"] = "";
      return {};
    case 'U':
      options.scan_commands[".deb"] = options.scan_commands[".ddeb"] = "";
      // Often a tar of tars; the same command as there.
      options.scan_commands[".ipk"] = R"((bsdtar -O -x -f - data.tar\*)<)";
      return {};
    case 'Z':
      add_extension(flags, argument);
      return {};
    case 'L':
      options.scan_follow_links = 1;
      return {};
    case 'd':
      flags.in_memory = std::string_view(argument) == ":memory:";
      options.data = argument;
      return {};
    case 'I':
      options.scan_include = argument;
      return {};
    case 'X':
      options.scan_exclude = argument;
      return {};
    case 'r':
      options.scan_keeps_excluded = false;
      return {};
    case 't':
      options.scan_seconds = TRY(number_of("-t", argument, 0, 1u << 30));
      return {};
    case 'g':
      options.groom_seconds = TRY(number_of("-g", argument, 0, 1u << 30));
      return {};
    case 'c':
      options.scan_threads = TRY(number_of("-c", argument, 1, 1024));
      return {};
    case 'p': {
      const std::uint64_t port = TRY(number_of("-p", argument, 1, 65535));
      options.listen =
          options.listen.substr(0, options.listen.rfind(':') + 1) + std::to_string(port);
      return {};
    }
    case kListenAddress: {
      std::string address(argument);
      if (address.find(':') != std::string::npos && !address.starts_with('[')) {
        address = "[" + address + "]";
      }
      options.listen = address + options.listen.substr(options.listen.rfind(':'));
      return {};
    }
    case kFdcacheMbs:
    case kExtracted: {
      const std::uint64_t mbs = TRY(number_of("--fdcache-mbs", argument, 0, 1ull << 30));
      options.scan_extracted = std::max<std::uint64_t>(mbs << 20, 1);
      return {};
    }
    case kFdcacheMintmp: {
      const std::uint64_t percent = TRY(number_of("--fdcache-mintmp", argument, 0, 100));
      options.scan_disk_free_percent = percent;
      return {};
    }
    case kMetadataMaxtime: {
      const std::uint64_t seconds = TRY(number_of("--metadata-maxtime", argument, 0, 1u << 30));
      options.metadata_seconds = seconds == 0 ? 1u << 30 : seconds;
      return {};
    }
    case kHomeHtml:
      options.home_html = argument;
      return {};
    case kHomeRedirect:
      options.home_redirect = argument;
      return {};
    case kKoji:
      return Error{Fault::unsupported,
                   "--koji-sigcache: only signatures that the packages hold themselves are told"};
    case kPassive:
      flags.passive = true;
      return {};
    case 'v':
      ++flags.verbosity;
      return {};
    case 'V':
      flags.version = true;
      return {};
    case kDisableSourceScan:
      flags.no_sources = true;
      return {};
    default:
      flags.ignored.push_back(why_ignored(flag));
      return {};
  }
}

bool is_regular_file(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

Result<DebuginfodFlags> debuginfod_flags(int argc, char** argv) {
  DebuginfodFlags flags;
  Options& options = flags.options;
  options.listen = "0.0.0.0:" + std::to_string(kPort);
  const char* home = std::getenv("HOME");
  options.data = base::join_path(home != nullptr ? home : "/", ".debuginfod.faultline");
  options.is_debuginfod = true;
  options.log_answers = "all";
  options.scan_files = 0;
  options.scan_packages.clear();
  options.scan_keeps_excluded = true;
  options.scan_threads = base::default_thread_count();

  ::optind = 0;  // begins anew, whoever parsed before
  ::opterr = 0;
  for (;;) {
    const int at = ::optind == 0 ? 1 : ::optind;
    const int flag =
        ::getopt_long(argc, argv, "FRUZ:d:D:p:I:X:t:rg:Gc:C::LvV", kLong.data(), nullptr);
    if (flag == -1) break;
    if (flag == '?') {
      const std::string_view given = at < argc ? argv[at] : "";
      if (given == "--help" || given == "-?") {
        flags.help = true;
        return flags;
      }
      return Error{Fault::malformed, std::string(given) +
                                         ": no flag of debuginfod, or its value "
                                         "is missing (--help lists them)"};
    }
    TRY(apply(flag, ::optarg, flags));
  }
  for (int i = ::optind; i < argc; ++i) {
    if (std::string_view(argv[i]).find(':') != std::string_view::npos) {
      return Error{Fault::malformed, std::string(argv[i]) + ": a path with a colon"};
    }
    options.scan_paths.append(options.scan_paths.empty() ? "" : ":").append(argv[i]);
  }
  // As debuginfod does: sources are read from wherever the scanned files say. Symbols must name
  // a path before it is looked at.
  if (options.scan_files != 0 && !flags.no_sources) options.sources_directories = "/";
  // Without a path, or without anything to look for there, it serves what it has.
  if (options.scan_files == 0 && options.scan_commands.empty()) options.scan_paths.clear();
  if (flags.passive) options.scan_paths.clear();
  if (!flags.in_memory && is_regular_file(options.data)) options.data += ".faultline";
  return flags;
}

void ask_others(std::string_view urls, DebuginfodFlags& flags) {
  std::string words(urls);
  std::replace_if(words.begin(), words.end(), [](char c) { return c == '\t' || c == '\n'; }, ' ');
  for (const std::string_view word : base::split(words, ' ')) {
    if (word.empty()) continue;
    // A tag is for those who check signatures; ours has none to check.
    if (word.starts_with("ima:")) continue;
    constexpr std::string_view kDirectory = "file://";
    UpstreamOptions other;
    other.url = net::with_lower_scheme(word);
    if (other.url.starts_with(kDirectory)) other.url.erase(0, kDirectory.size());
    other.layout = "debuginfod";
    other.group = "DEBUGINFOD_URLS";
    const bool is_url = other.url.starts_with("http://") || other.url.starts_with("https://");
    if (!is_url && !other.url.starts_with('/')) {
      flags.ignored.push_back("DEBUGINFOD_URLS: " + other.url +
                              " is not http://…, https://… or file:///…");
      continue;
    }
    flags.options.upstreams.push_back(std::move(other));
  }
}

int run_debuginfod(int argc, char** argv) {
  auto flags = debuginfod_flags(argc, argv);
  if (!flags.ok()) {
    cli::fail(flags.error().what);
    return cli::kBadUsage;
  }
  if (flags->help) {
    std::fwrite(kHelp.data(), 1, kHelp.size(), stdout);
    return cli::kDone;
  }
  if (flags->version) {
    std::printf("debuginfod (faultline) %s\n", kVersion);
    return cli::kDone;
  }
  base::log::set_level(flags->verbosity > 1 ? base::log::Level::debug : base::log::Level::info);
  if (const char* urls = std::getenv("DEBUGINFOD_URLS")) ask_others(urls, *flags);
  for (const std::string& ignored : flags->ignored) base::log::warning("{}", ignored);
  if (const auto checked = check_rooms(flags->options); !checked.ok()) {
    return refuse_to_start(checked.error());
  }
  std::optional<base::TemporaryDirectory> memory;
  if (flags->in_memory) {
    auto made = base::TemporaryDirectory::create("debuginfod");
    if (!made.ok()) return cli::fail(made.error().what);
    memory.emplace(std::move(*made));
    flags->options.data = memory->path();
  }
  const auto served = serve(flags->options);
  return served.ok() ? cli::kDone : cli::fail(served.error().what);
}

}  // namespace server
