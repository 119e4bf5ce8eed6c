#include "server/mozilla_programs.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "cli/options.h"
#include "server/config_files.h"
#include "server/foreign_paths.h"
#include "server/options_from_mozilla.h"
#include "server/options_from_snappy.h"
#include "server/reachable_upstreams.h"
#include "server/serve.h"

namespace server {

using base::Error;
using base::Result;

namespace {

constexpr std::string_view kHttpQuestion = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";

// The program itself, by a name that stays when the process is looked at.
std::string own_program() {
  char path[4096];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : "faultline";
}

Service own_service(const std::string& name, const char* command, const MozillaSource& source) {
  Service service;
  service.name = name;
  service.pid_file = base::join_path(source.pid_directory, name + ".pid");
  service.command = {own_program(), command};
  for (std::string& word : source.words()) service.command.push_back(std::move(word));
  service.command.push_back("--pidfile");
  service.command.push_back(service.pid_file);
  service.question = kHttpQuestion;
  service.answer = "HTTP/";
  return service;
}

// Every address of the machine is this one's own, too.
void answers_at(std::string host, std::uint64_t port, Service& service) {
  service.port = static_cast<std::uint16_t>(port);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const bool any = host.empty() || host == "*" || host == "0.0.0.0" || host == "::";
  if (!any) service.host = std::move(host);
}

// Of "HOST:PORT".
void answers_at(const std::string& listen, Service& service) {
  const std::size_t colon = std::min(listen.rfind(':'), listen.size());
  const auto port = base::parse_decimal(listen.substr(std::min(colon + 1, listen.size())));
  answers_at(listen.substr(0, colon), port.value_or(0), service);
}

// What both programs take.
struct Flags {
  MozillaSource source;
  std::string pid_file;
  std::string action;
  MozillaLog log;
  std::uint64_t port = 0;

  void declare(cli::Options& options) {
    options.text("-c,--config", source.path, "the JSON configuration of the three programs");
    options.text("--configJSON", source.json, "the same, itself");
    options.number("-p,--port", port, "the port to listen on");
    options.text("-l,--logPath", log.path, "where the log goes");
    options.number("-L,--logLevel", log.level, "Python's number of the least that is logged");
    options.number("--logFiles", log.files, "how many files the log has");
    options.number("--logFileSize", log.file_size_mb, "megabytes of one of them");
    options.text("--pidfile", pid_file, "where the process id is written");
    options.text("--pid-dir", source.pid_directory,
                 "for start, stop and the like (default: pids/ beside the configuration)");
    options.positional("ACTION", action,
                       "start, stop, restart or status of one in the background; without: serves",
                       false);
    options.footer("Every key of the file: docs/mozilla-symbolication-server.md.");
  }
  // The exit code when the command line names two configurations.
  std::optional<int> refuse_two() const {
    if (source.path.empty() || source.json.empty()) return std::nullopt;
    cli::fail("only one of --config and --configJSON may be given");
    return cli::kBadUsage;
  }
  void apply(const cli::Options& given, std::uint64_t& port_at, MozillaLog& log_at) const {
    if (given.given("--port")) port_at = port;
    if (given.given("--logPath")) log_at.path = log.path;
    if (given.given("--logLevel")) log_at.level = log.level;
    if (given.given("--logFiles")) log_at.files = log.files;
    if (given.given("--logFileSize")) log_at.file_size_mb = log.file_size_mb;
  }
};

// With this command line, but for the action.
Service in_background(Service service, const Flags& flags, int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const auto at = std::find(words.rbegin(), words.rend(), flags.action);
  if (at != words.rend()) words.erase(std::next(at).base());
  if (flags.pid_file.empty()) {
    words.emplace_back("--pidfile");
    words.push_back(service.pid_file);
  } else {
    service.pid_file = flags.pid_file;
  }
  service.command.resize(2);  // the program and its command
  service.command.insert(service.command.end(), words.begin(), words.end());
  return service;
}

int act(const std::string& action, const Service& service) {
  const auto pid = running_pid(service);
  if (action == "status") {
    if (pid) std::printf("%s: runs, PID %d\n", service.name.c_str(), *pid);
    if (!pid) std::printf("%s: does not run\n", service.name.c_str());
    return pid ? cli::kDone : cli::kFailed;
  }
  if (action == "stop" || action == "restart") {
    if (!pid && action == "stop") std::printf("No servers to stop\n");
    if (const auto stopped = stop({service}); !stopped.ok()) {
      return cli::fail(stopped.error().what);
    }
  } else if (action != "start") {
    cli::fail(action + ": is none of start, stop, restart and status");
    return cli::kBadUsage;
  }
  if (action == "stop") return cli::kDone;
  const auto started = start_and_wait({service});
  return started.ok() ? cli::kDone : cli::fail(started.error().what);
}

// In the foreground, with the process id where it is wanted.
int serve_as(const std::string& name, const std::string& pid_file,
             const base::Result<Options>& options) {
  if (!options.ok()) return serve_with(options);
  std::optional<PidFile> pid;
  if (!pid_file.empty()) {
    auto written = PidFile::write(pid_file);
    if (!written.ok()) return cli::fail(written.error().what);
    pid.emplace(std::move(*written));
  }
  std::printf("Starting %s server with PID %d\n", name.c_str(), ::getpid());
  std::fflush(stdout);
  return serve_with(options);
}

Result<Options> options_for(ForeignSettings read) {
  ConfigFile file;
  file.settings = std::move(read.settings);
  file.warnings = std::move(read.warnings);
  Options options = TRY(options_here({std::move(file)}, {}));
  return with_reachable_upstreams(std::move(options), Caches::made);
}

// The predecessor's only argument was its configuration, an INI.
std::optional<Result<Options>> find_snappy_options(const std::string& path) {
  if (path.empty()) return std::nullopt;
  const auto text = base::read_file(path, 1 << 20);
  if (!text.ok() || !is_snappy(*text)) return std::nullopt;
  auto options = load_options({path}, {});
  if (!options.ok()) return options.error();
  return with_reachable_upstreams(std::move(*options), Caches::made);
}

int bad_configuration(const Error& error) {
  cli::fail(error.what);
  return cli::kBadUsage;
}

using SettingsOf = ForeignSettings (*)(const MozillaConfig&, const std::string&);

Result<Options> mozilla_options(const MozillaConfig& config, SettingsOf settings_of) {
  const std::string here = TRY(working_directory());
  return options_for(settings_of(config, here));
}

}  // namespace

Result<void> MozillaSource::settle() {
  const std::string here = TRY(working_directory());
  if (!path.empty()) path = absolute_path(path, here);
  if (pid_directory.empty()) {
    const std::string beside(path.empty() ? std::string_view(here) : base::parent_of(path));
    pid_directory = base::join_path(beside, "pids");
  }
  pid_directory = absolute_path(pid_directory, here);
  return {};
}

std::vector<std::string> MozillaSource::words() const {
  if (!path.empty()) return {"--config", path};
  if (!json.empty()) return {"--configJSON", json};
  return {};
}

Service disk_cache_service(const MozillaConfig& config, const MozillaSource& source) {
  Service service = own_service("DiskCache", "diskcache", source);
  answers_at(config.disk_cache.listen_address, config.disk_cache.port, service);
  return service;
}

Service sym_server_service(const MozillaConfig& config, const MozillaSource& source) {
  Service service = own_service("SymServer", "symserver", source);
  answers_at(config.sym_server.listen_address, config.sym_server.port, service);
  return service;
}

// Not as a daemon of its own making: those cannot write the file when they give up root.
Service memcached_service(const MozillaConfig& config, const MozillaSource& source) {
  const MozillaConfig::Quickstart::Memcached& memcached = config.quickstart.memcached;
  Service service;
  service.name = "memcached";
  service.pid_file = base::join_path(source.pid_directory, "memcached.pid");
  service.writes_pid_file = false;
  service.command = {memcached.binary,
                     "-U",
                     "0",
                     "-l",
                     memcached.listen_address,
                     "-m",
                     std::to_string(memcached.max_memory_mb),
                     "-p",
                     std::to_string(memcached.port)};
  if (::geteuid() == 0) {
    service.command.emplace_back("-u");
    service.command.emplace_back("nobody");
  }
  answers_at(memcached.listen_address, memcached.port, service);
  service.question = "set faultline-is-ready 0 1 2\r\nok\r\n";
  service.answer = "STORED";
  return service;
}

Result<void> start_and_wait(const std::vector<Service>& services) {
  std::vector<Started> started;
  for (const Service& service : services) {
    if (running_pid(service)) continue;
    Started one = TRY(Started::start(service));
    started.push_back(std::move(one));
  }
  return wait_for(started, kReadyTime);
}

int run_symserver(int argc, char** argv) {
  Flags flags;
  std::vector<std::string> memcached;
  std::string disk_cache;
  cli::Options options(argv[0],
                       "Mozilla's SymServer: names for addresses, from DiskCache's symbols.");
  flags.declare(options);
  options.list("-m,--memcachedServer", memcached, "HOST:PORT of a memcached; None: none");
  options.text("-d,--diskCacheServer", disk_cache, "HOST:PORT of DiskCache");
  if (const auto code = options.parse(argc, argv)) return *code;
  if (const auto code = flags.refuse_two()) return *code;
  if (const auto settled = flags.source.settle(); !settled.ok()) {
    return cli::fail(settled.error().what);
  }
  const auto snappy = find_snappy_options(flags.source.path);
  if (snappy && flags.action.empty()) return serve_as("SymServer", flags.pid_file, *snappy);
  if (snappy && !snappy->ok()) return bad_configuration(snappy->error());
  if (snappy) {
    Service service = own_service("SymServer", "symserver", flags.source);
    answers_at((*snappy)->listen, service);
    return act(flags.action, in_background(std::move(service), flags, argc, argv));
  }

  auto config = read_mozilla_config(flags.source.path, flags.source.json);
  if (!config.ok()) return bad_configuration(config.error());
  MozillaConfig::SymServer& server = config->sym_server;
  flags.apply(options, server.port, server.log);
  if (!memcached.empty()) server.memcached_servers = memcached;
  if (memcached == std::vector<std::string>{"None"}) server.memcached_servers.clear();
  if (!disk_cache.empty()) server.disk_cache_server = disk_cache;
  if (flags.action.empty()) {
    return serve_as("SymServer", flags.pid_file, mozilla_options(*config, settings_of_sym_server));
  }
  return act(flags.action,
             in_background(sym_server_service(*config, flags.source), flags, argc, argv));
}

int run_diskcache(int argc, char** argv) {
  Flags flags;
  MozillaConfig::DiskCache given;
  std::vector<std::string> directories;
  std::vector<std::string> urls;
  cli::Options options(argv[0], "Mozilla's DiskCache: brings symbols and keeps what is used.");
  flags.declare(options);
  options.text("-d,--cachePath", given.cache_path, "where the cache lies");
  options.list("-s,--localSymbols", directories, "a directory of symbols; may be repeated");
  options.number("-m,--maxSize", given.max_size_mb, "megabytes that the cache may have");
  options.list("-u,--symbolURL", urls, "a server of symbols; may be repeated");
  if (const auto code = options.parse(argc, argv)) return *code;
  if (const auto code = flags.refuse_two()) return *code;
  if (const auto settled = flags.source.settle(); !settled.ok()) {
    return cli::fail(settled.error().what);
  }
  auto config = read_mozilla_config(flags.source.path, flags.source.json);
  if (!config.ok()) return bad_configuration(config.error());
  MozillaConfig::DiskCache& cache = config->disk_cache;
  flags.apply(options, cache.port, cache.log);
  if (options.given("--cachePath")) cache.cache_path = given.cache_path;
  if (options.given("--maxSize")) cache.max_size_mb = given.max_size_mb;
  if (!directories.empty()) cache.local_symbol_dirs = directories;
  if (!urls.empty()) cache.symbol_urls = urls;
  if (flags.action.empty()) {
    return serve_as("DiskCache", flags.pid_file, mozilla_options(*config, settings_of_disk_cache));
  }
  return act(flags.action,
             in_background(disk_cache_service(*config, flags.source), flags, argc, argv));
}

}  // namespace server
