#include "server/quickstart.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "cli/options.h"
#include "server/mozilla_programs.h"
#include "server/quickstart_in_container.h"

namespace server {

using base::Result;

namespace {

constexpr int kFailure = 255;
constexpr std::string_view kActions[] = {"start", "stop", "restart", "status", "wait"};

// One of the three, in the order in which they are started: each is asked by the next.
struct Part {
  Service service;
  MozillaStart wanted;
};

std::vector<Part> parts_of(const MozillaConfig& config, const MozillaSource& source) {
  return {{memcached_service(config, source), config.quickstart.memcached.starting},
          {disk_cache_service(config, source), config.quickstart.disk_cache},
          {sym_server_service(config, source), config.quickstart.sym_server}};
}

int fail(std::string_view what) {
  std::fprintf(stderr, "faultline quickstart: %.*s\n", static_cast<int>(what.size()), what.data());
  return kFailure;
}

class Quickstart {
 public:
  Quickstart(std::vector<Part> parts, bool verbose) : parts_(std::move(parts)), verbose_(verbose) {}

  // All that run, whether they are started by this configuration or not.
  Result<void> stop() const {
    std::vector<Service> running;
    for (const Part& part : parts_) {
      if (running_pid(part.service)) running.push_back(part.service);
    }
    if (running.empty()) std::printf("No servers to stop\n");
    for (const Service& service : running) say("stopping", service);
    return server::stop(running);
  }

  // What it is not to start it lets alone.
  Result<void> stop_for_restart(bool all) const {
    std::vector<Service> again;
    for (const Part& part : parts_) {
      const bool is_due = part.wanted.start && (all || part.wanted.restart);
      if (is_due && running_pid(part.service)) again.push_back(part.service);
    }
    for (const Service& service : again) say("stopping", service);
    return server::stop(again);
  }

  Result<void> start() const {
    const std::vector<Service> missing = missing_ones();
    for (const Service& service : missing) say("starting", service);
    TRY(start_and_wait(missing));
    for (const Service& service : missing) {
      std::printf("%s runs on port %u\n", service.name.c_str(), service.port);
    }
    return {};
  }

  // The last of them becomes this very process; nobody waits until the others answer.
  int start_in_foreground() const {
    std::vector<Service> missing = missing_ones();
    if (missing.empty()) return cli::kDone;
    Service last = std::move(missing.back());
    missing.pop_back();
    for (const Service& service : missing) {
      say("starting", service);
      const auto started = Started::start(service, Started::Words::shown);
      if (!started.ok()) return fail(started.error().what);
    }
    say("becoming", last);
    std::fflush(stdout);
    if (!last.writes_pid_file) {
      const std::string pid = std::to_string(::getpid()) + "\n";
      const auto written = base::write_file_durably(last.pid_file, base::bytes_of(pid));
      if (!written.ok()) return fail(written.error().what);
    }
    std::vector<char*> argv;
    argv.reserve(last.command.size() + 1);
    for (std::string& word : last.command) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    return fail(last.name + ": cannot be started: " + std::strerror(errno));
  }

  // Until all answer that are to be started: for who has them in the foreground.
  Result<void> wait() const {
    std::vector<Service> wanted;
    for (const Part& part : parts_) {
      if (part.wanted.start) wanted.push_back(part.service);
    }
    return wait_until(wanted, runs_and_answers, kReadyTime);
  }

  int status() const {
    bool all_run = true;
    for (const Part& part : parts_) {
      const auto pid = running_pid(part.service);
      const char* name = part.service.name.c_str();
      if (pid) std::printf("%s: runs, PID %d\n", name, *pid);
      if (!pid) std::printf("%s: does not run\n", name);
      all_run = all_run && (pid.has_value() || !part.wanted.start);
    }
    return all_run ? cli::kDone : kFailure;
  }

 private:
  static bool runs_and_answers(const Service& service) {
    return running_pid(service).has_value() && does_answer(service);
  }

  std::vector<Service> missing_ones() const {
    std::vector<Service> missing;
    for (const Part& part : parts_) {
      if (!part.wanted.start) continue;
      if (running_pid(part.service)) {
        std::printf("%s runs already\n", part.service.name.c_str());
      } else {
        missing.push_back(part.service);
      }
    }
    return missing;
  }

  void say(const char* what, const Service& service) const {
    if (verbose_) std::printf("%s %s\n", what, service.name.c_str());
  }

  const std::vector<Part> parts_;
  const bool verbose_;
};

}  // namespace

int run_quickstart(int argc, char** argv) {
  MozillaSource source;
  std::string action;
  bool stops = false;
  bool foreground = false;
  bool rebuilds = false;
  bool verbose = false;
  cli::Options options(argv[0],
                       "memcached, DiskCache and SymServer in the background, as one "
                       "configuration file says.");
  options.text("-c,--config", source.path, "the JSON configuration of the three programs");
  options.text("--configJSON", source.json, "the same, itself");
  options.flag("--stop", stops, "stop what runs");
  options.flag("-F,--foreground", foreground, "the last one started stays in the foreground");
  options.flag("-R,--dockerRebuild", rebuilds, "make image and container anew");
  options.flag("-v,--verbose", verbose, "say more");
  options.text("--pid-dir", source.pid_directory,
               "where process ids are kept (default: pids/ beside the configuration)");
  options.positional("ACTION", action, "start (default), stop, restart, status or wait", false);
  options.footer("Every key of the file: docs/mozilla-symbolication-server.md.");
  if (const auto code = options.parse(argc, argv)) return *code;
  // The first quickstart took --stop in place of a configuration: pids/ says what runs.
  const bool has_none = source.path.empty() && source.json.empty();
  const bool has_both = !source.path.empty() && !source.json.empty();
  if (has_both || (has_none && !stops)) {
    cli::fail("quickstart: one of --config and --configJSON is needed");
    return cli::kBadUsage;
  }
  if (const auto settled = source.settle(); !settled.ok()) return fail(settled.error().what);
  const auto config = read_mozilla_config(source.path, source.json);
  if (!config.ok()) return fail(config.error().what);
  if (stops) action = "stop";
  if (action.empty()) action = "start";
  if (std::find(std::begin(kActions), std::end(kActions), action) == std::end(kActions)) {
    cli::fail("quickstart: " + action + " is none of start, stop, restart, status and wait");
    return cli::kBadUsage;
  }
  verbose = verbose || config->quickstart.verbose;
  if (config->quickstart.docker.enable) {
    return run_in_container(*config, action, {rebuilds, foreground, verbose});
  }
  if (rebuilds) return fail("--dockerRebuild is for quickstart.Docker.enable");
  const Quickstart quickstart(parts_of(*config, source), verbose);
  if (action == "status") return quickstart.status();
  if (action == "wait") {
    const auto waited = quickstart.wait();
    return waited.ok() ? cli::kDone : fail(waited.error().what);
  }
  if (action == "stop") {
    const auto stopped = quickstart.stop();
    return stopped.ok() ? cli::kDone : fail(stopped.error().what);
  }
  const auto stopped = quickstart.stop_for_restart(action == "restart");
  if (!stopped.ok()) return fail(stopped.error().what);
  if (foreground) return quickstart.start_in_foreground();
  const auto started = quickstart.start();
  return started.ok() ? cli::kDone : fail(started.error().what);
}

}  // namespace server
